"""Grade a formula: any form equal to the right-hand side of the equation is right."""

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import choice
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.algebra import Tree
from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.search import Finding, single_mistake, wrong_terms
from stbp_edu.practice.tasks import FormulaBlank, Inputs, blanks

NO_VALUE = "It has no value: it takes a root of a negative number, divides by zero, or overflows."
SEVERAL = "It differs from the right formula in more than one place."
TINY = "It is right but for what no float shows near 0: a tiny term, or one that turns far from 0."


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
    feedback = grade(blanks()[choice("equation_id", equation_id, blanks())], answer)
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
    right = algebra.parse(blank.solution, blank.symbols)
    if algebra.equal(tree, right, blank):
        message = f"It equals the right-hand side of ({blank.equation})."
        return Feedback(blank.id, "right", (message,))
    named = _named(blank, tree)
    if not named and (named := _named(blank, ast.UnaryOp(ast.USub(), tree))):
        named["sign"] = "And the sign is turned round besides."
    found = [] if named else _unnamed(blank, tree, right)
    said = [*named.values(), *(f.text for f in found if f.text)] or [SEVERAL]
    return Feedback(blank.id, "wrong", (*said, blank.pointer), tuple(named), findings=tuple(found))


def _named(blank: FormulaBlank, tree: Tree) -> dict[str, str]:
    """Return the mistakes that give this formula, by id, each with its sentences."""
    return {
        m.id: str(m)
        for m in blank.mistakes
        if algebra.equal(tree, algebra.parse(m.body, blank.symbols), blank)
    }


def _unnamed(blank: FormulaBlank, tree: Tree, right: Tree) -> list[Finding]:
    """Return what can be said where no named misconception fits."""
    names = algebra.free_symbols(blank, tree, right)

    def at(args: Sequence[Any], formula: Tree = tree) -> Any:
        return algebra.value(formula, blank, dict(zip(names, args, strict=True)))

    near = [tuple(p[name] for name in names) for p in algebra.points(blank)[: algebra.POINTS]]
    every = [Inputs(args, "", right=at(args, right)) for args in near]
    relations = "".join(f"    {s} = {formula}\n" for s, formula in blank.relations.items())
    source = f"def formula({', '.join(names)}):\n{relations}    return {ast.unparse(right)}"
    answer = Answer(source, names, every, lambda args, like: tried(lambda *a: at(a), args, like))
    numbers = [answer.vector(outcome, k) for k, outcome in enumerate(answer.outcomes)]
    if all(x is None for x in numbers):
        return [Finding("no-value", "", NO_VALUE)]
    if any(x is None or not np.isfinite(x).all() for x in numbers):
        return []
    if not any(answer.wrong):
        return [Finding("tiny", "", TINY)]
    with np.errstate(all="ignore"):
        return single_mistake(answer) or wrong_terms(answer)
