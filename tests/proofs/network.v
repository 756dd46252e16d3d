(* A network of spiking neurons, unrolled in time: its nodes, its arrows, and the factor of each.

   Steps run from 1 to T and layers from 1 to N. Neuron i of layer n has at step t a potential and a
   spike. The potential enters the spike; spike and potential enter the next potential; the spike
   enters the potentials of the layer above; weights and biases enter the potentials. *)

Require Import List Lia PeanoNat.
Import ListNotations.
Require Import recursion.

Inductive Node :=
  | U (t n i : nat)          (* u_i^{t,n} *)
  | Spike (t n i : nat)      (* o_i^{t,n} *)
  | W (n i j : nat)          (* w_{ij}^n *)
  | B (n i : nat).           (* b_i^n *)

Inductive Arrow :=
  | spike (t n i : nat)      (* u_i^{t,n} to o_i^{t,n} *)
  | carry (t n i : nat)      (* u_i^{t,n} to u_i^{t+1,n} *)
  | reset (t n i : nat)      (* o_i^{t,n} to u_i^{t+1,n} *)
  | weight (t n i j : nat)   (* o_i^{t,n} to u_j^{t,n+1} *)
  | entry (n i j t : nat)    (* w_{ij}^n to u_i^{t,n} *)
  | offset (n i t : nat).    (* b_i^n to u_i^{t,n} *)

Definition head a := match a with
  | spike t n i => Spike t n i
  | carry t n i => U (S t) n i
  | reset t n i => U (S t) n i
  | weight t n i j => U t (S n) j
  | entry n i j t => U t n i
  | offset n i t => U t n i
  end.

(* One run of a network. The factors are numbers: that they are the derivatives of the forward lines
   is not proved here. The index 0 of a layer is the input. *)
Record Run (Number : Type) := {
  T : nat;
  N : nat;
  neurons : nat -> list nat;                 (* of a layer *)
  o : nat -> nat -> nat -> Number;           (* o_i^{t,n} *)
  w : nat -> nat -> nat -> Number;           (* w_{ij}^n, neuron i above, neuron j below *)
  spike_factor : nat -> nat -> nat -> Number;
  carry_factor : nat -> nat -> nat -> Number;
  reset_factor : nat -> nat -> nat -> Number;
  loss : nat -> nat -> Number                (* ∂L/∂o_i^{t,N} *)
}.
Arguments T {Number}. Arguments N {Number}. Arguments neurons {Number}. Arguments o {Number}.
Arguments w {Number}. Arguments loss {Number}.
Arguments spike_factor {Number}. Arguments carry_factor {Number}. Arguments reset_factor {Number}.

(* A run of the course's neuron: u^{t+1} = u^t f(o^t) + x^{t+1} + b. *)
Definition run_of_the_course {Number} `{Numbers Number} T N neurons u o w h f f' loss
  : Run Number := {|
  T := T; N := N; neurons := neurons;
  o := o; w := w; loss := loss;
  spike_factor t n i := h (u t n i);
  carry_factor t n i := f (o t n i);
  reset_factor t n i := u t n i ⊗ f' (o t n i)
|}.

Section Network.
Context {Number : Type} `{Numbers Number}.
Variable net : Run Number.

Definition leaving v := match v with
  | U t n i => spike t n i :: (if t <? T net then [carry t n i] else [])
  | Spike t n i => (if n <? N net then map (weight t n i) (neurons net (S n)) else [])
                   ++ (if t <? T net then [reset t n i] else [])
  | W n i j => map (entry n i j) (seq 1 (T net))
  | B n i => map (offset n i) (seq 1 (T net))
  end.

Definition factor a := match a with
  | spike t n i => spike_factor net t n i
  | carry t n i => carry_factor net t n i
  | reset t n i => reset_factor net t n i
  | weight t n i j => w net (S n) j i
  | entry n i j t => o net t (pred n) j
  | offset n i t => one
  end.

(* The loss reads the spikes of the output layer. *)
Definition direct v := match v with
  | Spike t n i => if n =? N net then loss net t i else zero
  | _ => zero
  end.

(* Each arrow leads to a later step, or to a higher layer, or from a potential to its spike. *)
Definition place t n := (T net - t) * S (N net) + (N net - n).
Definition rank v := match v with
  | U t n _ => S (2 * place t n)
  | Spike t n _ => 2 * place t n
  | W _ _ _ | B _ _ => 2 * (T net * S (N net) + N net) + 2
  end.

Lemma falls : forall v a, In a (leaving v) -> rank (head a) < rank v.
Proof.
  assert (later : forall t n, t < T net -> place (S t) n + S (N net) = place t n).
  { intros. unfold place. replace (T net - t) with (S (T net - S t)) by lia. simpl. lia. }
  assert (most : forall t n, 1 <= t -> place t n <= T net * S (N net) + N net).
  { intros. unfold place.
    assert ((T net - t) * S (N net) <= T net * S (N net)) by (apply Nat.mul_le_mono_r; lia). lia. }
  intros [t n i | t n i | n i j | n i] a out; simpl in out.
  - destruct out as [<- | out]; simpl; [lia |].
    destruct (t <? T net) eqn:before; [| contradiction]. apply Nat.ltb_lt in before.
    destruct out as [<- | []]. cbn [head rank]. specialize (later t n before). lia.
  - apply in_app_or in out as [out | out].
    + destruct (n <? N net) eqn:below; [| contradiction]. apply Nat.ltb_lt in below.
      apply in_map_iff in out as (j & <- & _). cbn [head rank]. unfold place. lia.
    + destruct (t <? T net) eqn:before; [| contradiction]. apply Nat.ltb_lt in before.
      destruct out as [<- | []]. cbn [head rank]. specialize (later t n before). lia.
  - apply in_map_iff in out as (t & <- & within). apply in_seq in within.
    cbn [head rank]. specialize (most t n ltac:(lia)). lia.
  - apply in_map_iff in out as (t & <- & within). apply in_seq in within.
    cbn [head rank]. specialize (most t n ltac:(lia)). lia.
Qed.

(* What a rule makes of a node: the recursion of recursion.v on this network. *)
Context {State : Type}.
Variable move : State -> Arrow -> option State.

Definition plain {A} (_ : A) a := factor a.
Definition d := error leaving head direct move plain always rank.

Lemma one_step : forall v q,
  d v q = Σ (leaving v) (term head move plain d q) ⊕ direct v.
Proof. intros. apply one_term_for_each_arrow, falls. Qed.
End Network.

(* The exact rule has one state and allows every arrow. *)
Definition allows_all (_ : unit) (_ : Arrow) := Some tt.

(* Take one step of the recursion, and sort out which arrows leave: at the last step none leads to a
   later one, in the output layer none leads up. *)
Ltac decide_where :=
  repeat match goal with
  | |- context [?a <? ?b] => first
      [ replace (a <? b) with true by (symmetry; apply Nat.ltb_lt; assumption)
      | replace (a <? b) with false by (symmetry; apply Nat.ltb_irrefl) ]
  | |- context [?a =? ?b] => first
      [ replace (a =? b) with true by (symmetry; apply Nat.eqb_refl)
      | replace (a =? b) with false by (symmetry; apply Nat.eqb_neq, Nat.lt_neq; assumption) ]
  end.

Ltac arrows_that_leave :=
  intros; rewrite one_step; cbn [leaving direct]; decide_where;
  unfold Σ, term; rewrite ?map_app, ?map_map, ?sum_app; unfold sum; cbn [app map fold_right];
  rewrite ?zero_plus, ?plus_zero.
