"""Grade a formula: any form equal to the right-hand side of the equation is right."""

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import Array, brief
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.algebra import Tree
from stbp_edu.practice.grading.formula_parts import Part
from stbp_edu.practice.grading.inlining import filled
from stbp_edu.practice.grading.locate import Locator
from stbp_edu.practice.grading.probe import Probe
from stbp_edu.practice.grading.single_changes import changes, readings
from stbp_edu.practice.tasks import FormulaBlank, Inputs, blanks


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
    if not isinstance(equation_id, str) or equation_id not in known:
        raise ValueError(
            f"equation_id must be one of {', '.join(known)}, got {brief(equation_id)}; choose one"
        )
    feedback = grade(known[equation_id], answer)
    saved_progress.record(feedback.exercise, feedback.state)
    return feedback


def grade(blank: FormulaBlank, answer: object) -> Feedback:
    """Compare a formula with the right one; where it differs, say what is wrong."""
    try:
        text = "" if answer is None or answer is Ellipsis else str(answer)
    except Exception:  # an object that fails to say what it is, or a number too long to print
        kind = type(answer).__name__
        return Feedback(blank.id, "wrong", (f"This {kind} cannot be read: type a formula.",))
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
        sentences = _unnamed(blank, tree)
    return Feedback(blank.id, "wrong", (*sentences, blank.pointer), ids)


def _named(blank: FormulaBlank, tree: Tree) -> dict[str, str]:
    """Return the mistakes that give this formula, by id, each with its sentences."""
    return {
        m.id: str(m)
        for m in blank.mistakes
        if algebra.equal(tree, algebra.parse(m.body, blank.symbols), blank)
    }


def _unnamed(blank: FormulaBlank, tree: Tree) -> list[str]:
    """Return what can be said where no named misconception fits."""
    if not algebra.has_a_value(tree, blank):
        return ["It has no value: it takes a root of a negative number, or divides by zero."]
    right = algebra.parse(blank.solution, blank.symbols)
    factor = algebra.ratio(tree, right, blank)
    if math.isfinite(factor) and not math.isclose(factor, 1):
        return [f"Right but for a factor: your formula is {factor:.4g} times the right one."]
    fits = [
        words
        for words, changed, _ in changes(right, blank.symbols)
        if _is_formula(changed, blank) and algebra.equal(tree, changed, blank)
    ]
    if fits:
        return [f"It is what you get {readings(fits)}."]
    with np.errstate(all="ignore"):
        found = [finding.text for finding in _locator(blank, tree).findings()]
    return found or ["It differs from the right formula in more than one place."]


def _is_formula(tree: Tree, blank: FormulaBlank) -> bool:
    """Return whether a changed formula is one that could have been typed."""
    try:
        algebra.parse(ast.unparse(tree), blank.symbols)
    except ValueError:
        return False
    return True


def _locator(blank: FormulaBlank, tree: Tree) -> Locator:
    """Return what locates a mistake: the formulas become functions of the symbols that they use."""
    relations = {s: algebra.parse(f, blank.symbols) for s, f in blank.relations.items()}
    answer = Part(filled(tree, relations))
    right = Part(filled(algebra.parse(blank.solution, blank.symbols), relations))
    names = [s for s in blank.symbols if s in answer.names | right.names]

    def asked(part: Part) -> Callable[[Sequence[Any]], list[Array] | None]:
        def ask(values: Sequence[Any]) -> list[Array] | None:
            point = dict(zip(names, values, strict=True))
            try:
                return [np.array(algebra.evaluate(part.node, point, algebra.FUNCTIONS))]
            except (ArithmeticError, ValueError, TypeError, StopIteration):
                return None

        return ask

    points = algebra.points(blank)
    inputs = [Inputs(tuple(point[name] for name in names), "") for point in points]
    return Locator(Probe(names, asked(answer), asked(right), inputs), formula=right)
