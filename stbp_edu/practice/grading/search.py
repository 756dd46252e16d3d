"""One search for a mistake: a hypothesis explains an answer if it gives the answer everywhere.

A hypothesis is one place of the right answer with something else in it. For each place, whatever
:mod:`stbp_edu.practice.grading.hypotheses` lists is put there, run and compared: first on one
input on which the answer is wrong, where nearly every hypothesis ends, and then on the others. A
constant that no table holds is solved for.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.grading.hypotheses import (
    ALL,
    Hypothesis,
    Place,
    joined,
    of_value,
    places,
    rewritten,
)
from stbp_edu.practice.tasks.programs import define

MOST_READINGS = 3
FEW_PLACES = 75
"""In a longer answer what a value may have become is left out: trying it all would take long."""
FEW_DIGITS = 5e-3
"""What is right to so many digits is in float16."""
ROUNDED = "It is right to about 3 digits; float64 has 16. Is a number rounded?"


class Finding(NamedTuple):
    """One thing that is found out about a wrong answer."""

    id: str  # what is wrong: the id of a row of a table, or of what else was asked
    place: (
        str  # a part of the solution as it is written, an input, or "" for the result
    )
    text: str  # the sentence for the reader
    program: str = ""  # the solution with this change, where it gives the answer


def single_mistake(answer: Answer) -> list[Finding]:
    """Return the one place that explains an answer with its expression, or []."""
    right = [answer.vector(outcome, k) for k, outcome in enumerate(answer.right)]
    factor = constant(answer, lambda c, k: c * right[k])
    if factor not in ("", "0", "1"):
        text = (
            f"Right except for a factor: your result is {factor} times the exact one."
        )
        return [Finding("factor", "", text)]
    every = places(answer.source)
    found = _explanations(answer, every, rewritten)
    is_long = len(every) > FEW_PLACES or answer.view is not None
    if found or is_long:
        return found
    return _explanations(answer, every, partial(_changes, answer), 1)


def _explanations(
    answer: Answer,
    every: Sequence[Place],
    hypotheses: Callable[[Place], Iterable[Hypothesis]],
    most: int | None = None,
) -> list[Finding]:
    """Return the places that explain an answer, the first with the sentence on all.

    Of one place at most so many hypotheses are taken.
    """
    found: dict[str, Finding] = {}
    inside = set[ast.AST]()  # what is within a place that explains it already
    for place in every:
        if place.node in inside:
            continue
        for reading in islice(_fitting(answer, place, hypotheses(place)), most):
            if reading.text not in found:
                found[reading.text] = reading
                inside.update(ast.walk(place.node))
    few = list(found)[:MOST_READINGS]
    text = f"It is what you get if {', or if '.join(few)}"
    text += " (each of them fits)." if len(few) > 1 else "."
    return [found[w]._replace(text="" if k else text) for k, w in enumerate(few)]


def _fitting(
    answer: Answer, place: Place, hypotheses: Iterable[Hypothesis]
) -> Iterator[Finding]:
    """Yield the hypotheses that explain an answer, each with its words alone."""
    for id_, words, expression in hypotheses:
        program = place.program(expression)
        if "_c" not in expression.split():
            if answer.gives(program):
                yield Finding(id_, place.text, words, program)
            continue
        function = define(program)

        def with_constant(c: float, k: int, function: Any = function) -> Array:
            function.__globals__["_c"] = c
            return answer.vector(answer.at(function, k), k)

        c = constant(answer, with_constant)
        if c not in ("", "0"):
            yield Finding(id_, place.text, words.replace(" _c ", f" {c} "), program)


def _changes(answer: Answer, place: Place) -> Iterator[Hypothesis]:
    """Yield what the value in a place may have become, where it is a number or an array."""
    if place.is_index:
        return
    values: list[Any] = []
    function = define(place.program(f"_seen({place.written})"))

    def seen(value: Any) -> Any:
        values.append(value)
        return value

    function.__globals__["_seen"] = seen
    answer.at(function, answer.order[0])
    numbers = (int, float, np.number, np.ndarray)
    if not values or not all(isinstance(value, numbers) for value in values):
        return
    what = place.made_of
    axes: Sequence[str] = ()
    if place.result is not None:
        is_part = 0 <= place.result < len(answer.parts)
        what = answer.parts[place.result] if is_part else "the whole"
        axes = answer.axes
    yield from of_value(what, place.written, max(map(np.ndim, values)), axes)
    yield from joined(place)


def constant(answer: Answer, result: Callable[[float, int], Array]) -> str:
    """Return at which constant a result is the answer in every call, such as "-T/S"; or "".

    ``result`` returns all numbers of the k-th call, for a constant. If they are affine in it, those
    at 0 and 1 say which it is; that is then tried.
    """
    solved = []
    for k in answer.order:
        y = answer.vector(answer.outcomes[k], k)
        at0 = result(0.0, k)
        slope = result(1.0, k) - at0
        c = 0.0
        if slope.any():
            c = float(np.sum(slope * (y - at0)) / np.sum(slope**2))
            solved.append((c, answer.situations[k]))
        miss = np.abs(result(c, k) - y).max(initial=0.0)
        size = np.abs(y).max(initial=1e-12)
        if not miss <= answer.rtol * size < np.inf:
            return ""
    for t, s in POWERS if solved else ():
        rest = [c / (inputs.T**t * inputs.S**s) for c, inputs in solved]
        # Where one is infinite, they are not all the same.
        if np.ptp(rest) < 1e-5 * abs(rest[0]):
            return _written(rest[0], {"T": t, "S": s})
    return ""


POWERS = list(product((0, 1, -1, 2, -2), repeat=2))
POWERS.sort(key=lambda powers: abs(powers[0]) + abs(powers[1]))
"""The powers of T and S that a constant may have, the smallest first."""


def _written(number: float, powers: dict[str, int]) -> str:
    """Return a number times powers of names: as a fraction, or with at least four digits.

    >>> _written(-1 / 3, {"T": 1, "S": -2}), _written(0.99998, {}), _written(1e300, {})
    ('-1/3·T/S^2', '0.99998', '1e+300')
    """
    plain = Fraction(number).limit_denominator(12)
    text = str(plain)
    off = abs(float(plain) - number)
    if abs(number) > 1e15 or off > 1e-9 * abs(number):
        texts = (f"{number:.{digits}g}" for digits in range(4, 18))
        text = next(text for text in texts if abs(float(text)) != 1)
    for name, power in powers.items():
        factor = name if abs(power) == 1 else f"{name}^{abs(power)}"
        if power > 0:
            text += f"·{factor}"
        elif power < 0:
            text += f"/{factor}"
    is_one = text.startswith(("1·", "-1·"))
    return text.replace("1·", "", 1) if is_one else text


def several_mistakes(answer: Answer) -> list[Finding]:
    """Return what is found where no single mistake explains an answer, or []."""
    if not any(answer.misses(FEW_DIGITS)):
        return [Finding("digits", "", ROUNDED)]
    return [] if answer.view else _wrong_terms(answer)


def _wrong_terms(answer: Answer) -> list[Finding]:
    """Return which terms of a sum have a wrong factor, where the factors give the answer."""
    every = places(answer.source)
    whole = next((place for place in every if place.result == ALL), None)
    if whole is None:
        return []
    signs = _signs(whole.node)
    terms = {f"{signs[p.node]}{p.written}": p for p in every if p.node in signs}
    columns = {}
    for term in terms:
        function = define(whole.program(term))
        vectors = [answer.vector(answer.at(function, k), k) for k in answer.order]
        columns[term] = np.concatenate(vectors)
    y = np.concatenate([answer.vector(answer.outcomes[k], k) for k in answer.order])
    factors = fitted(columns, y, answer.rtol)
    program = whole.program(" + ".join(f"{c} * {t}" for t, c in factors.items()))
    if not factors or not answer.gives(program):
        return []
    wrong = {term: c for term, c in factors.items() if c != 1}
    said = [
        f"{terms[term].made_of} "
        + (f"is {c:.4g} times what it should be" if c else "is left out")
        for term, c in wrong.items()
    ]
    text = f"It is what you get if {', and '.join(said)}."
    return [
        Finding("term", terms[term].text, "" if k else text, program)
        for k, term in enumerate(wrong)
    ]


def _signs(node: ast.expr, sign: str = "") -> dict[ast.expr, str]:
    """Return the terms of a sum, with a minus where one is subtracted."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            turned = {"": "-", "-": ""}[sign] if isinstance(op, ast.Sub) else sign
            return _signs(left, sign) | _signs(right, turned)
    return {node: sign}


def fitted(columns: dict[str, Array], y: Array, rtol: float) -> dict[str, float]:
    """Return the factors with which columns add up to numbers; {} if there are none such.

    Factors are rounded to six digits.
    """
    if any(column.shape != y.shape for column in columns.values()):
        return {}
    A = np.stack(list(columns.values()), axis=1)
    if not (np.isfinite(A).all() and np.isfinite(y).all()):
        return {}
    scale = np.linalg.norm(A, axis=0)
    scale[scale == 0] = 1.0
    c = np.linalg.lstsq(A / scale, y, rcond=1e-10)[0] / scale
    if np.linalg.norm(A @ c - y) >= rtol * max(float(np.linalg.norm(y)), 1e-30):
        return {}
    return dict(zip(columns, np.round(c, 6).tolist(), strict=True))
