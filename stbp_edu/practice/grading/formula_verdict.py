"""The verdict on a formula that is typed into a derivation blank.

It is right in any form that equals the right-hand side of the equation.
"""

import ast
from functools import partial

import numpy as np

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.grading.calling import (
    Difference,
    tried,
)
from stbp_edu.practice.grading.hypotheses import ALL, places
from stbp_edu.practice.grading.pairs import likeliest_pairs, merged
from stbp_edu.practice.grading.search import Finding, single_mistake
from stbp_edu.practice.grading.terms import vague_finding, wrong_terms
from stbp_edu.practice.tasks import FormulaBlank, Inputs

NO_VALUE = "It has no value: it takes a root of a negative number, divides by zero, or overflows."
UNQUOTED = "This is a value, computed already: put the formula in quotes."
SEVERAL = "It differs from the right formula in more than one place."
TINY = "It is right except for a term that floats do not show near 0: tiny, or large only far away."


def grade_formula(blank: FormulaBlank, answer: object) -> Feedback:
    """Compare a formula with the right one; where it differs, say what is wrong."""
    if isinstance(answer, (int, float, complex, np.ndarray, np.generic)):
        return Feedback(blank.id, "wrong", (UNQUOTED,))
    try:
        text = "" if answer is None or answer is Ellipsis else str(answer)
    except BaseException:  # it fails to say what it is, or is too long to print
        kind = type(answer).__name__
        return Feedback(
            blank.id, "wrong", (f"This {kind} cannot be read: type a formula.",)
        )
    if text.strip() in ("", "..."):
        asked = f"Type a formula. The symbols: {algebra.listed(blank.symbols)}."
        help_ = f'`hint("{blank.id}")` helps.'
        return Feedback(blank.id, "todo", (asked, help_))
    try:
        tree = algebra.parse(text, blank.symbols)
    except ValueError as error:
        return Feedback(blank.id, "wrong", (str(error),))
    right = algebra.parse(blank.solution, blank.symbols)
    if algebra.equal(tree, right, blank):
        message = f"It equals the right-hand side of ({blank.equation})."
        return Feedback(blank.id, "right", (message,))
    named = _named(blank, tree)
    together = False
    negative = ast.UnaryOp(ast.USub(), right)
    if not named and algebra.equal(tree, negative, blank):
        named = {"sign": "The sign of the whole formula is reversed."}
    if not named:
        named = _named(blank, ast.UnaryOp(ast.USub(), tree))
        if named:
            named["sign"] = "And the sign is reversed besides."
        else:
            named = _named_formula_pair(blank, tree)
        together = bool(named)
    said = list(named.values())
    found: list[Finding] = []
    if not named:
        found = _unnamed(blank, tree, right)
        said = [finding.text for finding in found if finding.text]
    if not said:
        said.append(SEVERAL)
    said.append(blank.pointer)
    return Feedback(
        blank.id,
        "wrong",
        tuple(said),
        tuple(named),
        tuple(found),
        together=together,
    )


def _named_formula_pair(blank: FormulaBlank, tree: algebra.Tree) -> dict[str, str]:
    """Return the two named mistakes that together give a formula, by id with their sentences."""
    if algebra.equal(tree, algebra.parse("0", blank.symbols), blank):
        return {}  # two changes may leave 0 of anything
    for one, other in likeliest_pairs(blank):
        text = merged(blank.solution, one.body, other.body)
        try:
            both = algebra.parse(text, blank.symbols)
        except ValueError:
            continue
        if algebra.equal(tree, both, blank):
            first = f"Two mistakes at once: {one}"
            return {one.id: first, other.id: str(other)}
    return {}


def _named(blank: FormulaBlank, tree: algebra.Tree) -> dict[str, str]:
    """Return the mistakes that give this formula, by id, each with its sentences."""
    found = {}
    for mistake in blank.mistakes:
        formula = algebra.parse(mistake.body, blank.symbols)
        if algebra.equal(tree, formula, blank):
            found[mistake.id] = str(mistake)
    return found


def _free_symbols(
    blank: FormulaBlank, tree: algebra.Tree, right: algebra.Tree
) -> list[str]:
    """Return the symbols in two formulas, but none that is made of others."""
    parts: list[ast.AST] = [tree, right]
    parts += [ast.parse(formula) for formula in blank.relations.values()]
    used = set()
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Name):
                used.add(node.id)
    return [s for s in blank.symbols if s in used and s not in blank.relations]


def _unnamed(
    blank: FormulaBlank, tree: algebra.Tree, right: algebra.Tree
) -> list[Finding]:
    """Return the findings on a formula that no named mistake gives."""
    names = _free_symbols(blank, tree, right)
    lines = [f"def formula({', '.join(names)}):"]
    lines += [f"    {s} = {formula}" for s, formula in blank.relations.items()]
    lines.append(f"    return {ast.unparse(right)}")
    source = "\n".join(lines)
    (whole,) = (place for place in places(source) if place.result == ALL)
    asked, _ = whole.with_node(tree)
    reference, _ = whole.with_node(right)
    points = algebra.points(blank)
    exact = partial(algebra.value, tree, points[0])  # 0**0 is 1 only in floats
    with np.errstate(all="ignore", divide="raise"):
        every = []
        for point in points[: algebra.POINTS]:
            args = tuple(float(point[name]) for name in names)
            every.append(Inputs(args, "", right=reference(*args)))
        answer = Answer(source, every, lambda args, like: tried(asked, args, like))
        is_near = not any(answer.wrong)
        if is_near and not isinstance(tried(exact, (), 0.0), Difference):
            return [Finding("tiny", "", TINY)]
        if is_near or not any(np.isfinite(array).all() for array in answer.arrays):
            return [Finding("no-value", "", NO_VALUE)]
        return single_mistake(answer) or wrong_terms(answer) or vague_finding(answer)
