"""Grade a formula: any form equal to the right-hand side of the equation is right."""

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import brief
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.algebra import Tree
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.diagnosis import wrong_terms
from stbp_edu.practice.grading.search import Answer, Finding, single_mistake
from stbp_edu.practice.grading.values import Outcome, plain
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
    saved_progress.record(feedback.exercise, feedback.state, feedback.mistakes)
    return feedback


def grade(blank: FormulaBlank, answer: object) -> Feedback:
    """Compare a formula with the right one; where it differs, say what is wrong."""
    try:
        text = "" if answer is None or answer is Ellipsis else str(answer)
    except BaseException:  # an object that fails to say what it is, or a number too long to print
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
    named = _named(blank, tree)
    found: list[Finding] = []
    sentences = [*named.values()]
    if not named and (named := _named(blank, ast.UnaryOp(ast.USub(), tree))):
        sentences = [*named.values(), "And the sign is turned round besides."]
        named["sign"] = ""
    if not named:
        found = _unnamed(blank, tree)
        sentences = [f.text for f in found if f.text]
        sentences = sentences or ["It differs from the right formula in more than one place."]
    said = (*sentences, blank.pointer)
    return Feedback(blank.id, "wrong", said, tuple(named), findings=tuple(found))


def _named(blank: FormulaBlank, tree: Tree) -> dict[str, str]:
    """Return the mistakes that give this formula, by id, each with its sentences."""
    return {
        m.id: str(m)
        for m in blank.mistakes
        if algebra.equal(tree, algebra.parse(m.body, blank.symbols), blank)
    }


def _unnamed(blank: FormulaBlank, tree: Tree) -> list[Finding]:
    """Return what can be said where no named misconception fits."""
    if not algebra.has_a_value(tree, blank):
        text = (
            "It has no value: it takes a root of a negative number, divides by zero, or overflows."
        )
        return [Finding("no-value", "", text)]
    right = algebra.parse(blank.solution, blank.symbols)
    names = algebra.free_symbols(blank, tree, right)
    texts = [algebra.source(t, blank, names) for t in (tree, right)]
    yours, exact = map(algebra.function, texts)

    def ask(args: Sequence[Any], like: float = 0.0) -> Outcome:
        return tried(yours, args, like)

    inputs = [Inputs(tuple(point[name] for name in names), "") for point in algebra.points(blank)]
    got, likes = [ask(i.args) for i in inputs], [exact(*i.args) for i in inputs]
    if not all(isinstance(o, tuple) and np.isfinite(o).all() for o in got):  # type: ignore[arg-type]
        return []
    answer = Answer(texts[1], names, inputs, got, [plain(x, x) for x in likes], likes)
    with np.errstate(all="ignore"):
        return single_mistake(answer) or wrong_terms(answer, ask)
