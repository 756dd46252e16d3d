(* The classic rule: an automaton of two states, its formulas, and the paths that it lacks.

   An error that has entered a potential from a spike is in state [must_spike]: it may leave that
   potential only by the neuron's own spike. Everything else is allowed. From this one sentence
   follow the formulas that the notes print, and what they lack. *)

Require Import List Lia PeanoNat.
Import ListNotations.
Require Import recursion network.

Inductive State := free | must_spike.

Definition move q a := match q, a with
  | must_spike, carry _ _ _ => None
  | free, carry _ _ _ => Some free
  | _, (spike _ _ _ | reset _ _ _ | weight _ _ _ _) => Some must_spike
  | _, (entry _ _ _ _ | offset _ _ _) => Some free
  end.

Section Classic.
Context {Number : Type} `{Numbers Number}.
Variables T N : nat.
Variable neurons : nat -> list nat.
Variables u o : nat -> nat -> nat -> Number.
Variable w : nat -> nat -> nat -> Number.
Variables h f f' : Number -> Number.
Variable loss : nat -> nat -> Number.

Definition net := run_of_the_course T N neurons u o w h f f' loss.

Definition δ t n i := d net move (Spike t n i) must_spike.
Definition err t n i := d net move (U t n i) must_spike.   (* the error that is passed back *)
Definition ε t n i := d net move (U t n i) free.           (* the error that the parameters get *)

Ltac read_off := intros; unfold δ, ε, err; arrows_that_leave; reflexivity.

Theorem err_classic : forall t n i,
  err t n i = h (u t n i) ⊗ δ t n i.
Proof.
  intros. unfold δ, err. arrows_that_leave.
  destruct (t <? network.T net); cbn; now rewrite ?zero_plus, ?plus_zero.
Qed.

Theorem c1_delta : forall i,
  δ T N i = loss T i.
Proof. read_off. Qed.

Theorem c2_delta_classic : forall n i, n < N ->
  δ T n i = Σ (neurons (S n)) (fun j => w (S n) j i ⊗ err T (S n) j).
Proof. read_off. Qed.

Theorem c3_delta_classic : forall t i, t < T ->
  δ t N i = u t N i ⊗ f' (o t N i) ⊗ err (S t) N i ⊕ loss t i.
Proof. read_off. Qed.

Theorem c3_epsilon : forall t i, t < T ->
  ε t N i = h (u t N i) ⊗ δ t N i ⊕ f (o t N i) ⊗ ε (S t) N i.
Proof. read_off. Qed.

Theorem c4_delta_classic : forall t n i, t < T -> n < N ->
  δ t n i = Σ (neurons (S n)) (fun j => w (S n) j i ⊗ err t (S n) j)
            ⊕ u t n i ⊗ f' (o t n i) ⊗ err (S t) n i.
Proof. read_off. Qed.

Theorem c4_epsilon : forall t n i, t < T -> n < N ->
  ε t n i = h (u t n i) ⊗ δ t n i ⊕ f (o t n i) ⊗ ε (S t) n i.
Proof. read_off. Qed.

Theorem c5_w : forall n i j,
  d net move (W n i j) free = Σ (seq 1 T) (fun t => o t (pred n) j ⊗ ε t n i).
Proof. read_off. Qed.

(* What is passed back lacks, at each step before the last, the error of the next potential. *)
Theorem err_lacks_the_carry : forall t n i, t < T ->
  ε t n i = err t n i ⊕ f (o t n i) ⊗ ε (S t) n i.
Proof.
  intros. rewrite err_classic. unfold δ, ε. arrows_that_leave. reflexivity.
Qed.

(* The rule drops a path exactly where it enters a potential from a spike and then carries on. *)
Theorem dropped_at : forall arrows t n i,
  accepts move always must_spike (carry t n i :: arrows) = false.
Proof. reflexivity. Qed.

Fixpoint carries_after_entering (entered : bool) arrows := match arrows with
  | [] => false
  | carry _ _ _ :: rest => entered || carries_after_entering entered rest
  | (spike _ _ _ | reset _ _ _ | weight _ _ _ _) :: rest => carries_after_entering true rest
  | (entry _ _ _ _ | offset _ _ _) :: rest => carries_after_entering false rest
  end%bool.

Theorem language_of_the_classic_rule : forall arrows q,
  accepts move always q arrows
  = negb (carries_after_entering (match q with free => false | must_spike => true end) arrows).
Proof.
  induction arrows as [| a rest IH]; intros q; [reflexivity |].
  destruct q, a; simpl; try apply (IH free); try apply (IH must_spike); reflexivity.
Qed.

(* The exact error is the classic one plus the paths that the classic rule drops. *)
Hypothesis plus_comm : forall a b, a ⊕ b = b ⊕ a.
Theorem exact_is_classic_plus_dropped : forall v q,
  d net allows_all v tt
  = d net move v q
    ⊕ dropped (direct net) (factor net) move q (paths (leaving net) head (rank net v) v).
Proof. intros. apply (exact_is_kept_plus_dropped plus_comm). Qed.
End Classic.
