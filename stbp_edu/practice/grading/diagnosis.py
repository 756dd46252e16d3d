"""What is found out about a mistake that has no name, the plainest idea first."""

from collections.abc import Callable
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np

from stbp_edu.practice.grading.calling import Habits, call
from stbp_edu.practice.grading.differences import difference
from stbp_edu.practice.grading.epsilon_fit import BACKWARD, NO_SUM, by_case
from stbp_edu.practice.grading.search import Answer, Finding, single_mistake
from stbp_edu.practice.grading.several import Asked, Probe, unknown_part, wrong_terms
from stbp_edu.practice.grading.structure import Difference, results_of
from stbp_edu.practice.grading.where import mixed, wrong_calls, wrong_cells
from stbp_edu.practice.tasks import Exercise, Function

NEAR = 5e-3
"""What is right to so many digits is rounded, or in float16."""


def unnamed(exercise: Exercise, function: Function, answer: Answer) -> list[Finding]:
    """Return what can be said about an answer to an exercise."""
    if all(isinstance(o, Difference) for o in answer.outcomes):
        return []
    with np.errstate(all="ignore"):
        cases = by_case(function, BACKWARD[exercise.id]) if exercise.id in BACKWARD else {}
        steps = [Finding("case", f"case {case}", text) for case, text in cases.items()]
        clear = [f for f in steps if NO_SUM not in f.text]
        if found := clear or single_mistake(answer) or steps or nearly(answer):
            return found
        if exercise.comparable is not None:
            return []
        if isinstance(answer.right[0], (set, frozenset)):
            return [*wrong_cells(answer), *wrong_calls(answer)]
        like = answer.right[0]
        several = several_mistakes(answer, asked(function, like), asked(exercise.answer, like))
        return several or wrong_calls(answer)


def nearly(answer: Answer) -> list[Finding]:
    """Return that an answer is right to a few digits, if it is."""
    pairs = zip(answer.outcomes, answer.right, strict=True)
    if any(difference(*pair, rtol=NEAR) for pair in pairs):
        return []
    text = "It is right to about 3 digits; float64 holds 16. Is a number rounded, or in float16?"
    return [Finding("digits", "", text)]


def several_mistakes(answer: Answer, reader: Asked, exact: Asked) -> list[Finding]:
    """Return where an answer is wrong that no single change of the right one explains."""
    if any(map(is_dataclass, answer.inputs[0].args)):
        return []  # of whole networks, the quantities cannot be moved one by one
    found: list[Finding] = []
    for k in wrong_results(answer):
        probe = Probe(answer, reader, exact, k)
        if not probe.movable or not probe.situations:
            continue
        label = f"{answer.parts[k]}: " if k < len(answer.parts) else ""
        told = [*unknown_part(probe), *wrong_terms(probe), *mixed(probe)]
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


def asked(function: Callable[..., Any], like: Any) -> Asked:
    """Return a function from arguments to results, which fails with None."""
    habits = Habits()
    return lambda args: results_of(call(function, tuple(args), habits=habits), like)
