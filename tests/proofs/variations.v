(* What changes when the neuron or the loss changes, and why ε is passed back.

   The graph stays as it is, so the recursion does; only factors change. *)

Require Import List Lia PeanoNat.
Import ListNotations.
Require Import recursion network.

Section SoftReset.
Context {Number : Type} `{Numbers Number}.
Variables T N : nat.
Variable neurons : nat -> list nat.
Variables u o : nat -> nat -> nat -> Number.
Variable w : nat -> nat -> nat -> Number.
Variable h : Number -> Number.
Variables τ minus_v_th : Number.
Variable loss : nat -> nat -> Number.

(* Reset by subtraction: u^{t+1} = τ u^t + x^{t+1} + b - v_th o^t. *)
Definition soft : Run Number := {|
  network.T := T; network.N := N; network.neurons := neurons;
  network.o := o; network.w := w; network.loss := loss;
  spike_factor t n i := h (u t n i);
  carry_factor t n i := τ;
  reset_factor t n i := minus_v_th
|}.

Definition δ t n i := d soft allows_all (Spike t n i) tt.
Definition ε t n i := d soft allows_all (U t n i) tt.

Ltac read_off := intros; unfold δ, ε; arrows_that_leave; reflexivity.

Theorem p2_soft_delta : forall t n i, t < T -> n < N ->
  δ t n i = Σ (neurons (S n)) (fun j => w (S n) j i ⊗ ε t (S n) j) ⊕ minus_v_th ⊗ ε (S t) n i.
Proof. read_off. Qed.

Theorem p2_soft_delta_output : forall t i, t < T ->
  δ t N i = minus_v_th ⊗ ε (S t) N i ⊕ loss t i.
Proof. read_off. Qed.

Theorem p2_soft_epsilon : forall t n i, t < T ->
  ε t n i = h (u t n i) ⊗ δ t n i ⊕ τ ⊗ ε (S t) n i.
Proof. read_off. Qed.
End SoftReset.

(* A loss that reads only the last k steps has no direct term before them. *)
Section LastSteps.
Context {Number : Type} `{Numbers Number}.
Variable net : Run Number.
Variable k : nat.
Hypothesis reads_the_last_steps : forall t i, t + k <= T net -> loss net t i = zero.

Definition delta t n i := d net allows_all (Spike t n i) tt.
Definition epsilon t n i := d net allows_all (U t n i) tt.

Theorem p2_loss_last : forall t i, t < T net -> t + k <= T net ->
  delta t (N net) i = reset_factor net t (N net) i ⊗ epsilon (S t) (N net) i.
Proof.
  intros t i before unread. unfold delta, epsilon. arrows_that_leave.
  rewrite (reads_the_last_steps t i unread). now rewrite plus_zero.
Qed.
End LastSteps.

(* Why ε, and nothing else, is passed back: if some numbers in its place give the right δ below for
   all weights, they are ε. *)
Section PassedBack.
Context {Number : Type} `{Numbers Number}.

Lemma sum_of_zeros : forall A (terms : list A), Σ terms (fun _ => zero) = zero.
Proof.
  intros A terms. unfold Σ. induction terms as [| a rest IH]; simpl; [reflexivity |].
  rewrite IH. apply zero_plus.
Qed.

Definition only i j := if j =? i then one else zero.

Lemma picked : forall neurons i (value : nat -> Number), NoDup neurons -> In i neurons ->
  Σ neurons (fun j => only i j ⊗ value j) = value i.
Proof.
  intros neurons i value unique within. unfold Σ.
  induction unique as [| j rest fresh unique IH]; [contradiction |].
  simpl. unfold only at 1. destruct (j =? i) eqn:same.
  - apply Nat.eqb_eq in same. subst j. rewrite one_times.
    replace (map _ rest) with (map (fun _ : nat => zero) rest).
    + fold (Σ rest (fun _ : nat => zero)). rewrite sum_of_zeros. apply plus_zero.
    + apply map_ext_in. intros j inside. unfold only.
      replace (j =? i) with false; [now rewrite zero_times |].
      symmetry. apply Nat.eqb_neq. intros ->. contradiction.
  - rewrite zero_times, zero_plus. apply IH. destruct within as [-> | within]; [| assumption].
    now rewrite Nat.eqb_refl in same.
Qed.

Theorem only_epsilon_is_passed_back : forall neurons (epsilon err : nat -> Number),
  NoDup neurons ->
  (forall w : nat -> Number,
     Σ neurons (fun j => w j ⊗ err j) = Σ neurons (fun j => w j ⊗ epsilon j)) ->
  forall i, In i neurons -> err i = epsilon i.
Proof.
  intros neurons epsilon err unique same i within. specialize (same (only i)).
  now rewrite !picked in same by assumption.
Qed.
End PassedBack.
