"""One search for a mistake: a hypothesis explains an answer if it gives the answer everywhere.

A hypothesis is one place of the right answer with something else in it. For each place, whatever
:mod:`stbp_edu.practice.grading.hypotheses` lists is put there, run and compared: first on one
input on which the answer is wrong, where nearly every hypothesis ends, and then on the others. A
constant that no table holds is solved for. Where no single mistake explains an answer, it is taken
apart into terms by setting inputs to 0: with all but δ at 0, what is left of δ + ε·u is δ.
"""

import ast
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations, islice, product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading import hypotheses
from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.hypotheses import Hypothesis, Place, places

MOST_READINGS, MOST_INPUTS, MOST_TERMS = 3, 9, 4
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
    """Return the one place that explains an answer with what stands there, or []."""
    right = [answer.vector(outcome, k) for k, outcome in enumerate(answer.right)]
    if (words := constant(answer, lambda c, k: c * right[k])) not in ("", "0", "1"):
        text = f"Right but for a factor: your result is {words} times the exact one."
        return [Finding("factor", "", text)]
    every = places(answer.source)
    found = _fitting(
        every, lambda place: _that_fit(answer, place, hypotheses.rewritten(place))
    )
    is_short = len(every) <= FEW_PLACES and answer.view is None
    first = lambda place: islice(_of_value(answer, place), 1)  # noqa: E731
    return found or _fitting(every if is_short else (), first)


def _fitting(
    every: Sequence[Place], read: Callable[[Place], Iterable[Reading]]
) -> list[Finding]:
    """Return the places with what explains an answer, the first with the sentence on all."""
    found: dict[str, tuple[str, Place]] = {}
    inside = set[ast.AST]()
    for place in every:
        for id_, words in read(place) if place.node not in inside else ():
            if words not in found:
                found[words] = id_, place
                inside.update(ast.walk(place.node))
    few = list(found.items())[:MOST_READINGS]
    ending = " (each of them fits)" * (len(few) > 1)
    text = (
        f"It is what you get if {', or if '.join(words for words, _ in few)}{ending}."
    )
    return [
        Finding(id_, place.text, "" if k else text)
        for k, (_, (id_, place)) in enumerate(few)
    ]


def _that_fit(
    answer: Answer, place: Place, every: Iterable[Hypothesis]
) -> Iterator[Reading]:
    """Yield the hypotheses that explain an answer."""
    for id_, words, change, takes in every:
        if answer.gives(place.changed(change, takes)):
            yield id_, words


def _of_value(answer: Answer, place: Place) -> Iterator[Reading]:
    """Yield what the value in a place may have become that explains an answer."""
    values: list[Any] = []

    def seen(value: Any) -> Any:
        values.append(value)
        return value

    answer.at(place.changed(seen), answer.order[0])
    numbers = (int, float, np.number, np.ndarray)
    if not values or not all(isinstance(v, numbers) for v in values):
        return
    what, axes = place.made_of, answer.axes[:0]
    if place.result is not None:
        what, axes = (
            dict(enumerate(answer.parts)).get(place.result, "the whole"),
            answer.axes,
        )
    made = hypotheses.of_value(what, max(map(np.ndim, values)), axes)
    yield from _that_fit(answer, place, made)

    def joined(join: Callable[[Any, Any], Any], c: float, k: int) -> Array:
        return answer.vector(answer.at(place.changed(partial(join, c)), k), k)

    if (c := constant(answer, partial(joined, operator.mul))) not in ("", "0"):
        yield "factor", f"{what} is {c} times what it should be"
    if (c := constant(answer, partial(joined, operator.add))) not in ("", "0"):
        yield "shift", f"{what} is {c} more than it should be"
    yield from _that_fit(answer, place, hypotheses.joined(place))


def constant(answer: Answer, result: Callable[[float, int], Array]) -> str:
    """Return at which constant a result is the answer in every call, such as "-T/S"; or "".

    ``result`` returns all numbers of the k-th call, for a constant. If they are affine in it, those
    at 0 and 1 say which it is; that is then tried.
    """
    solved = []
    for k in answer.order:
        y, at0 = answer.vector(answer.outcomes[k], k), result(0.0, k)
        slope = result(1.0, k) - at0
        c = float(np.sum(slope * (y - at0)) / np.sum(slope**2)) if slope.any() else 0.0
        miss = np.abs(result(c, k) - y).max(initial=0.0)
        if not miss <= answer.rtol * max(np.abs(y).max(initial=0.0), 1e-12) < np.inf:
            return ""
        solved += [(c, answer.situations[k])] * bool(slope.any())
    for t, s in sorted(
        product((0, 1, -1, 2, -2), repeat=2), key=lambda p: abs(p[0]) + abs(p[1])
    ):
        rest = [c / (i.T**t * i.S**s) for c, i in solved]
        if rest and np.ptp(rest) < 1e-5 * abs(
            rest[0]
        ):  # where one is infinite, it is not
            return _written(rest[0], {"T": t, "S": s})
    return ""


def _written(number: float, powers: dict[str, int]) -> str:
    """Return a number times powers of names: as a fraction, or with at least four digits.

    >>> _written(-1 / 3, {"T": 1, "S": -2}), _written(0.99998, {}), _written(1e300, {})
    ('-1/3·T/S^2', '0.99998', '1e+300')
    """
    plain = Fraction(number).limit_denominator(12)
    text = str(plain)
    if abs(number) > 1e15 or abs(float(plain) - number) > 1e-9 * abs(number):
        text = next(t for d in range(4, 18) if abs(float(t := f"{number:.{d}g}")) != 1)
    for name, power in powers.items():
        each = name if abs(power) == 1 else f"{name}^{abs(power)}"
        text += f"·{each}" if power > 0 else f"/{each}" if power < 0 else ""
    return text.replace("1·", "", 1) if text.lstrip("-").startswith("1·") else text


def wrong_terms(answer: Answer) -> list[Finding]:
    """Return which terms of an answer are missing, too many, or wrong."""
    names = places(answer.source)[0].names
    terms = [
        ([names[k] for k in sorted(chosen)], words)
        for chosen, (got, want) in _terms(answer).items()
        if (words := _words(got, want, answer.rtol))
    ]
    wrong = [(of, words) for of, words in terms if words != "is right"]
    telling = len(wrong) < len(terms) or any(words != "is wrong" for _, words in wrong)
    if not 0 < len(wrong) <= MOST_TERMS or len(terms) < 2 or not telling:
        return []
    said = [
        f"{'·'.join(of) or 'a constant'} {w}"
        for of, w in terms
        if of or w != "is right"
    ]
    text = f"Term by term, with the other inputs set to 0: {'; '.join(said)}."
    return [
        Finding("term", "·".join(of), "" if k else text)
        for k, (of, _) in enumerate(wrong)
    ]


def _terms(answer: Answer) -> dict[frozenset[int], Any]:
    """Return what each set of inputs brings beyond its smaller sets, in both functions.

    Empty where a function fails with an input at 0.
    """
    k, rng = answer.order[0], np.random.default_rng(15)
    solution, one = (
        places(answer.source)[0].changed(lambda value: value),
        answer.situations[k],
    )
    kinds = (float, np.ndarray)
    floats = [isinstance(a, kinds) and np.result_type(a).kind == "f" for a in one.args]
    args = zip(one.args, floats, strict=True)
    moved = [
        rng.uniform(0.8, 1.0, np.shape(a)) * a if is_float else a
        for a, is_float in args
    ]

    def values(zeros: Collection[int]) -> Array | None:
        """Return the results of both functions, a row each, where some inputs are 0."""
        given = [a * 0.0 if j in zeros else a for j, a in enumerate(moved)]
        both = answer.ask(given, one.right), tried(solution, given, one.right)
        rows = [answer.vector(outcome, k) for outcome in both]
        return np.stack(rows) if all(np.isfinite(row).all() for row in rows) else None

    usable = [
        j for j, is_float in enumerate(floats) if is_float and values([j]) is not None
    ]
    table: dict[frozenset[int], Any] = {}
    sizes = range(len(usable) + 1) if len(usable) <= MOST_INPUTS else ()
    for chosen in (frozenset(c) for size in sizes for c in combinations(usable, size)):
        if (pair := values({*usable} - chosen)) is None:
            return {}
        table[chosen] = pair - sum(
            brought for fewer, brought in table.items() if fewer < chosen
        )
    return table


def _words(got: Array, want: Array, rtol: float) -> str:
    """Return what is wrong with a term, "is right", or "" where neither function has it."""
    limit = 10 * rtol * max(1e-3, np.abs(want).max(initial=0.0))
    has, belongs = (np.abs(term).max(initial=0.0) > limit for term in (got, want))
    if not belongs:
        return "has no place here" if has else ""
    if not has:
        return "is missing"
    factor = float(got @ want / (want @ want))
    if not np.abs(got - factor * want).max() <= limit:  # or NaN
        return "is wrong"
    return (
        "is right"
        if abs(factor - 1) < 10 * rtol
        else f"is {factor:.4g} times what it should be"
    )
