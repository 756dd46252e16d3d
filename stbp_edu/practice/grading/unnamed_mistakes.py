"""Say what can be said about a mistake that has no name.

First whether the whole result is off by a factor, made of -1, T, S and 2; then whether one change
of the right answer gives the same everywhere; and then where the mistake is, by asking the
reader's own function (:mod:`stbp_edu.practice.grading.locate`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import is_dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.practice.grading.differences import difference
from stbp_edu.practice.grading.finding import Finding
from stbp_edu.practice.grading.inlining import results
from stbp_edu.practice.grading.locate import Locator
from stbp_edu.practice.grading.probe import Probe
from stbp_edu.practice.grading.results import asked, shape_words, wrong_results
from stbp_edu.practice.grading.single_changes import readings, single_changes
from stbp_edu.practice.grading.substitutions import folded
from stbp_edu.practice.grading.where import calls_that_are_wrong
from stbp_edu.practice.tasks import Exercise, Function, Inputs, inputs_of

Gives = Callable[[Function], bool]
"""Whether a function has the reader's outcomes on every input."""


def constant_factor(inputs: Sequence[Inputs], outcomes: Sequence[Any], right: Sequence[Any]) -> str:
    """Return the factor, such as "-T/S", or "" where there is none; the plainest first."""
    options = product((1, -1), (0, 1, -1, 2), (0, 1, -1, 2), (0, 1, -1))
    plain = sorted(options, key=lambda c: (sum(map(abs, c[1:])), c[0] < 0))
    if not all(isinstance(value, (int, float, np.number, np.ndarray)) for value in right):
        return ""
    for sign, t, s, two in plain[1:]:  # the first is the factor 1
        factors = [sign * i.T**t * i.S**s * 2.0**two for i in inputs]
        triples = zip(outcomes, right, factors, strict=True)
        if all(difference(value, exact * k) is None for value, exact, k in triples):
            powers = (("T", t), ("S", s), ("2", two))
            up = "·".join(n if e == 1 else f"{n}²" for n, e in powers if e > 0) or "1"
            down = "·".join(n for n, e in powers if e < 0)
            return f"{'-' if sign < 0 else ''}{up}{'/' + down if down else ''}"
    return ""


def by_factor(
    inputs: Sequence[Inputs], outcomes: Sequence[Any], right: Sequence[Any]
) -> list[Finding]:
    """Return the factor by which the whole result is off, if it is."""
    factor = constant_factor(inputs, outcomes, right)
    text = f"Right but for a factor: your result is {factor} times the exact one."
    return [Finding(text, "factor")] if factor else []


def by_change(exercise: Exercise, gives: Gives) -> list[Finding]:
    """Return the single changes of the solution that give the same everywhere."""
    fits = [change for change in single_changes(exercise) if gives(change.function)]
    if not fits:
        return []
    text = f"It is what you get {readings([change.words for change in fits])}."
    return [Finding(text, "change", nodes=tuple(change.node for change in fits))]


def by_asking(
    exercise: Exercise,
    function: Function,
    outcomes: Sequence[Any],
    right: Sequence[Any],
    rtol: float,
) -> list[Finding]:
    """Return where the mistake is, as the reader's own function shows."""
    if exercise.comparable is not None:
        return []
    calls = in_which_calls(exercise, outcomes, right, rtol)
    if isinstance(right[0], (set, frozenset)):
        return [*of_sets(exercise, outcomes, right), *calls]
    like = right[0]
    mine, exact = asked(function, like), asked(exercise.answer, like)
    probe = Probe(exercise.arguments, mine, exact, inputs_of(exercise), rtol)
    if not probe.movable or any(map(is_dataclass, probe.inputs[0].args)):
        return calls  # whole networks: their quantities cannot be moved one by one
    formulas, imports = results(exercise.source()) or ([], {})
    found = []
    for k in wrong_results(outcomes, right, rtol):
        words = shape_words(outcomes, right, exercise.axes, k)
        if words is not None:
            found += [Finding(f"Yours is the right one, {words}.", "result")] * bool(words)
            pairs = [] if words else folded(probe, asked(exercise.function(), like), k)
            text = "Yours is what the right formula gives"
            found += [Finding(f"{text} {end}.", "input", names) for end, names in pairs]
            continue
        formula = formulas[k] if k < len(formulas) else None
        locator = Locator(probe, k, formula, imports, exercise.axes)
        label = f"{exercise.parts[k]}: " if k < len(exercise.parts) else ""
        found += [replace(f, text=f"{label}{f.text}") for f in locator.findings()]
    return found or calls


def in_which_calls(
    exercise: Exercise, outcomes: Sequence[Any], right: Sequence[Any], rtol: float
) -> list[Finding]:
    """Return what the calls that are wrong have in common."""
    pairs = zip(outcomes, right, strict=True)
    wrong = np.array([difference(*pair, rtol=rtol) is not None for pair in pairs])
    text = calls_that_are_wrong(exercise.arguments, inputs_of(exercise), wrong)
    return [Finding(text, "where")] if text else []


def of_sets(exercise: Exercise, outcomes: Sequence[Any], right: Sequence[Any]) -> list[Finding]:
    """Return which cells are missing and which are too many, as seen from the cell (t, n)."""
    missing: set[tuple[int, int]] = set()
    extra: set[tuple[int, int]] = set()
    for inputs, got, want in zip(inputs_of(exercise), outcomes, right, strict=True):
        try:
            cells = {(int(i), int(j)) for i, j in got}
        except Exception:  # no set of cells: said elsewhere
            return []
        t, n = inputs.args[:2]
        missing |= {(i - t, j - n) for i, j in set(want) - cells}
        extra |= {(i - t, j - n) for i, j in cells - set(want)}
    said = [f"missing: {_cells(missing)}"] * bool(missing)
    said += [f"too many: {_cells(extra)}"] * bool(extra)
    return [Finding(f"In some calls, {'; '.join(said)}.", "where")]


def _cells(offsets: Collection[tuple[int, int]]) -> str:
    """Return cells by where they lie from (t, n), such as "(t+1, n)"."""
    return ", ".join(f"(t{dt:+d}, n{dn:+d})".replace("+0", "") for dt, dn in sorted(offsets)[:4])
