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
from stbp_edu.practice.grading.calling import View, tried
from stbp_edu.practice.grading.changes import changes, named
from stbp_edu.practice.grading.places import Place, places
from stbp_edu.practice.grading.transforms import factor_words, shifted, times, transforms
from stbp_edu.practice.grading.values import RTOL, Difference, Outcome, difference, labels, same
from stbp_edu.practice.tasks import Function, Inputs

MOST_READINGS = 3
FEW_PLACES = 75
"""In a longer answer the rarer hypotheses are left out, so that trying them all takes no time."""
JOINED = (
    ("is replaced by", None),
    ("is multiplied by", operator.mul),
    ("is divided by", operator.truediv),
)
"""What a name may do in a place, in words."""


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


@dataclass(frozen=True, eq=False)
class Answer:
    """A wrong answer beside the right one.

    Attributes:
        source: the solution.
        names: the arguments.
        inputs: what both were called with.
        outcomes: what came of the reader's function, call by call.
        right: what belongs there.
        likes: the right results as they are returned.
        rtol: to how many digits the answer is computed.
        axes: what the axes of a result are.
        parts: what the results are, where there are several.
        view: makes of the result of a random function what can be compared.
    """

    source: str
    names: Sequence[str]
    inputs: Sequence[Inputs]
    outcomes: Sequence[Outcome]
    right: Sequence[Outcome]
    likes: Sequence[Any]
    rtol: float = RTOL
    axes: Sequence[str] = ()
    parts: Sequence[str] = ()
    view: View = None

    @cached_property
    def labels(self) -> list[list[str]]:
        """What each result is called, call by call."""
        return [labels(like, self.parts) for like in self.likes]

    @cached_property
    def wrong(self) -> list[bool]:
        """Whether the answer is wrong, call by call."""
        pairs = zip(self.outcomes, self.right, strict=True)
        return [difference(got, want, self.rtol) is not None for got, want in pairs]

    @cached_property
    def order(self) -> list[int]:
        """The calls in the order in which hypotheses are asked: the telling ones first."""

        def rank(k: int) -> tuple[bool, bool, int]:
            i, fails = self.inputs[k], isinstance(self.outcomes[k], Difference)
            return not self.wrong[k], fails, i.T * i.S if i.T > 1 else 1000

        return sorted(range(len(self.inputs)), key=rank)

    def at(self, function: Function, args: Sequence[Any]) -> Outcome:
        """Return what comes of one of the package's own functions, shaped as in the first call."""
        return tried(function, args, self.likes[0], self.view)

    def run(self, function: Function, k: int) -> Outcome:
        """Return what comes of one of the package's own functions in the k-th call."""
        return tried(function, self.inputs[k].args, self.likes[k], self.view)

    def gives(self, function: Function, *, exactly: bool = True) -> bool:
        """Return whether a function has the same outcomes in every call."""
        with np.errstate(all="ignore"):  # a mistake may overflow where the answer did
            return all(
                same(self.run(function, k), self.outcomes[k], self.rtol, exactly=exactly)
                for k in self.order
            )

    def vector(self, outcome: Outcome, k: int) -> Array | None:
        """Return all numbers of an outcome of a call in a row; None where it has other shapes."""
        right = self.right[k]
        if not isinstance(outcome, tuple) or not isinstance(right, tuple):
            return None
        found = [part for part in outcome if isinstance(part, np.ndarray)]
        if [np.shape(part) for part in found] != [np.shape(part) for part in right]:  # type: ignore[arg-type]
            return None
        return np.concatenate([part.ravel().astype(float) for part in found])


def single_mistake(answer: Answer) -> list[Finding]:
    """Return the one place that explains an answer with what stands there, or []."""
    with np.errstate(all="ignore"):
        found = factor(answer) or single_change(answer)
        # Whether random numbers have a property says too little for more.
        return found if found or answer.view else single_transform(answer)


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
        for id_, words, put in changes(place, factors) if len(place.nodes) == 1 else ():
            if words not in fits and answer.gives(place.changed(put)):
                fits[words] = Finding(id_, place.text, "")
    few = list(fits)[:MOST_READINGS]
    ending = {1: "", 2: " (both fit)"}.get(len(few), " (all of them fit)")
    text = f"It is what you get {', or '.join(few)}{ending}."
    return [replace(fits[words], text="" if k else text) for k, words in enumerate(few)]


def single_transform(answer: Answer) -> list[Finding]:
    """Return the places at which one row of the table of values gives the answer everywhere."""
    every = places(answer.source)
    fits: list[tuple[Place, str, str]] = []
    for place in every if len(every) <= FEW_PLACES else ():
        if place.called or any(place.inside <= outer.inside for outer, _, _ in fits):
            continue
        if found := next(hypotheses(answer, place), None):
            fits.append((place, *found))
        if found and place.root:
            break
    return told(answer, fits[:MOST_READINGS])


def told(answer: Answer, fits: Sequence[tuple[Place, str, str]]) -> list[Finding]:
    """Return the findings on places, the first with the sentence on all of them."""
    if not fits:
        return []
    first, _, words = fits[0]
    clauses = [f"{p.made_of(answer.names)} {words}" for p, _, words in fits]
    if first.result is not None:
        label = f"{answer.parts[first.result]}: " if 0 <= first.result < len(answer.parts) else ""
        text = f"{label}Your result {words}."
    elif len(fits) == 1:
        text = f"One part alone explains it: {clauses[0]}."
    else:
        readings = ", or ".join(clauses)
        text = f"One part alone explains it, and {len(fits)} readings fit: either {readings}."
    return [
        Finding(id_, "" if p.root else p.text, "" if k else text)
        for k, (p, id_, _) in enumerate(fits)
    ]


def hypotheses(answer: Answer, place: Place) -> Iterator[tuple[str, str]]:
    """Yield what explains the answer in one place: an id, and words after "it"."""
    values: list[Any] = []
    answer.run(place.of(lambda value: values.append(value) or value), answer.order[0])  # type: ignore[func-returns-value]
    if not values or not all(isinstance(v, (int, float, np.number, np.ndarray)) for v in values):
        return
    axes = answer.axes if place.root else ()
    for id_, words, change in transforms(max(map(np.ndim, values)), axes):
        if answer.gives(place.of(change)):
            yield id_, words
    for id_ in ("factor", "shift"):
        if words := constant_words(answer, place, ratio=id_ == "factor"):
            yield id_, words
    for k, name in enumerate(place.names):
        for words, join in JOINED:
            if answer.gives(place.changed(named(k, join))):
                yield "name", f"{words} `{name}`"


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
