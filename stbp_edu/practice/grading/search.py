"""One search for a mistake: a hypothesis explains an answer if it gives the answer everywhere.

A hypothesis is one place of the right answer with something else in it. For each place, whatever
:mod:`stbp_edu.practice.grading.hypotheses` lists is put there, run and compared: first on one
input on which the answer is wrong, where nearly every hypothesis ends, and then on the others. A
constant that no table holds is solved for.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading import hypotheses
from stbp_edu.practice.grading.answer import Answer, largest
from stbp_edu.practice.grading.hypotheses import (
    Change,
    Hypothesis,
    SolutionPlace,
    places,
)

MOST_READINGS = 3
FEW_PLACES = 75
"""In a longer answer what a value may have become is left out: trying it all would take long."""
Reading = tuple[str, str]
"""The id of a finding, and what is said of it."""


class Finding(NamedTuple):
    """One thing that is found out about a wrong answer."""

    id: str  # what is wrong: the id of a row of a table, or of what else was asked
    place: (
        str  # a part of the solution as it is written, an input, or "" for the result
    )
    text: str  # the sentence for the reader


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
    found = _explanations(answer, every, _rewritten)
    is_long = len(every) > FEW_PLACES or answer.view is not None
    if found or is_long:
        return found
    return _explanations(answer, every, _first_of_value)


def _explanations(
    answer: Answer,
    every: Sequence[SolutionPlace],
    readings: Callable[[Answer, SolutionPlace], Iterable[Reading]],
) -> list[Finding]:
    """Return the places that explain an answer, the first with the sentence on all."""
    found: dict[str, tuple[str, SolutionPlace]] = {}
    inside = set[ast.AST]()  # what is within a place that explains it already
    for place in every:
        if place.node in inside:
            continue
        for id_, words in readings(answer, place):
            if words not in found:
                found[words] = id_, place
                inside.update(ast.walk(place.node))
    few = list(found)[:MOST_READINGS]
    text = f"It is what you get if {', or if '.join(few)}"
    if len(few) > 1:
        text += " (each of them fits)"
    findings: list[Finding] = []
    for words in few:
        id_, place = found[words]
        said = "" if findings else f"{text}."
        findings.append(Finding(id_, place.text, said))
    return findings


def _fitting(
    answer: Answer, place: SolutionPlace, hypotheses_: Iterable[Hypothesis]
) -> Iterator[Reading]:
    """Yield the hypotheses that explain an answer."""
    for id_, words, change, takes in hypotheses_:
        if answer.gives(place.changed(change, takes)):
            yield id_, words


def _rewritten(answer: Answer, place: SolutionPlace) -> Iterator[Reading]:
    """Yield the other programs at a place that explain an answer."""
    return _fitting(answer, place, hypotheses.rewritten(place))


def _first_of_value(answer: Answer, place: SolutionPlace) -> Iterator[Reading]:
    """Yield the first change of a place's value that explains an answer."""
    return islice(_of_value(answer, place), 1)


def _of_value(answer: Answer, place: SolutionPlace) -> Iterator[Reading]:
    """Yield what the value in a place may have become that explains an answer."""
    values = _values_at(answer, place)
    if not values:
        return
    what = place.made_of
    axes: Sequence[str] = ()
    if place.result is not None:
        what = "the whole"
        axes = answer.axes
        if 0 <= place.result < len(answer.parts):
            what = answer.parts[place.result]
    ndim = max(map(np.ndim, values))
    changes = hypotheses.of_value(what, ndim, axes)
    yield from _fitting(answer, place, changes)
    for id_, join, words in JOINS:

        def joined(c: float, k: int, join: Change = join) -> Array:
            changed = place.changed(partial(join, c))
            return answer.vector(answer.at(changed, k), k)

        c = constant(answer, joined)
        if c not in ("", "0"):
            yield id_, f"{what} is {c} {words}"
    yield from _fitting(answer, place, hypotheses.joined(place))


JOINS: tuple[tuple[str, Change, str], ...] = (
    ("factor", operator.mul, "times what it should be"),
    ("shift", operator.add, "more than it should be"),
)
"""How a constant may be joined with a value: the id of the finding, and the words after it."""


def _values_at(answer: Answer, place: SolutionPlace) -> list[Any]:
    """Return the values in a place in one call, if they are all numbers, and [] otherwise."""
    values: list[Any] = []

    def seen(value: Any) -> Any:
        values.append(value)
        return value

    answer.at(place.changed(seen), answer.order[0])
    numbers = (int, float, np.number, np.ndarray)
    if all(isinstance(value, numbers) for value in values):
        return values
    return []


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
        miss = largest(result(c, k) - y)
        size = max(largest(y), 1e-12)
        if not miss <= answer.rtol * size < np.inf:
            return ""
    if not solved:
        return ""
    for t, s in POWERS:
        rest = [c / (inputs.T**t * inputs.S**s) for c, inputs in solved]
        first = rest[0]
        # Where one is infinite, they are not all the same.
        if np.ptp(rest) < 1e-5 * abs(first):
            return _written(first, {"T": t, "S": s})
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
