"""Where an answer has several mistakes: which terms of it are right, and what is wrong with others.

The answer and the right one are taken apart by setting inputs to 0: with every input but δ at 0,
what is left of δ + ε·u is δ.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.places import listed, places
from stbp_edu.practice.grading.search import Answer, Finding
from stbp_edu.practice.grading.transforms import factor_words, times, transforms
from stbp_edu.practice.grading.values import Outcome, wrong
from stbp_edu.practice.tasks import Inputs

SITUATIONS = 3
MOST_INPUTS = 9
MOST_TERMS = 4
Both = tuple[Array, Array]
"""What the reader's function gives, and what is right."""
Ask = Callable[[Sequence[Any]], Outcome]
"""The reader's function, asked with arguments of our choice."""


@dataclass(frozen=True)
class Term:
    """What a set of inputs brings together, and what is wrong with it.

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


def wrong_terms(answer: Answer, ask: Ask) -> list[Finding]:
    """Return what is wrong with each term of each result."""
    if any(map(is_dataclass, answer.inputs[0].args)):
        return []  # of whole networks, the quantities cannot be set to 0 one by one
    found: list[Finding] = []
    for k, label in enumerate(answer.labels[0]):
        prefix = f"{label}: " if label else ""
        told = _findings(terms(answer, ask, k))
        found += [replace(f, text=prefix + f.text) if f.text else f for f in told]
    return found


def _findings(found: Sequence[Term]) -> list[Finding]:
    """Return a finding for each term that is wrong, where that says something."""
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


def terms(answer: Answer, ask: Ask, result: int) -> list[Term]:
    """Return every term that one result has, yours or the right one; [] where none are found."""
    solution = places(answer.source)[0].of(lambda value: value)

    def both(args: Sequence[Any]) -> Both | None:
        """Return the result of both functions; None where one is missing or has another shape."""
        pair = [_part(outcome, result) for outcome in (ask(args), answer.at(solution, args))]
        fits = pair[0] is not None and pair[1] is not None and pair[0].shape == pair[1].shape
        return tuple(pair) if fits and np.isfinite(pair).all() else None  # type: ignore[arg-type, return-value]

    able = [i for i in answer.inputs if both(i.args)]
    situations = [_moved(i) for i in able[:: max(1, len(able) // SITUATIONS)][:SITUATIONS]]
    usable = [
        k for k, value in enumerate(answer.inputs[0].args)
        if isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind == "f"
        and all(_part(answer.at(solution, times_at(i.args, k, 0.0)), result) is not None
                for i in situations)
    ]  # fmt: skip
    if not usable or len(usable) > MOST_INPUTS:
        return []
    tables = [_table(both, i.args, usable) for i in situations]
    if not tables or not all(tables):
        return []
    noise = [
        answer.rtol * max(np.abs(want).max(initial=0) for _, want in t.values()) for t in tables
    ]
    found = []
    for chosen in _subsets(usable):
        state, words = _state([t[chosen] for t in tables], noise, situations, answer.rtol)
        if state:
            found.append(Term(tuple(answer.names[k] for k in chosen), state, words))
    return found


def _part(outcome: Outcome, result: int) -> Array | None:
    """Return one finite result of a call; None where there is none."""
    part = outcome[result] if isinstance(outcome, tuple) else None
    return part if isinstance(part, np.ndarray) and np.isfinite(part).all() else None


def times_at(args: Sequence[Any], k: int, factor: Any) -> tuple[Any, ...]:
    """Return the arguments with the k-th times a factor, an array or a float as before."""
    value = args[k] * factor
    return (*args[:k], value if isinstance(args[k], np.ndarray) else float(value), *args[k + 1 :])


def _moved(inputs: Inputs) -> Inputs:
    """Return inputs with every number a little smaller, so that none is special by chance."""
    rng, args = np.random.default_rng(15), tuple(inputs.args)
    for k, value in enumerate(args):
        if isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind == "f":
            args = times_at(args, k, rng.uniform(0.8, 1.0, np.shape(value)))
    return replace(inputs, args=args)


def _subsets(usable: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield every set of these, the small ones first."""
    for size in range(len(usable) + 1):
        yield from combinations(usable, size)


def _table(
    both: Callable[[Sequence[Any]], Both | None], args: Sequence[Any], usable: Sequence[int]
) -> dict[tuple[int, ...], Both]:
    """Return what each set of inputs brings beyond its smaller sets, in both functions.

    An empty table says that a function fails there.
    """
    table: dict[tuple[int, ...], Any] = {}
    for chosen in _subsets(usable):
        without = args
        for k in set(usable) - set(chosen):
            without = times_at(without, k, 0.0)
        pair = both(without)
        if pair is None:
            return {}
        table[chosen] = np.stack(pair)
    for k in usable:  # take away what is there without k, one input after another
        for chosen in table:
            if k in chosen:
                table[chosen] = table[chosen] - table[tuple(j for j in chosen if j != k)]
    return table


def _state(
    pairs: Sequence[Both], noise: Sequence[float], situations: Sequence[Inputs], rtol: float
) -> tuple[str, str]:
    """Return the state of one term, and what became of it; empty where neither function has it."""

    def none(values: Sequence[Array]) -> bool:
        sizes = zip(values, noise, strict=True)
        return all(np.abs(v).max(initial=0.0) <= limit for v, limit in sizes)

    got, want = zip(*pairs, strict=True)
    if none(want):
        return ("" if none(got) else "extra"), ""
    if none(got):
        return "missing", ""
    if none([g - w for g, w in zip(got, want, strict=True)]):
        return "right", ""

    def gives(change: Callable[..., Any], *more: Sequence[float]) -> bool:
        changed = [np.asarray(change(*row)) for row in zip(want, *more, strict=True)]
        fits = zip(got, changed, strict=True)
        return all(g.shape == c.shape and not wrong(g, c, 10 * rtol).any() for g, c in fits)

    factors = [float((g * w).sum() / (w * w).sum()) for g, w in zip(got, want, strict=True)]
    words = factor_words([*zip(factors, situations, strict=True)])
    if words and gives(lambda w, c: c * w, factors):
        return "wrong", times(words)
    rows = transforms(want[0].ndim)
    return "wrong", next((words for _, words, change in rows if gives(change)), "")
