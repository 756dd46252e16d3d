"""Derivation blanks: the answer is a formula, and any equal form of it is right."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from stbp_edu.practice import progress
from stbp_edu.practice.exercises.course import CONTENT, pointer, read, section
from stbp_edu.practice.exercises.mistakes import Mistake, mistakes
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.algebra import Tree
from stbp_edu.practice.grading.mutants import changes

SUFFIX = "-formula"


@dataclass(frozen=True)
class Formula:
    """One derivation blank.

    Attributes:
        id: what progress and hints call it: the equation's id and ``-formula``.
        equation: the equation's id.
        title: what is asked for.
        notebook: number of the notebook that derives it.
        section: the heading there.
        symbols: what may stand in the answer, with the meaning.
        relations: symbols that are made of others.
        answer: a right answer.
        reasoning: why it is right.
        hints: from the gentlest to the plainest.
        mistakes: wrong answers that have a name.
    """

    id: str
    equation: str
    title: str
    notebook: int
    section: str
    symbols: dict[str, str]
    relations: dict[str, Tree]
    answer: str
    reasoning: str
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]

    def equals(self, a: Tree, b: str) -> bool:
        """Whether two answers are equal."""
        return algebra.equal(a, algebra.parse(b, self.symbols), self.symbols, self.relations)


@cache
def formulas() -> dict[str, Formula]:
    """Return every derivation blank by its equation's id."""
    return {id_: _formula(id_, entry) for id_, entry in read(CONTENT / "formulas.toml").items()}


def _formula(id_: str, entry: dict[str, Any]) -> Formula:
    """Build one from its table."""
    symbols = entry["symbols"]
    relations = {k: algebra.parse(v, symbols) for k, v in entry.get("relations", {}).items()}
    rest = {k: entry[k] for k in ("title", "notebook", "symbols", "answer", "reasoning")}
    return Formula(
        id=id_ + SUFFIX,
        equation=id_,
        section=section(id_),
        relations=relations,
        hints=tuple(entry["hints"]),
        mistakes=mistakes(entry, entry["answer"]),
        **rest,
    )


def check_formula(equation_id: str, answer: object) -> Feedback:
    """Say whether ``answer`` is the formula that the equation's right-hand side asks for.

    Args:
        equation_id: id of the equation, such as ``"c3-delta"``.
        answer: the formula as text (``"delta_T + eps_next * u * df"``), or a SymPy expression.

    Raises:
        ValueError: if there is no such blank.

    >>> check_formula("c3-delta", "df * u * eps_next + delta_T").right
    True
    >>> check_formula("c3-delta", "delta_T + delta_next * h_next * u * df").mistakes
    ('classic',)
    """
    known = formulas()
    if equation_id not in known:
        raise ValueError(
            f"equation_id must be one of {', '.join(known)}, got {equation_id!r}; choose one"
        )
    feedback = _judge(known[equation_id], answer)
    progress.record(feedback.exercise, feedback.state)
    return feedback


def _judge(formula: Formula, answer: object) -> Feedback:
    """Compare with the right formula and, where it differs, look for what is wrong."""
    name = formula.id
    text = "" if answer is None or answer is Ellipsis else str(answer)
    if text.strip() in ("", "..."):
        known = algebra.listed(formula.symbols)
        words = f"Type a formula. The symbols: {known}.", f'`hint("{name}")` helps.'
        return Feedback(name, "todo", words)
    try:
        tree = algebra.parse(text, formula.symbols)
    except ValueError as error:
        return Feedback(name, "wrong", (str(error),))
    if formula.equals(tree, formula.answer):
        return Feedback(name, "right", (f"It equals the right-hand side of ({formula.equation}).",))
    ids, found = _found(formula, tree)
    return Feedback(name, "wrong", (*found, pointer(formula, formula.equation)), ids)


def _found(formula: Formula, tree: Tree) -> tuple[tuple[str, ...], list[str]]:
    """Return the ids and words of the mistakes that give this formula, or this formula's minus."""
    minus = ast.UnaryOp(ast.USub(), tree)
    for form, more, besides in (
        (tree, (), []),
        (minus, ("sign",), ["And the sign is turned round besides."]),
    ):
        named = {m.misconception.id: m for m in formula.mistakes if formula.equals(form, m.body)}
        if named:
            return (*named, *more), [*map(str, named.values()), *besides]
    return (), _unnamed(formula, tree)


def _unnamed(formula: Formula, tree: Tree) -> list[str]:
    """Say what can be said where no named misconception fits."""
    right = algebra.parse(formula.answer, formula.symbols)
    factor = algebra.ratio(tree, right, formula.symbols, formula.relations)
    if math.isfinite(factor):
        return [f"Right but for a factor: your formula is {factor:.4g} times the right one."]
    for words, changed in changes(right, list(formula.symbols)):
        if algebra.equal(tree, changed, formula.symbols, formula.relations):
            return [f"It is what you get {words}."]
    return ["No single change of the right formula gives yours: compare them term by term."]
