(* The five cases: δ and ε of every node, and the gradients of weights and biases.

   Each theorem bears the id of its equation. All of them are the one recursion of recursion.v, read
   off at one kind of node. The neuron is the course's: u^{t+1} = u^t f(o^t) + x^{t+1} + b. *)

Require Import List Lia PeanoNat.
Import ListNotations.
Require Import recursion network.

Section FiveCases.
Context {Number : Type} `{Numbers Number}.
Variables T N : nat.
Variable neurons : nat -> list nat.
Variables u o : nat -> nat -> nat -> Number.
Variable w : nat -> nat -> nat -> Number.
Variables h f f' : Number -> Number.     (* surrogate, forget gate, derivative of the gate *)
Variable loss : nat -> nat -> Number.    (* ∂L/∂o_i^{t,N} *)

Definition net := run_of_the_course T N neurons u o w h f f' loss.

Definition derivative v := d net allows_all v tt.
Definition δ t n i := derivative (Spike t n i).
Definition ε t n i := derivative (U t n i).

Ltac read_off := intros; unfold δ, ε, derivative; arrows_that_leave; reflexivity.

(* Case 1: t = T, n = N *)
Theorem c1_delta : forall i,
  δ T N i = loss T i.
Proof. read_off. Qed.

Theorem c1_epsilon : forall i,
  ε T N i = h (u T N i) ⊗ δ T N i.
Proof. read_off. Qed.

(* Case 2: t = T, n < N *)
Theorem c2_delta : forall n i, n < N ->
  δ T n i = Σ (neurons (S n)) (fun j => w (S n) j i ⊗ ε T (S n) j).
Proof. read_off. Qed.

Theorem c2_epsilon : forall n i, n < N ->
  ε T n i = h (u T n i) ⊗ δ T n i.
Proof. read_off. Qed.

(* Case 3: t < T, n = N *)
Theorem c3_delta : forall t i, t < T ->
  δ t N i = u t N i ⊗ f' (o t N i) ⊗ ε (S t) N i ⊕ loss t i.
Proof. read_off. Qed.

Theorem c3_epsilon : forall t i, t < T ->
  ε t N i = h (u t N i) ⊗ δ t N i ⊕ f (o t N i) ⊗ ε (S t) N i.
Proof. read_off. Qed.

(* Case 4: t < T, n < N *)
Theorem c4_delta : forall t n i, t < T -> n < N ->
  δ t n i = Σ (neurons (S n)) (fun j => w (S n) j i ⊗ ε t (S n) j)
            ⊕ u t n i ⊗ f' (o t n i) ⊗ ε (S t) n i.
Proof. read_off. Qed.

Theorem c4_epsilon : forall t n i, t < T -> n < N ->
  ε t n i = h (u t n i) ⊗ δ t n i ⊕ f (o t n i) ⊗ ε (S t) n i.
Proof. read_off. Qed.

(* Case 5: the parameters, at all steps *)
Theorem c5_w : forall n i j,
  derivative (W n i j) = Σ (seq 1 T) (fun t => o t (pred n) j ⊗ ε t n i).
Proof. read_off. Qed.

Theorem c5_b : forall n i,
  derivative (B n i) = Σ (seq 1 T) (fun t => ε t n i).
Proof.
  intros. unfold ε, derivative. arrows_that_leave.
  f_equal. apply map_ext. intros. apply one_times.
Qed.
End FiveCases.
