(* One recursion for every network and every learning rule.

   A network unrolled in time is nodes with arrows between them. [adjoint] is the recursion of the
   course: one term for each arrow that leaves a node, the arrow's factor times the adjoint at its
   head. A learning rule is an automaton that reads the arrows of a path, allows or forbids each, and
   may change its factor. Two theorems hold for all of them:

   - the recursion is the sum, over the paths that the rule keeps, of the products of the factors;
   - if no arrow leads back to where it came from, the recursion may be run backward, node by node.

   Nothing here says that a factor is a derivative, and numbers here are not floating-point numbers:
   they only have to obey the laws in [Numbers]. *)

Require Import List Lia.
Import ListNotations.

(* Real numbers obey these laws; so do polynomials, and matrices of one size. *)
Class Numbers (Number : Type) := {
  plus : Number -> Number -> Number;
  times : Number -> Number -> Number;
  zero : Number;
  one : Number;
  plus_assoc : forall a b c, plus a (plus b c) = plus (plus a b) c;
  zero_plus : forall a, plus zero a = a;
  plus_zero : forall a, plus a zero = a;
  distributes : forall a b c, times a (plus b c) = plus (times a b) (times a c);
  times_zero : forall a, times a zero = zero;
  zero_times : forall a, times zero a = zero;
  one_times : forall a, times one a = a
}.
Infix "⊕" := plus (at level 50, left associativity).
Infix "⊗" := times (at level 40, left associativity).

Definition sum {Number} `{Numbers Number} : list Number -> Number := fold_right plus zero.

(* Σ terms of: one summand for each of the terms. *)
Definition Σ {Number} `{Numbers Number} {A} (terms : list A) (of : A -> Number) : Number :=
  sum (map of terms).

Lemma sum_app {Number} `{Numbers Number} : forall xs ys, sum (xs ++ ys) = sum xs ⊕ sum ys.
Proof.
  induction xs; intros; simpl; [now rewrite zero_plus |].
  now rewrite IHxs, plus_assoc.
Qed.

Section Recursion.
Context {Number : Type} `{Numbers Number}.

(* The network: the arrows that leave a node, the node at the head of each, and what the loss reads
   of a node directly: its derivative with every other node held fixed. *)
Context {Node Arrow : Type}.
Variable leaving : Node -> list Arrow.
Variable head : Arrow -> Node.
Variable direct : Node -> Number.

(* The rule: the state to which an arrow moves it, if the arrow is allowed; the factor that it uses
   on the arrow; and whether a path may end in a state. *)
Context {State : Type}.
Variable move : State -> Arrow -> option State.
Variable factor : State -> Arrow -> Number.
Variable ends : State -> bool.

Definition readout v q := if ends q then direct v else zero.

(* The term of one arrow: its factor times the adjoint at its head, if the rule allows it. *)
Definition term (adjoint : Node -> State -> Number) q a :=
  match move q a with
  | Some r => factor q a ⊗ adjoint (head a) r
  | None => zero
  end.

(* The recursion, cut off after so many arrows. *)
Fixpoint adjoint steps v q :=
  match steps with
  | O => readout v q
  | S fewer => Σ (leaving v) (term (adjoint fewer) q) ⊕ readout v q
  end.

(* Paths of at most so many arrows: the arrows, and the node from which the loss reads. *)
Definition Path : Type := list Arrow * Node.
Definition after a (p : Path) : Path := (a :: fst p, snd p).

Fixpoint paths steps v : list Path :=
  match steps with
  | O => [([], v)]
  | S fewer => flat_map (fun a => map (after a) (paths fewer (head a))) (leaving v) ++ [([], v)]
  end.

(* The language of the rule: the words of arrows that it accepts. *)
Fixpoint accepts q arrows :=
  match arrows with
  | [] => ends q
  | a :: rest => match move q a with Some r => accepts r rest | None => false end
  end.

Fixpoint product q arrows v :=
  match arrows with
  | [] => direct v
  | a :: rest => match move q a with Some r => factor q a ⊗ product r rest v | None => zero end
  end.

Definition keeps q (p : Path) := accepts q (fst p).
Definition contribution q (p : Path) := product q (fst p) (snd p).
Definition total q (ps : list Path) := Σ (filter (keeps q) ps) (contribution q).

Lemma total_app : forall q ps rs, total q (ps ++ rs) = total q ps ⊕ total q rs.
Proof. intros. unfold total, Σ. now rewrite filter_app, map_app, sum_app. Qed.

Lemma total_end : forall q v, total q [([], v)] = readout v q.
Proof.
  intros. unfold total, Σ, readout, keeps, contribution. simpl.
  destruct (ends q); [apply plus_zero | reflexivity].
Qed.

Lemma total_after : forall q a ps,
  total q (map (after a) ps)
  = match move q a with Some r => factor q a ⊗ total r ps | None => zero end.
Proof.
  intros q a ps. unfold total, Σ, keeps, contribution.
  destruct (move q a) as [r |] eqn:allowed; induction ps as [| p ps IH]; simpl;
    rewrite ?allowed; try reflexivity; try assumption.
  - now rewrite times_zero.
  - destruct (accepts r (fst p)); simpl; [| assumption].
    now rewrite allowed, distributes, IH.
Qed.

(* A rule's recursion is the sum over the paths that it keeps, and over no others. *)
Theorem recursion_is_the_sum_over_kept_paths : forall steps v q,
  adjoint steps v q = total q (paths steps v).
Proof.
  induction steps as [| steps IH]; intros; simpl; [now rewrite total_end |].
  rewrite total_app, total_end. f_equal. unfold Σ.
  induction (leaving v) as [| a rest IHrest]; simpl; [reflexivity |].
  rewrite total_app, total_after, IHrest. unfold term.
  destruct (move q a); [now rewrite IH | reflexivity].
Qed.

(* In an unrolled network each arrow leads down in some rank, so there is no circle. *)
Variable rank : Node -> nat.
Hypothesis falls : forall v a, In a (leaving v) -> rank (head a) < rank v.

Lemma enough : forall k m v q, rank v <= k -> rank v <= m -> adjoint k v q = adjoint m v q.
Proof.
  assert (last : forall v, rank v <= 0 -> leaving v = []).
  { intros v low. destruct (leaving v) as [| a rest] eqn:out; [reflexivity |].
    pose proof (falls v a) as lower. rewrite out in lower. specialize (lower (or_introl eq_refl)).
    lia. }
  induction k as [| k IH]; intros m v q low low'; destruct m as [| m]; simpl; unfold Σ;
    try (rewrite last by assumption; simpl; now rewrite zero_plus); try reflexivity.
  f_equal. f_equal. apply map_ext_in. intros a out. unfold term.
  destruct (move q a); [| reflexivity].
  f_equal. pose proof (falls v a out). apply IH; lia.
Qed.

(* The adjoint itself: with as many arrows as any path has. *)
Definition error v q := adjoint (rank v) v q.

Theorem one_term_for_each_arrow : forall v q,
  error v q = Σ (leaving v) (term error q) ⊕ readout v q.
Proof.
  intros v q. unfold error at 1. rewrite (enough _ (S (rank v))) by lia. simpl.
  f_equal. unfold Σ. f_equal. apply map_ext_in. intros a out. unfold term.
  destruct (move q a); [| reflexivity].
  f_equal. pose proof (falls v a out). apply enough; lia.
Qed.

End Recursion.

(* Two rules that use the same factors, one of which forbids some arrows: the other's error has the
   paths that the first keeps, and those that it drops. *)
Section Dropped.
Context {Number : Type} `{Numbers Number}.
Hypothesis plus_comm : forall a b, a ⊕ b = b ⊕ a.
Context {Node Arrow State : Type}.
Variable leaving : Node -> list Arrow.
Variable head : Arrow -> Node.
Variable direct : Node -> Number.
Variable factor : Arrow -> Number.
Variable move : State -> Arrow -> option State.

Definition always {A} (_ : A) := true.
Definition allows_all (_ : unit) (_ : Arrow) := Some tt.
Definition plain {A} (_ : A) a := factor a.

Notation exact := (adjoint leaving head direct allows_all plain always).
Notation rule := (adjoint leaving head direct move plain always).
Notation value := (contribution direct allows_all plain tt).
Notation kept := (keeps move always).

Definition dropped q (ps : list (@Path Node Arrow)) :=
  Σ (filter (fun p => negb (kept q p)) ps) value.

Lemma exact_keeps_every_path : forall p : @Path Node Arrow, keeps allows_all always tt p = true.
Proof. intros [arrows v]. unfold keeps. simpl. induction arrows; auto. Qed.

Lemma same_value : forall arrows v q, accepts move always q arrows = true ->
  product direct move plain q arrows v = product direct allows_all plain tt arrows v.
Proof.
  induction arrows as [| a rest IH]; intros v q ok; simpl in *; [reflexivity |].
  destruct (move q a); [| discriminate]. now rewrite (IH v s ok).
Qed.

Theorem exact_is_kept_plus_dropped : forall steps v q,
  exact steps v tt = rule steps v q ⊕ dropped q (paths leaving head steps v).
Proof.
  intros. rewrite !recursion_is_the_sum_over_kept_paths.
  induction (paths leaving head steps v) as [| p ps IH].
  - unfold total, dropped, Σ. simpl. now rewrite zero_plus.
  - unfold total, dropped, Σ in *. simpl. rewrite exact_keeps_every_path. simpl. rewrite IH.
    destruct (kept q p) eqn:ok; simpl.
    + unfold contribution, keeps in *. rewrite (same_value _ _ _ ok). apply plus_assoc.
    + rewrite !plus_assoc. f_equal. apply plus_comm.
Qed.
End Dropped.
