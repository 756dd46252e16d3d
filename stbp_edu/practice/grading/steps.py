"""Find the wrong line of a recursion, in the values that it returned itself.

An early error spoils every value after it. So each value is compared with what its own neighbours
give: u at step t with the u and o that the reader's function has at t - 1. The terms that may
enter are fitted; 1 means that a term is there, 0 that it is missing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.calling import call
from stbp_edu.practice.grading.epsilon_fit import (
    EXPECTED,
    NO_SUM,
    OF_CLASSIC,
    gradients_of,
    wide_network,
    wrong_cases,
)
from stbp_edu.practice.grading.finding import Finding
from stbp_edu.practice.grading.relations import constant_words
from stbp_edu.practice.grading.results import results_of
from stbp_edu.practice.grading.rows import EXPECTED_TERMS, FORWARD, KEPT, Rows
from stbp_edu.practice.tasks import Exercise, Function, inputs_of

TOLERANCE = 1e-6
VAGUE = "vague step"
"""The kind of a finding that says less than a change of the right answer does."""
BACKWARD = {"backward": EXPECTED, "backward-classic": OF_CLASSIC}


def by_step(
    exercise: Exercise, function: Function, outcomes: Sequence[Any], right: Sequence[Any]
) -> list[Finding]:
    """Return which line of a recursion is wrong; [] for an exercise that is none."""
    if exercise.id in BACKWARD:
        return _backward(exercise, function)
    if exercise.id not in FORWARD:
        return []
    rows = []
    for inputs, got, want in zip(inputs_of(exercise), outcomes, right, strict=True):
        answer, exact = results_of(got, want), results_of(want, want)
        if answer is None or exact is None:
            return []
        pairs = list(zip(answer, exact, strict=True))
        if any(a.shape != b.shape or not np.isfinite(a).all() for a, b in pairs):
            return []
        if exercise.id == "forward" and not np.array_equal(*pairs[inputs.args[1].N]):
            return [Finding("O[0] is not the input spikes.", "step", frozenset({"O"}))]
        rows += FORWARD[exercise.id](inputs, answer)
    return [*_potentials(rows), *_spikes(rows)]


def _potentials(rows: Sequence[Rows]) -> list[Finding]:
    """Return which terms of the potentials are wrong, given the values around them."""
    tables = [r.columns() for r in rows]
    columns = {
        name: np.concatenate([table[name].ravel() for table in tables]) for name in tables[0]
    }
    target = np.concatenate([r.u.ravel() for r in rows])
    first = columns["a constant at the first step"]
    right = sum(columns[name] for name in EXPECTED_TERMS)
    wrong = np.abs(target - right) > TOLERANCE * np.abs(right).max()
    if not wrong.any():
        return []
    found = _fitted(columns, target)
    if found is None:
        return [_in_which_steps(first, wrong)]
    expected = [name for name in EXPECTED_TERMS if name in found]
    said, names = [], set()
    for name, coefficient in found.items():
        wanted = 1.0 if name in expected else 0.0
        if abs(coefficient - wanted) < TOLERANCE:
            continue
        names.add(name)
        if not wanted:
            said.append(f"{name} comes in, times {coefficient:.4g}, and does not belong")
        else:
            words = constant_words(coefficient).replace(": 0 stands there", "")
            said.append(f"{name} {words}")
    text = f"In the line that makes a potential from the step before: {'; '.join(said)}."
    return [Finding(text, "step", frozenset(names))]


def _in_which_steps(first: Array, wrong: Array) -> Finding:
    """Return what is known where no sum of the terms gives the potentials."""
    if not wrong[first > 0].any():
        text = "The first step is right; in the later ones something else stands in place of "
        return Finding(f"{text}{KEPT}.", VAGUE, frozenset({KEPT}))
    if not wrong[first == 0].any():
        text = "Given the step before, every potential is right but those of the first step."
        return Finding(text, "step", frozenset({"the first step"}))
    return Finding("Already the potentials of the first step are wrong.", VAGUE)


def _fitted(columns: dict[str, Array], target: Array) -> dict[str, float] | None:
    """Return the coefficient of each term, or None where no sum of them gives the target."""
    chosen: list[str] = []
    for name in columns:  # leave out what the terms before it give as well
        A = np.stack([columns[c] for c in (*chosen, name)], axis=1)
        if np.linalg.matrix_rank(A, tol=1e-9 * max(np.abs(A).max(), 1e-9)) == len(chosen) + 1:
            chosen.append(name)
    A = np.stack([columns[name] for name in chosen], axis=1)
    c, *_ = np.linalg.lstsq(A, target, rcond=None)
    if np.abs(A @ c - target).max() > TOLERANCE * np.abs(target).max():
        return None
    return dict(zip(chosen, c.tolist(), strict=True))


def _spikes(rows: Sequence[Rows]) -> list[Finding]:
    """Return what is wrong with the spikes, given the potentials beside them."""
    u, o, own = (
        np.concatenate([values.ravel() for values in group])
        for group in zip(*((r.u, r.o, r.spikes()) for r in rows), strict=True)
    )
    limit = np.concatenate([np.full(r.u.size, r.neuron.v_th) for r in rows])
    wrong = np.abs(o - own) > TOLERANCE
    if not wrong.any():
        return []
    places = (
        (u == limit, "u is exactly at the threshold"),
        (u > limit, "u is above the threshold"),
        (u < limit, "u is below the threshold"),
        (u >= limit, "u is at or above the threshold"),
    )
    where = next((words for holds, words in places if not (wrong & ~holds).any()), "")
    text = "In the line that makes a spike from its potential: o is not g(u)"
    return [Finding(f"{text}{f' where {where}' if where else ''}.", "step", frozenset({"o"}))]


def _backward(exercise: Exercise, function: Function) -> list[Finding]:
    """Return the cases in which the sweep goes wrong, and their wrong terms."""
    net = wide_network()
    value = call(function, (net.trace, net.targets, net.params, net.neuron))
    gradients = gradients_of(value, net)
    if gradients is None:
        return []
    lines = wrong_cases(net, gradients, BACKWARD[exercise.id])
    return [
        Finding(text, VAGUE if NO_SUM in text else "step", frozenset({f"case {case}"}))
        for case, text in lines.items()
    ]
