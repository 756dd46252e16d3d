"""One search for a mistake: a hypothesis explains an answer if it gives the answer everywhere.

A hypothesis is one place of the right answer with something else in it. For each place, whatever
the tables of :mod:`stbp_edu.practice.grading.changes` and
:mod:`stbp_edu.practice.grading.transforms` hold is put there, run and compared: first on one input
on which the answer is wrong, where nearly every hypothesis ends, and then on the others. A
constant that no table holds is solved for: where the result is affine in it, its values at 0, 1
and 2 say which it is.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.changes import changes, named
from stbp_edu.practice.grading.differences import (
    Difference,
    difference,
    leaves,
    numbers,
    same_outcome,
)
from stbp_edu.practice.grading.places import Place, made_of, places
from stbp_edu.practice.grading.transforms import factor_words, shifted, times, transforms
from stbp_edu.practice.tasks import Inputs

MOST_READINGS = 3
FEW_PLACES = 75
"""In a longer answer the rarer hypotheses are left out, so that trying them all takes no time."""
JOINED = (
    ("is replaced by", None),
    ("is multiplied by", operator.mul),
    ("is divided by", operator.truediv),
)
"""What a name may do in a place, in words."""
Function = Callable[..., Any]


@dataclass(frozen=True)
class Finding:
    """One thing that is found out about a wrong answer.

    Attributes:
        id: what is wrong: the id of a row of a table, or of what else was asked.
        place: where: a part of the solution as it is written, an input, or "" for the result.
        text: the sentence for the reader.
    """

    id: str
    place: str
    text: str = field(compare=False)


@dataclass(frozen=True)
class Answer:
    """A wrong answer beside the right one.

    Attributes:
        source: the solution.
        names: the arguments.
        inputs: what both were called with.
        outcomes: what came of the reader's function, call by call.
        right: what belongs there.
        run: returns what comes of a function in one call.
        complete: computes arguments that are made of others anew, after one was moved.
        rtol: to how many digits the answer is computed.
        axes: what the axes of a result are.
        parts: what the results are, where there are several.
    """

    source: str
    names: Sequence[str]
    inputs: Sequence[Inputs]
    outcomes: Sequence[Any]
    right: Sequence[Any]
    run: Callable[[Function, int], Any]
    complete: Callable[[Sequence[Any]], Sequence[Any]]
    rtol: float
    axes: Sequence[str] = ()
    parts: Sequence[str] = ()

    @cached_property
    def wrong(self) -> list[bool]:
        """Whether the answer is wrong, call by call."""
        pairs = zip(self.outcomes, self.right, strict=True)
        return [difference(got, want, rtol=self.rtol) is not None for got, want in pairs]

    @cached_property
    def order(self) -> list[int]:
        """The calls in the order in which hypotheses are asked: the telling ones first."""

        def rank(k: int) -> tuple[bool, bool, int]:
            i, fails = self.inputs[k], isinstance(self.outcomes[k], Difference)
            return not self.wrong[k], fails, i.T * i.S if i.T > 1 else 1000

        return sorted(range(len(self.inputs)), key=rank)

    def gives(self, function: Function, *, exactly: bool = True) -> bool:
        """Return whether a function has the same outcomes in every call."""
        with np.errstate(all="ignore"):  # a mistake may overflow where the answer did
            return all(
                same_outcome(
                    self.run(function, k),
                    self.outcomes[k],
                    self.right[k],
                    self.rtol,
                    exactly=exactly,
                )
                for k in self.order
            )

    def vector(self, outcome: Any, k: int) -> Array | None:
        """Return all numbers of an outcome of a call in a row; None where it has other shapes."""
        found = []
        for _, got, want in leaves(outcome, self.right[k]):
            value = None if isinstance(got, Difference) else numbers(got)
            if value is None or value.shape != np.shape(want):
                return None
            found.append(value.ravel())
        return np.concatenate(found) if found else None


def single_mistake(answer: Answer) -> list[Finding]:
    """Return the one place that explains an answer with what stands there, or []."""
    with np.errstate(all="ignore"):
        return factor(answer) or single_change(answer) or single_transform(answer)


def factor(answer: Answer) -> list[Finding]:
    """Return the factor by which the whole result is off, if it is."""

    def result(c: float, k: int) -> Array | None:
        want = answer.vector(answer.right[k], k)
        return None if want is None else c * want

    words = factor_words([*constants(answer, result)])
    if words in ("", "0", "1"):
        return []
    text = f"Right but for a factor: your result is {words} times the exact one."
    return [Finding("factor", "", text)]


def single_change(answer: Answer) -> list[Finding]:
    """Return the small changes of the solution that give the answer everywhere."""
    fits: dict[str, Finding] = {}
    every = places(answer.source)
    for place in every:
        factors = len(answer.names) if len(every) > FEW_PLACES else len(place.names)
        row = changes(place.node, place.names, factors=factors, called=place.called)
        for id_, words, put in row if len(place.nodes) == 1 else ():
            if words not in fits and answer.gives(place.changed(put)):
                fits[words] = Finding(id_, place.text, "")
    few = list(fits)[:MOST_READINGS]
    ending = {1: "", 2: " (both fit)"}.get(len(few), " (all of them fit)")
    text = f"It is what you get {', or '.join(few)}{ending}."
    return [replace(fits[words], text="" if k else text) for k, words in enumerate(few)]


def single_transform(answer: Answer) -> list[Finding]:
    """Return the places at which one row of the table of values gives the answer everywhere."""
    every = places(answer.source)
    if len(every) > FEW_PLACES:
        return []
    fits: list[tuple[Place, str, str]] = []
    for place in every:
        if place.called or any(place.inside <= outer.inside for outer, _, _ in fits):
            continue
        if found := next(hypotheses(answer, place), None):
            fits.append((place, *found))
        if found and place.root:
            break
    return told(answer, fits)


def told(answer: Answer, fits: Sequence[tuple[Place, str, str]]) -> list[Finding]:
    """Return the findings on places, with the sentence on all of them."""
    few = fits[:MOST_READINGS]
    if not few:
        return []
    what = ["your result" if p.root else made_of(p, answer.names) for p, _, _ in few]
    clauses = [f"{w} {words}" for w, (_, _, words) in zip(what, few, strict=True)]
    if few[0][0].root:
        parts = dict(enumerate(answer.parts))
        label = f"{parts[few[0][0].result]}: " if few[0][0].result in parts else ""
        text = f"{label}Y{clauses[0][1:]}."
    elif len(few) == 1:
        text = f"One part alone explains it: {clauses[0]}."
    else:
        readings = ", or ".join(clauses)
        text = f"One part alone explains it, and {len(few)} readings fit: either {readings}."
    return [
        Finding(id_, "" if p.root else p.text, "" if k else text)
        for k, (p, id_, _) in enumerate(few)
    ]


def hypotheses(answer: Answer, place: Place) -> Iterator[tuple[str, str]]:
    """Yield what explains the answer in one place: an id, and words after "it"."""
    values = seen(answer, place)
    if not values:
        return
    ndim = max(np.ndim(v) for v in values if not isinstance(v, (list, tuple, str)))
    axes = answer.axes if place.root else ()
    for id_, words, change in transforms(ndim, axes):
        if answer.gives(place.of(change)):
            yield id_, words
    for ratio in (True, False):
        if words := constant_words(answer, place, ratio=ratio):
            yield "factor" if ratio else "shift", words
    for k, name in enumerate(place.names):
        for words, join in JOINED:
            if answer.gives(place.changed(named(k, join))):
                yield "name", f"{words} `{name}`"


def seen(answer: Answer, place: Place) -> list[Any]:
    """Return the numbers that stand in a place in the first call; [] where it is not one."""
    values = []

    def look(value: Any) -> Any:
        values.append(value)
        return value

    answer.run(place.of(look), answer.order[0])
    numeric = all(isinstance(v, (int, float, np.number, np.ndarray, np.bool_)) for v in values)
    return values if numeric else []


def constant_words(answer: Answer, place: Place, *, ratio: bool) -> str:
    """Return by which factor, or shift, what stands in a place is off; "" for none."""

    def change(c: float) -> Function:
        return place.of((lambda x: c * x) if ratio else (lambda x: x + c))

    every = constants(answer, lambda c, k: answer.vector(answer.run(change(c), k), k))
    first = next(every, (np.nan, answer.inputs[0]))
    everywhere = not np.isnan(first[0]) and answer.gives(change(first[0]))
    if not ratio:
        return shifted(first[0]) if everywhere else ""
    words = factor_words([first] if everywhere else [first, *every])
    return times(words) if words not in ("", "1") else ""


def constants(
    answer: Answer, result: Callable[[float, int], Array | None]
) -> Iterator[tuple[float, Inputs]]:
    """Yield the constant at which the result of a call is the answer, for each call that says it.

    NaN, and nothing after it, where no constant gives the answer in a call.
    """
    for k in answer.order:
        values = [result(c, k) for c in (0.0, 1.0, 2.0)]
        c = solved(values, answer.vector(answer.outcomes[k], k), answer.rtol)
        if c is not None:
            yield c, answer.inputs[k]
        if c is not None and np.isnan(c):
            return


def solved(values: Sequence[Array | None], answer: Array | None, rtol: float) -> float | None:
    """Return the constant at which a result becomes the answer, given it at 0, 1 and 2.

    NaN where the result is not affine, or becomes the answer nowhere; None where it is the answer
    whatever the constant.
    """
    known = [v for v in (*values, answer) if v is not None]
    if len(known) < 4 or not all(np.isfinite(v).all() for v in known):
        return np.nan
    at0, at1, at2, y = known
    slope = at1 - at0
    scale = max(float(np.abs(v).max(initial=0.0)) for v in known)
    if np.abs(at2 - at1 - slope).max(initial=0.0) > 1e-9 * scale:
        return np.nan
    c = float(slope @ (y - at0) / (slope @ slope)) if slope.any() else None
    rest = np.abs(y - at0 - (c or 0) * slope).max(initial=0.0)
    return c if rest <= rtol * max(np.abs(y).max(initial=0.0), 1e-12) else np.nan
