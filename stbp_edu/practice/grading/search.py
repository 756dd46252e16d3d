"""One search for a mistake: a hypothesis explains an answer if it gives the answer everywhere.

A hypothesis is one place of the right answer with something else in it. For each place, whatever
:mod:`stbp_edu.practice.grading.hypotheses` lists is put there, run and compared: first on one
input on which the answer is wrong, where nearly every hypothesis ends, and then on the others. A
constant that no table holds is solved for. Where no single mistake explains an answer, it is taken
apart into terms by setting inputs to 0: with all but δ at 0, what is left of δ + ε·u is δ.
"""

import ast
import contextlib
import io
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations, islice, product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading import hypotheses
from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.hypotheses import (
    Change,
    Hypothesis,
    SolutionPlace,
    places,
)

MOST_READINGS, MOST_INPUTS, MOST_TERMS = 3, 9, 4
FEW_PLACES = 75
"""In a longer answer what a value may have become is left out: trying it all would take long."""
FEW_DIGITS = 5e-3
"""What is right to so many digits is rounded, or in float16."""
ROUNDED = "It is right to about 3 digits; float64 has 16. Is a number rounded?"
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
    few = list(found.items())[:MOST_READINGS]
    text = f"It is what you get if {', or if '.join(words for words, _ in few)}."
    if len(few) > 1:
        text = text.removesuffix(".") + " (each of them fits)."
    findings = [Finding(id_, place.text, "") for _, (id_, place) in few]
    if findings:
        findings[0] = findings[0]._replace(text=text)
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
    what, axes = place.made_of, answer.axes[:0]
    if place.result is not None:
        what, axes = "the whole", answer.axes
        if 0 <= place.result < len(answer.parts):
            what = answer.parts[place.result]
    made = hypotheses.of_value(what, max(map(np.ndim, values)), axes)
    yield from _fitting(answer, place, made)
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
    return values if all(isinstance(v, numbers) for v in values) else []


def constant(answer: Answer, result: Callable[[float, int], Array]) -> str:
    """Return at which constant a result is the answer in every call, such as "-T/S"; or "".

    ``result`` returns all numbers of the k-th call, for a constant. If they are affine in it, those
    at 0 and 1 say which it is; that is then tried.
    """
    solved = []
    for k in answer.order:
        y, at0 = answer.vector(answer.outcomes[k], k), result(0.0, k)
        slope = result(1.0, k) - at0
        c = 0.0
        if slope.any():
            c = float(np.sum(slope * (y - at0)) / np.sum(slope**2))
            solved.append((c, answer.situations[k]))
        miss = np.abs(result(c, k) - y).max(initial=0.0)
        largest = max(np.abs(y).max(initial=0.0), 1e-12)
        if not miss <= answer.rtol * largest < np.inf:
            return ""
    for t, s in POWERS:
        rest = [c / (i.T**t * i.S**s) for c, i in solved]
        # Where one is infinite, they are not all the same.
        if rest and np.ptp(rest) < 1e-5 * abs(rest[0]):
            return _written(rest[0], {"T": t, "S": s})
    return ""


POWERS = sorted(
    product((0, 1, -1, 2, -2), repeat=2), key=lambda p: abs(p[0]) + abs(p[1])
)
"""The powers of T and S that a constant may have, the smallest first."""


def _written(number: float, powers: dict[str, int]) -> str:
    """Return a number times powers of names: as a fraction, or with at least four digits.

    >>> _written(-1 / 3, {"T": 1, "S": -2}), _written(0.99998, {}), _written(1e300, {})
    ('-1/3·T/S^2', '0.99998', '1e+300')
    """
    plain = Fraction(number).limit_denominator(12)
    text = str(plain)
    if abs(number) > 1e15 or abs(float(plain) - number) > 1e-9 * abs(number):
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


def wrong_terms(answer: Answer) -> list[Finding]:
    """Return which terms of an answer are missing, too many, or wrong."""
    names = places(answer.source)[0].names
    terms = []
    for chosen, (got, want) in _terms(answer).items():
        words = _words(got, want, answer.rtol)
        if words:
            terms.append(("·".join(names[k] for k in sorted(chosen)), words))
    wrong = [of for of, words in terms if words != "is right"]
    kinds = {words for _, words in terms}
    if not 0 < len(wrong) <= MOST_TERMS or len(terms) < 2 or kinds == {"is wrong"}:
        return []
    said = []
    for of, words in terms:
        if of or words != "is right":
            said.append(f"{of or 'a constant'} {words}")
    text = f"Term by term, with the other inputs set to 0: {'; '.join(said)}."
    first, *others = wrong
    return [Finding("term", first, text), *(Finding("term", of, "") for of in others)]


def _terms(answer: Answer) -> dict[frozenset[int], Any]:
    """Return the contribution of each set of inputs beyond its smaller sets, in both functions.

    Empty where a function fails with an input at 0.
    """
    k, rng = answer.order[0], np.random.default_rng(15)
    solution = places(answer.source)[0].changed(lambda value: value)
    one = answer.situations[k]
    moved, floats = list(one.args), []
    for j, value in enumerate(one.args):
        is_number = isinstance(value, (float, np.ndarray))
        if is_number and np.result_type(value).kind == "f":
            moved[j] = rng.uniform(0.8, 1.0, np.shape(value)) * value
            floats.append(j)

    def values(zeros: Collection[int]) -> Array | None:
        """Return the results of both functions, a row each, where some inputs are 0."""
        given = [a * 0.0 if j in zeros else a for j, a in enumerate(moved)]
        yours = answer.vector(answer.ask(given, one.right), k)
        right = answer.vector(tried(solution, given, one.right), k)
        if not (np.isfinite(yours).all() and np.isfinite(right).all()):
            return None
        return np.stack([yours, right])

    usable = [j for j in floats if values([j]) is not None]
    table: dict[frozenset[int], Any] = {}
    if len(usable) > MOST_INPUTS:
        return table
    for size in range(len(usable) + 1):
        for chosen in map(frozenset, combinations(usable, size)):
            pair = values({*usable} - chosen)
            if pair is None:
                return {}
            smaller = [part for fewer, part in table.items() if fewer < chosen]
            table[chosen] = pair - sum(smaller)
    return table


def _words(got: Array, want: Array, rtol: float) -> str:
    """Return the words for a wrong term, "is right", or "" where neither function has it."""
    limit = 10 * rtol * max(1e-3, np.abs(want).max(initial=0.0))
    has, belongs = (np.abs(term).max(initial=0.0) > limit for term in (got, want))
    if not belongs:
        return "does not belong here" if has else ""
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


def vague_finding(answer: Answer) -> list[Finding]:
    """Return the findings where no single mistake explains an answer."""
    if not any(answer.misses(FEW_DIGITS)):
        return [Finding("digits", "", ROUNDED)]
    if answer.view:
        return []
    with contextlib.redirect_stdout(io.StringIO()):
        return wrong_terms(answer)
