"""Compare an answer with the right one term by term, by switching inputs off.

With every input but δ set to 0, what is left of δ + ε·u is δ: the term of δ alone. What δ and ε
bring together beyond what each brings alone is the term of both, and so on (a Möbius inversion
over the sets of inputs). So a function's terms are found without a look into it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.probe import Probe, Values
from stbp_edu.practice.grading.relations import relation

MOST_INPUTS = 9
Names = tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """What a set of inputs brings together: the reader's value and the right one.

    Attributes:
        names: the inputs.
        state: ``"right"``, ``"missing"``, ``"extra"`` or ``"wrong"``.
        words: what is wrong with it, after "it"; empty where no plain words are found.
    """

    names: Names
    state: str
    words: str = ""


def terms(probe: Probe, result: int) -> list[Term]:
    """Return every term that the answer or the right formula has; [] where they are not found."""
    usable = _switchable(probe, result)
    if not usable or len(usable) > MOST_INPUTS:
        return []
    tables = []
    for inputs in probe.situations:
        pair = [_table(probe, inputs.args, usable, result, right=right) for right in (False, True)]
        if pair[0] is None or pair[1] is None:
            return []
        tables.append(pair)
    noise = [_noise(exact, probe.rtol) for _, exact in tables if exact is not None]
    found = []
    for chosen in _subsets(usable):
        got = [own[chosen] for own, _ in tables if own is not None]
        want = [exact[chosen] for _, exact in tables if exact is not None]
        if term := _term(probe, chosen, got, want, noise):
            if term.state == "wrong" and not term.words:
                term = replace(term, words=_power_words(probe, usable, chosen, result))
            found.append(term)
    return found


def _switchable(probe: Probe, result: int) -> list[int]:
    """Return the arguments at whose zero the right formula is still finite."""
    usable = []
    for k in probe.movable:
        answers = [probe.ask(probe.without(i.args, [k]), right=True) for i in probe.situations]
        if all(a is not None and np.isfinite(a[result]).all() for a in answers):
            usable.append(k)
    return usable


def _subsets(usable: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield every set of these, the small ones first."""
    for size in range(len(usable) + 1):
        yield from combinations(usable, size)


def _table(
    probe: Probe, args: Sequence[Any], usable: Sequence[int], result: int, *, right: bool
) -> dict[tuple[int, ...], Array] | None:
    """Return what each set of inputs brings beyond what its smaller sets bring."""
    table: dict[tuple[int, ...], Array] = {}
    for chosen in _subsets(usable):
        answer = probe.ask(probe.without(args, [k for k in usable if k not in chosen]), right=right)
        if answer is None or not np.isfinite(answer[result]).all():
            return None
        if table and answer[result].shape != table[()].shape:
            return None
        table[chosen] = answer[result]
    for k in usable:  # take away what is there without k, one input after another
        for chosen in _subsets(usable):
            if k in chosen:
                table[chosen] = table[chosen] - table[tuple(j for j in chosen if j != k)]
    return table


def _power_words(probe: Probe, usable: Sequence[int], chosen: Sequence[int], result: int) -> str:
    """Return the input that enters a term to a power that is not the right one; "" for none."""
    inputs = probe.situations[0]
    rest = [k for k in usable if k not in chosen]
    before = probe.without(inputs.args, rest)
    for k in chosen:
        after = (*before[:k], 2 * before[k], *before[k + 1 :])
        powers = []
        for right in (False, True):
            tables = [_table(probe, a, chosen, result, right=right) for a in (before, after)]
            if tables[0] is None or tables[1] is None:
                return ""
            x, y = (table[tuple(chosen)].ravel() for table in tables if table is not None)
            largest = int(np.argmax(np.abs(x)))
            ratio = float(y[largest] / x[largest]) if x[largest] else 0.0
            if ratio <= 0 or not np.allclose(y, ratio * x, rtol=1e-4, atol=1e-12):
                return ""
            powers.append(round(float(np.log2(ratio)), 3))
        if powers[0] != powers[1]:
            return f"holds `{probe.names[k]}` to the power {powers[0]:g}, not {powers[1]:g}"
    return ""


def _noise(exact: dict[tuple[int, ...], Array], rtol: float) -> float:
    """Return below what a term counts as none."""
    return rtol * max(float(np.abs(v).max(initial=0.0)) for v in exact.values())


def _term(
    probe: Probe, chosen: Sequence[int], got: Values, want: Values, noise: Sequence[float]
) -> Term | None:
    """Return one term, or None where neither formula has it."""
    names = tuple(probe.names[k] for k in chosen)

    def none(values: Values) -> bool:
        return all(
            np.abs(v).max(initial=0.0) <= limit for v, limit in zip(values, noise, strict=True)
        )

    if none(want):
        return None if none(got) else Term(names, "extra")
    if none(got):
        return Term(names, "missing")
    if any(g.shape != w.shape for g, w in zip(got, want, strict=True)):
        return Term(names, "wrong")
    if none([g - w for g, w in zip(got, want, strict=True)]):
        return Term(names, "right")
    return Term(names, "wrong", relation(got, want, probe.situations, 10 * probe.rtol))
