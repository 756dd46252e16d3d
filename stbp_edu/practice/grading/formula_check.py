"""Grade a formula: any form equal to the right-hand side of the equation is right."""

import ast
import math

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.algebra import Tree
from stbp_edu.practice.grading.unnamed_mistakes import changes
from stbp_edu.practice.tasks import FormulaBlank, blanks


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
    if algebra.equal(tree, algebra.parse(blank.solution, blank.symbols), blank):
        message = f"It equals the right-hand side of ({blank.equation})."
        return Feedback(blank.id, "right", (message,))
    ids: tuple[str, ...] = ()
    if named := _named(blank, tree):
        ids, sentences = tuple(named), [*named.values()]
    elif named := _named(blank, ast.UnaryOp(ast.USub(), tree)):
        ids = (*named, "sign")
        sentences = [*named.values(), "And the sign is turned round besides."]
    else:
        sentences = [_unnamed(blank, tree)]
    return Feedback(blank.id, "wrong", (*sentences, blank.pointer), ids)


def _named(blank: FormulaBlank, tree: Tree) -> dict[str, str]:
    """Return the mistakes that give this formula, by id, each with its sentences."""
    return {
        m.id: str(m)
        for m in blank.mistakes
        if algebra.equal(tree, algebra.parse(m.body, blank.symbols), blank)
    }


def _unnamed(blank: FormulaBlank, tree: Tree) -> str:
    """Return what can be said where no named misconception fits."""
    right = algebra.parse(blank.solution, blank.symbols)
    factor = algebra.ratio(tree, right, blank)
    if math.isfinite(factor) and not math.isclose(factor, 1):
        return f"Right but for a factor: your formula is {factor:.4g} times the right one."
    for description, changed in changes(right, blank.symbols):
        if algebra.equal(tree, changed, blank):
            return f"It is what you get {description}."
    return "No single change of the right formula gives yours: compare them term by term."
