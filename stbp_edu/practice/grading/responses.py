"""How an answer responds when one input is doubled or moved, beside how the right one does."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.finding import Finding, listed
from stbp_edu.practice.grading.probe import Probe


def scaling(probe: Probe, result: int) -> list[Finding]:
    """Return in which inputs the answer grows otherwise than it must."""
    found = []
    for k in probe.movable:
        grown: list[list[float]] = [[], []]
        for i in probe.situations:
            twice = (*i.args[:k], 2 * i.args[k], *i.args[k + 1 :])
            for right in (False, True):
                answers = [probe.ask(a, right=right) for a in (i.args, twice)]
                if (growth := _growth(answers, result)) is not None:
                    grown[right].append(growth)
        if min(map(len, grown)) < len(probe.situations):
            continue
        exact, own = grown[True][0], grown[False][0]
        if not _all_equal(grown[True], exact, 1e-6) or _all_equal(grown[False], exact, 1e-4):
            continue
        same = _all_equal(grown[False], own, 1e-4)
        name = probe.names[k]
        text = f"Doubling `{name}` makes the right result {exact:.3g} times as large"
        text += f", and yours {own:.3g} times." if same else ", and yours not."
        found.append(Finding(text, "scaling", frozenset({name})))
    return found


def _growth(answers: Sequence[Sequence[Array] | None], result: int) -> float | None:
    """Return how many times larger the second answer is; NaN where that is not one number.

    None where an answer is missing or zero, so that nothing can be said.
    """
    before, after = answers
    if before is None or after is None:
        return None
    x, y = before[result].ravel(), after[result].ravel()
    largest = int(np.argmax(np.abs(x))) if x.size else 0
    if x.shape != y.shape or not x.size or not x[largest]:
        return None
    ratio = float(y[largest] / x[largest])
    return ratio if np.allclose(y, ratio * x, rtol=1e-5, atol=1e-12) else math.nan


def _all_equal(numbers: Sequence[float], number: float, limit: float) -> bool:
    """Return whether all of these are this number; a NaN is none."""
    return all(abs(n - number) < limit for n in numbers)


def dependence(probe: Probe, result: int) -> list[Finding]:
    """Return on which inputs the error depends, and on which it does not."""
    heeds: dict[str, bool] = {}
    for k in probe.movable:
        for i in probe.situations:
            before = _error(probe, i.args, result)
            after = _error(probe, probe.moved(i.args, k), result)
            if before is None or after is None or before.shape != after.shape:
                return []
            limit = 30 * probe.rtol * float(np.abs(before).max(initial=0.0))
            moved = not bool((np.abs(before - after) <= limit).all())
            heeds[probe.names[k]] = heeds.get(probe.names[k], False) or moved
    yes, no = ([n for n, moved in heeds.items() if moved is wanted] for wanted in (True, False))
    if not heeds or not no:
        return []
    text = f"What is wrong does not depend on {listed(no)}"
    text += f": look at what {listed(yes)} does." if yes else "."
    return [Finding(text, "depends", frozenset(yes))]


def _error(probe: Probe, args: Sequence[Any], result: int) -> Array | None:
    """Return the answer less the right one."""
    got, want = probe.ask(args), probe.ask(args, right=True)
    if got is None or want is None or got[result].shape != want[result].shape:
        return None
    return got[result] - want[result]
