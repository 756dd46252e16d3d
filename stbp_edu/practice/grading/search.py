"""One search for a mistake: a hypothesis explains an answer if it gives the answer everywhere.

First come the mistakes that have a name: one of them, or two at once. Any other hypothesis is one
place of the right answer with something else in it. For each place, whatever
:mod:`stbp_edu.practice.grading.hypotheses` lists is put there, run and compared: first on one
input on which the answer is wrong, where nearly every hypothesis ends, and then on the others. A
constant that no table holds is solved for.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, islice, pairwise
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading.answer import RTOL, Answer
from stbp_edu.practice.grading.hypotheses import (
    Hypothesis,
    Place,
    joined,
    of_value,
    places,
    rewritten,
)
from stbp_edu.practice.tasks import Task
from stbp_edu.practice.tasks.catalogue import Mistake
from stbp_edu.practice.tasks.programs import define

TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]|\s+")
"""Names, numbers, signs, and the space between them."""


@cache
def known_mistakes(task: Task) -> tuple[Mistake, ...]:
    """Return the mistakes of a task's table, and the reversed sign of a whole formula."""
    formula = task.solution.strip().removeprefix("return ")
    if "\n" in formula:
        return task.mistakes
    return (*task.mistakes, task.mistake("sign", f"-({formula})"))


def named(answer: Answer) -> list[Mistake]:
    """Return the mistakes each of which gives an answer."""
    found: dict[str, Mistake] = {}
    for mistake in known_mistakes(answer.task):
        if answer.gives(mistake.program):
            found.setdefault(mistake.id, mistake)
    return list(found.values())


def named_pair(answer: Answer) -> list[Mistake]:
    """Return the two mistakes that together give an answer; of several such, the smallest.

    Mistakes whose changes touch each other come last.
    """
    for source, pair in pairs(answer.task):
        if answer.gives(source):
            return [*pair]
    return []


@cache
def pairs(task: Task) -> list[tuple[str, tuple[Mistake, Mistake]]]:
    """Return every two mistakes that can be made at once, as a program, the likeliest first."""
    right = _in_one_form(task.source())
    found = []
    for one, other in combinations(known_mistakes(task), 2):
        wrong = _in_one_form(one.program), _in_one_form(other.program)
        apart = merged(right, *wrong, touching=False)
        source = apart or merged(right, *wrong)
        if one.id != other.id and source not in ("", right, *wrong):
            size = sum(_size(right, text) for text in wrong)
            found.append((not apart, size, source, (one, other)))
    found.sort(key=lambda row: row[:2])
    return [row[2:] for row in found]


@cache
def _in_one_form(source: str) -> str:
    """Return a program as Python itself writes it."""
    return ast.unparse(ast.parse(source))


@cache
def _size(right: str, wrong: str) -> int:
    """Return how much a mistake changes; another sign changes all that it joins."""
    size = 0
    for start, stop, new in changes_of(right, wrong):
        pieces = [*TOKEN.findall(right)[start:stop], *new]
        size += 10 if all(re.match(r"\W", piece) for piece in pieces) else len(pieces)
    return size


def merged(right: str, one: str, other: str, *, touching: bool = True) -> str:
    """Return a text with the changes of two others, and "" where these overlap, or touch.

    >>> merged("a + b * c", "a - b * c", "a + b")
    'a - b'
    >>> merged("a + b * c", "b * c", "a + d * c")
    'd * c'
    """
    changes = [*changes_of(right, one), *changes_of(right, other)]
    changes.sort()
    for (first, stop, _), (start, last, _) in pairwise(changes):
        if start < stop + (not touching) or first == last:
            return ""
    pieces = TOKEN.findall(right)
    for start, stop, new in reversed(changes):
        pieces[start:stop] = new
    return "".join(pieces)


@cache
def changes_of(right: str, text: str) -> tuple[tuple[int, int, list[str]], ...]:
    """Return the change of a text: the first piece, the one after the last, and the new ones."""
    pieces = TOKEN.findall(right)
    new = TOKEN.findall(text)
    found = []
    matcher = SequenceMatcher(None, pieces, new, autojunk=False)
    for kind, start, stop, first, last in matcher.get_opcodes():
        if kind != "equal":
            found.append((start, stop, new[first:last]))
    return tuple(found)


MOST_READINGS = 3
FEW_PLACES = 75
"""In a longer answer what a value may have become is left out: trying it all would take long."""


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
    every = places(answer.task.source())
    found = _explanations(answer, every, rewritten)
    is_long = len(every) > FEW_PLACES or answer.task.view != ""
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
        parts = answer.task.parts
        is_part = 0 <= place.result < len(parts)
        what = parts[place.result] if is_part else "the whole"
        axes = answer.task.axes
    yield from of_value(what, place.written, max(map(np.ndim, values)), axes)
    yield from joined(place)


def constant(answer: Answer, result: Callable[[float, int], Array]) -> str:
    """Return at which constant a result is the answer in every call, such as "-1/3"; or "".

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
            solved.append(c)
        miss = np.abs(result(c, k) - y).max(initial=0.0)
        size = np.abs(y).max(initial=1e-12)
        if not miss <= RTOL * size < np.inf:
            return ""
    # Where one is infinite, they are not all the same.
    is_one = bool(solved) and np.ptp(solved) < 1e-5 * abs(solved[0])
    return _written(solved[0]) if is_one else ""


def _written(number: float) -> str:
    """Return a number as a fraction, or with at least four digits.

    >>> _written(-1 / 3), _written(0.99998), _written(1e300)
    ('-1/3', '0.99998', '1e+300')
    """
    plain = Fraction(number).limit_denominator(12)
    off = abs(float(plain) - number)
    if abs(number) <= 1e15 and off <= 1e-9 * abs(number):
        return str(plain)
    texts = (f"{number:.{digits}g}" for digits in range(4, 18))
    return next(text for text in texts if abs(float(text)) != 1)
