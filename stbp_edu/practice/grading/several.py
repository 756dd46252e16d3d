"""What is said where no single change of the right answer explains an answer.

One part may still be to blame, with something unknown in its place. What would have to stand there
is solved for as a constant is: the result is taken with 0, 1 and 2 in that place. If the mistake
is there, what is found depends on few inputs; anywhere else it has to undo the mistake, and
depends on many. The answer and the right one are also taken apart into terms, by setting inputs to
0: with every input but δ at 0, what is left of δ + ε·u is δ.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property, partial
from itertools import combinations
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.differences import close, results_of
from stbp_edu.practice.grading.places import Place, listed, made_of, places
from stbp_edu.practice.grading.search import Answer, Finding, seen
from stbp_edu.practice.grading.transforms import factor_words, times, transforms
from stbp_edu.practice.tasks import Inputs

SITUATIONS = 3
MOST_INPUTS = 9
MOST_TERMS = 4
Subset = tuple[int, ...]


@dataclass(frozen=True)
class Probe:
    """One result of the reader's function, beside the right one, on inputs of our choice.

    Attributes:
        answer: what is known of it already.
        function: the reader's function, which fails with a Difference.
        result: which of several results.
    """

    answer: Answer
    function: Callable[[Sequence[Any]], Any]
    result: int = 0

    def reader(self, args: Sequence[Any]) -> Array | None:
        """Return what the reader's function answers; None where it fails."""
        return self._of(self.function(args))

    def exact(self, args: Sequence[Any]) -> Array | None:
        """Return what is right; None where it fails."""
        solution = places(self.answer.source)[0].of(lambda value: value)
        return self._of(tried(solution, self.answer.complete(args)))

    def _of(self, outcome: Any) -> Array | None:
        found = results_of(outcome, self.answer.right[0])
        return None if found is None else found[self.result]

    @cached_property
    def movable(self) -> list[int]:
        """The arguments that are made of floats: they can be moved, and set to zero."""
        values = [np.asarray(v) for v in self.answer.inputs[0].args]
        given = zip(self.answer.inputs[0].args, values, strict=True)
        return [
            k for k, (value, array) in enumerate(given)
            if isinstance(value, (float, np.ndarray)) and array.dtype.kind == "f"
        ]  # fmt: skip

    @cached_property
    def situations(self) -> list[Inputs]:
        """A few calls, their values moved a little, so that none is special by chance."""
        able = [i for i in self.answer.inputs if self.reader(i.args) is not None]
        wide = [i for i in able if (i.T > 1 or i.S > 1) and self._has_values(i)] or able
        rng = np.random.default_rng(15)
        chosen = []
        for i in wide[:: max(1, len(wide) // SITUATIONS)][:SITUATIONS]:
            args = i.args
            for k in self.movable:  # each entry a little smaller: what is below 1 stays so
                args = with_factor(args, k, rng.uniform(0.8, 1.0, np.shape(args[k])))
            chosen.append(Inputs(args, i.where, i.T, i.S))
        return chosen

    def _has_values(self, inputs: Inputs) -> bool:
        """Return whether no movable argument is 0 everywhere."""
        return all(np.any(inputs.args[k]) for k in self.movable)

    def both(self, args: Sequence[Any]) -> tuple[Array, Array] | None:
        """Return the result of both functions; None where one is missing or has another shape."""
        got, want = self.reader(args), self.exact(args)
        if got is None or want is None or got.shape != want.shape:
            return None
        return got, want


def with_factor(args: Sequence[Any], k: int, factor: Any) -> tuple[Any, ...]:
    """Return the arguments with the k-th times a factor, an array or a float as before."""
    value = args[k] * factor
    return (*args[:k], value if isinstance(args[k], np.ndarray) else float(value), *args[k + 1 :])


def several_mistakes(answer: Answer, function: Callable[[Sequence[Any]], Any]) -> list[Finding]:
    """Return where an answer is wrong that no single change of the right one explains."""
    if any(map(is_dataclass, answer.inputs[0].args)):
        return []  # of whole networks, the quantities cannot be moved one by one
    found: list[Finding] = []
    for k in wrong_results(answer):
        probe = Probe(answer, function, k)
        if not probe.movable or not probe.situations:
            continue
        label = f"{answer.parts[k]}: " if k < len(answer.parts) else ""
        told = [*unknown_part(probe), *wrong_terms(probe)]
        found += [replace(f, text=f"{label}{f.text}") if f.text else f for f in told]
    return found


def wrong_results(answer: Answer) -> list[int]:
    """Return which of several results are wrong in any call, but not in their shapes."""
    wrong: set[int] = set()
    for outcome, right in zip(answer.outcomes, answer.right, strict=True):
        got, want = results_of(outcome, right), results_of(right, right)
        for k, (a, b) in enumerate(zip(got or (), want or (), strict=False)):
            if a.shape == b.shape and not np.allclose(a, b, rtol=answer.rtol, atol=1e-12):
                wrong.add(k)
    return sorted(wrong)


def unknown_part(probe: Probe) -> list[Finding]:
    """Return the one part that explains the answer with something unknown in its place."""
    found: list[tuple[Place, set[str]]] = []
    for place in places(probe.answer.source):
        inputs = _depends_on(probe, place)
        if inputs is not None:
            found.append((place, inputs))
    costs = [len(inputs | place.used) for place, inputs in found]
    best = [found[k][0].inside for k, cost in enumerate(costs) if cost == min(costs)]
    around = [(p, inputs) for p, inputs in found if all(b <= p.inside for b in best)]
    if not around or around[-1][0].root:
        return []
    place, inputs = around[-1]
    names = [probe.answer.names[k] for k in probe.movable]
    more = [name for name in names if name in inputs - place.used]
    less = [name for name in names if name in place.used - inputs]
    said = [f"depends on {listed(more)} too"] * bool(more)
    said += [f"does not depend on {listed(less)}"] * bool(less)
    what = f"something else stands in place of {made_of(place, probe.answer.names)}"
    ending = f", and it {' and '.join(said)}" * bool(said)
    needed = _needed(probe, place, probe.situations[0].args)
    if needed is not None and not inputs and np.ptp(needed) <= 1e-9 * abs(needed.flat[0]):
        what, ending = made_of(place, probe.answer.names), f" is replaced by {needed.flat[0]:.4g}"
        return [Finding("constant", place.text, f"One part alone explains it: {what}{ending}.")]
    return [Finding("part", place.text, f"One part alone explains it: {what}{ending}.")]


def _depends_on(probe: Probe, place: Place) -> set[str] | None:
    """Return the inputs on which the value needed in a place depends.

    None where nothing in this place gives the answer.
    """
    if place.called or len(place.nodes) > 1 or len(seen(probe.answer, place)) != 1:
        return None
    depends: set[str] = set()
    for i in probe.situations:
        own = _needed(probe, place, i.args)
        if own is None:
            return None
        for k in probe.movable:
            size = np.random.default_rng([16, k]).uniform(0.4, 0.9, np.shape(i.args[k]))
            after = _needed(probe, place, with_factor(i.args, k, size))
            unknown = np.isnan(own) | (True if after is None else np.isnan(after))
            if after is None or not (
                unknown.all()
                or close(np.where(unknown, np.nan, after), own, 30 * probe.answer.rtol)
            ):
                depends.add(probe.answer.names[k])
    return depends


def _needed(probe: Probe, place: Place, args: Sequence[Any]) -> Array | None:
    """Return what must stand in a place to give the answer; NaN where anything may stand."""
    y = probe.reader(args)
    if y is None:
        return None

    def given(value: Callable[[Any], Any]) -> Any:
        """Return the result, and what belongs in the place, with another value there."""
        own: list[Any] = []
        put = place.of(lambda x: value(own.append(x) or x))  # type: ignore[func-returns-value]
        got = put(*probe.answer.complete(args))
        return np.asarray(got[probe.result] if isinstance(got, tuple) else got, float), *own

    try:
        (at0, own), (at1, _), (at2, _) = (
            given(partial(np.full_like, fill_value=c, dtype=float)) for c in (0, 1, 2)
        )
        slope = at1 - at0
        if y.shape != at0.shape or not np.allclose(at2 - at1, slope, rtol=1e-9, atol=1e-14):
            return None
        needed = np.where(slope == 0, np.nan, (y - at0) / slope)
        if np.shape(own) == () and needed.size > 1:
            known = needed[~np.isnan(needed)]
            needed = np.median(known) if known.size else np.array(np.nan)
        again, _ = given(lambda x: np.where(np.isnan(needed), x, needed))
    except Exception:  # anything may stand there, and not everything works
        return None
    fits = np.shape(needed) == np.shape(own) and close(y, again, 10 * probe.answer.rtol)
    return np.asarray(needed) if fits else None


@dataclass(frozen=True)
class Term:
    """What a set of inputs brings together: whether it is right, and what is wrong with it.

    Attributes:
        names: the inputs.
        state: ``"right"``, ``"missing"``, ``"extra"`` or ``"wrong"``.
        words: what is wrong with it, after "it"; empty where no plain words are found.
    """

    names: tuple[str, ...]
    state: str
    words: str = ""

    def __str__(self) -> str:
        """Return the sentence on it."""
        what = "no input at all (a constant)"
        if self.names:
            what = f"{listed(self.names)} {'together' if len(self.names) > 1 else 'alone'}"
        ends = {"right": "is right", "missing": "is missing",
                "extra": "has no place here, and yours has it"}  # fmt: skip
        return f"What comes from {what} {ends.get(self.state) or self.words or 'is wrong'}."


def wrong_terms(probe: Probe) -> list[Finding]:
    """Return which terms of the answer are right, and what is wrong with each of the others."""
    found = terms(probe)
    wrong = [t for t in found if t.state != "right"]
    right = [t for t in found if t.state == "right" and t.names]
    telling = right or any(t.state != "wrong" or t.words for t in wrong)
    if not wrong or len(wrong) > MOST_TERMS or len(found) < 2 or not telling:
        return []
    said = " ".join(map(str, (*right[:3], *wrong)))
    texts = [f"Term by term, with the other inputs set to 0: {said}", *[""] * len(wrong)]
    return [
        Finding(f"term-{t.state}", "·".join(t.names), text)
        for t, text in zip(wrong, texts, strict=False)
    ]


def terms(probe: Probe) -> list[Term]:
    """Return every term that the answer or the right one has; [] where they are not found."""
    usable = [k for k in probe.movable if _can_be_zero(probe, k)]
    if not usable or len(usable) > MOST_INPUTS:
        return []
    tables = [_table(probe, i.args, usable) for i in probe.situations]
    if not all(tables):
        return []
    rtol = probe.answer.rtol
    noise = [rtol * max(np.abs(w).max(initial=0.0) for _, w in t.values()) for t in tables]
    found = [_term(probe, s, [t[s] for t in tables], noise) for s in _subsets(usable)]
    return [term for term in found if term is not None]


def _can_be_zero(probe: Probe, k: int) -> bool:
    """Return whether the right formula is finite where an argument is 0."""
    answers = [probe.exact(with_factor(i.args, k, 0.0)) for i in probe.situations]
    return all(a is not None and np.isfinite(a).all() for a in answers)


def _subsets(usable: Sequence[int]) -> Iterator[Subset]:
    """Yield every set of these, the small ones first."""
    for size in range(len(usable) + 1):
        yield from combinations(usable, size)


def _table(
    probe: Probe, args: Sequence[Any], usable: Sequence[int]
) -> dict[Subset, tuple[Array, Array]]:
    """Return what each set of inputs brings beyond its smaller sets, in both functions.

    An empty table says that a function fails there.
    """
    table: dict[Subset, Array] = {}
    for chosen in _subsets(usable):
        without = args
        for k in usable:
            without = without if k in chosen else with_factor(without, k, 0.0)
        pair = probe.both(without)
        if pair is None or not np.isfinite(pair).all():
            return {}
        table[chosen] = np.stack(pair)
    for k in usable:  # take away what is there without k, one input after another
        for chosen in table:
            if k in chosen:
                table[chosen] = table[chosen] - table[tuple(j for j in chosen if j != k)]
    return {chosen: (pair[0], pair[1]) for chosen, pair in table.items()}


def _term(
    probe: Probe, chosen: Subset, pairs: Sequence[tuple[Array, Array]], noise: Sequence[float]
) -> Term | None:
    """Return one term, or None where neither function has it."""
    names = tuple(probe.answer.names[k] for k in chosen)
    got, want = ([pair[side] for pair in pairs] for side in (0, 1))

    def none(values: Sequence[Array]) -> bool:
        sizes = zip(values, noise, strict=True)
        return all(np.abs(v).max(initial=0.0) <= limit for v, limit in sizes)

    if none(want):
        return None if none(got) else Term(names, "extra")
    if none(got):
        return Term(names, "missing")
    if none([g - w for g, w in zip(got, want, strict=True)]):
        return Term(names, "right")
    return Term(names, "wrong", _relation(got, want, probe))


def _relation(got: Sequence[Array], want: Sequence[Array], probe: Probe) -> str:
    """Return what became of a term in every situation, as words after "it"; or ""."""
    rtol = 10 * probe.answer.rtol
    factors = [float((g * w).sum() / (w * w).sum()) for g, w in zip(got, want, strict=True)]
    words = factor_words([*zip(factors, probe.situations, strict=True)])
    if words and all(close(g, c * w, rtol) for g, c, w in zip(got, factors, want, strict=True)):
        return times(words)
    for _, words, change in transforms(want[0].ndim):
        changed = [np.asarray(change(w)) for w in want]
        if all(close(g, c, rtol) for g, c in zip(got, changed, strict=True)):
            return words
    return ""
