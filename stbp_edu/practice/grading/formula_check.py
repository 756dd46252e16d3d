"""Grade a formula: any form equal to the right-hand side of the equation is right."""

import ast
import math
from functools import cache

from stbp_edu.practice import saved_progress
from stbp_edu.practice.exercises import FormulaBlank, blanks, pointer
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.algebra import Tree
from stbp_edu.practice.grading.single_changes import changes


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
    known = blanks()
    if equation_id not in known:
        raise ValueError(
            f"equation_id must be one of {', '.join(known)}, got {equation_id!r}; choose one"
        )
    feedback = grade(known[equation_id], answer)
    saved_progress.record(feedback.exercise, feedback.state)
    return feedback


def grade(blank: FormulaBlank, answer: object) -> Feedback:
    """Compare a formula with the right one; where it differs, say what is wrong."""
    text = "" if answer is None or answer is Ellipsis else str(answer)
    if text.strip() in ("", "..."):
        symbols = algebra.listed(blank.symbols)
        lines = f"Type a formula. The symbols: {symbols}.", f'`hint("{blank.id}")` helps.'
        return Feedback(blank.id, "todo", lines)
    try:
        tree = algebra.parse(text, blank.symbols)
    except ValueError as error:
        return Feedback(blank.id, "wrong", (str(error),))
    if _equals(blank, tree, blank.answer):
        message = f"It equals the right-hand side of ({blank.equation})."
        return Feedback(blank.id, "right", (message,))
    ids, sentences = _diagnose(blank, tree)
    where = pointer(blank.id, blank.notebook, blank.section, blank.equation)
    return Feedback(blank.id, "wrong", (*sentences, where), ids)


@cache
def _relations(equation: str) -> dict[str, Tree]:
    """Return the formulas of the symbols that are made of others."""
    blank = blanks()[equation]
    return {symbol: algebra.parse(f, blank.symbols) for symbol, f in blank.relations.items()}


def _equals(blank: FormulaBlank, tree: Tree, formula: str) -> bool:
    """Return whether an answer equals a formula."""
    other = algebra.parse(formula, blank.symbols)
    return algebra.equal(tree, other, blank.symbols, _relations(blank.equation))


def _diagnose(blank: FormulaBlank, tree: Tree) -> tuple[tuple[str, ...], list[str]]:
    """Return ids and sentences of the mistakes that give this formula, or its negative."""
    minus = ast.UnaryOp(ast.USub(), tree)
    for form, more, besides in (
        (tree, (), []),
        (minus, ("sign",), ["And the sign is turned round besides."]),
    ):
        named = {m.misconception.id: m for m in blank.mistakes if _equals(blank, form, m.body)}
        if named:
            return (*named, *more), [*map(str, named.values()), *besides]
    return (), [_unnamed(blank, tree)]


def _unnamed(blank: FormulaBlank, tree: Tree) -> str:
    """Return what can be said where no named misconception fits."""
    right, relations = algebra.parse(blank.answer, blank.symbols), _relations(blank.equation)
    factor = algebra.ratio(tree, right, blank.symbols, relations)
    if math.isfinite(factor):
        return f"Right but for a factor: your formula is {factor:.4g} times the right one."
    for description, changed in changes(right, blank.symbols):
        if algebra.equal(tree, changed, blank.symbols, relations):
            return f"It is what you get {description}."
    return "No single change of the right formula gives yours: compare them term by term."
