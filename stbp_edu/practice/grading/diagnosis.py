"""What is found out about a mistake that has no name, the plainest idea first."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.practice.grading.epsilon_fit import BACKWARD, NO_SUM, case_reports
from stbp_edu.practice.grading.search import Answer, Finding, single_mistake
from stbp_edu.practice.grading.terms import wrong_terms
from stbp_edu.practice.grading.values import Difference, difference
from stbp_edu.practice.tasks import Exercise, Function, Inputs

FEW_DIGITS = 5e-3
"""What is right to so many digits is rounded, or in float16."""


def unnamed(
    exercise: Exercise, answer: Answer, function: Function, ask: Callable[..., Any]
) -> list[Finding]:
    """Return what can be said about an answer to an exercise."""
    if all(isinstance(outcome, Difference) for outcome in answer.outcomes):
        return []
    with np.errstate(all="ignore"):
        steps = wrong_cases(function, exercise.id) if exercise.id in BACKWARD else []
        clear = [f for f in steps if NO_SUM not in f.text]
        if found := clear or single_mistake(answer) or steps or nearly(answer):
            return found
        cells = wrong_cells(answer) if isinstance(answer.likes[0], set) else []
        terms = wrong_terms(answer, ask) if not answer.view and not cells else []
        return [*cells, *terms, *([] if terms or answer.view else wrong_calls(answer))]


def wrong_cases(function: Function, exercise_id: str) -> list[Finding]:
    """Return what is wrong with the cases of a backward pass that are wrong in themselves."""
    cases = [c for c in case_reports(function, BACKWARD[exercise_id]) if c.explanation]
    if cases and cases[-1].case == 5:
        cases = cases[-1:]  # then no ε can be found, and the other cases say nothing
    return [
        Finding("case", f"case {c.case}", f"Case {c.case}: {c.explanation}. First at {c.first}.")
        for c in cases
    ]


def nearly(answer: Answer) -> list[Finding]:
    """Return that an answer is right to a few digits, if it is."""
    if any(
        difference(*pair, FEW_DIGITS) for pair in zip(answer.outcomes, answer.right, strict=True)
    ):
        return []
    text = "It is right to about 3 digits; float64 holds 16. Is a number rounded, or in float16?"
    return [Finding("digits", "", text)]


def wrong_calls(answer: Answer) -> list[Finding]:
    """Return what the calls have in common in which an answer is wrong."""
    wrong = np.array(answer.wrong)
    conditions = [] if wrong.all() else list(_of_calls(answer.names, answer.inputs))
    for always, (words, holds) in product((True, False), conditions):
        inside = not (wrong & ~holds).any() and not holds.all()
        if inside and (np.array_equal(holds, wrong) or not always):
            ending = "and right everywhere else" if always else "though not always there"
            text = f"It is wrong {'' if always else 'only '}where {words}, {ending}."
            return [Finding("calls", words, text)]
    return []


def _of_calls(
    names: Sequence[str], inputs: Sequence[Inputs]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield conditions on the arguments of a call, each with the calls in which it holds."""
    columns = {
        name: np.array([i.args[k] for i in inputs], dtype=object)
        for k, name in enumerate(names)
        if isinstance(inputs[0].args[k], (int, str))
    }
    if {"t", "n", "T", "N"} <= columns.keys():
        t, n, T, N = (columns[name].astype(int) for name in ("t", "n", "T", "N"))
        last, top = t == T - 1, n == N
        plain = {"t is the last step": last, "t is not the last step": ~last,
                 "n is the output layer": top, "n is below the output layer": ~top,
                 "t is the first step": t == 0, "n is the lowest layer": n == 1}  # fmt: skip
        yield from plain.items()
        for (a, first), (b, second) in product(plain.items(), repeat=2):
            yield f"{a} or {b}", first | second
        for case, holds in enumerate((last & top, last & ~top, ~last & top, ~last & ~top), 1):
            yield f"the cell belongs to case {case}", holds
    for name, values in columns.items():
        for value in dict.fromkeys(values.tolist()):
            yield f"`{name}` is {value!r}", values == value
            yield f"`{name}` is not {value!r}", values != value
    one = np.array([i.T == 1 for i in inputs])
    yield "there is one step only", one
    yield "there is more than one step", ~one


def wrong_cells(answer: Answer) -> list[Finding]:
    """Return which cells are missing and which are too many, as seen from the cell (t, n)."""
    missing: set[tuple[int, int]] = set()
    extra: set[tuple[int, int]] = set()
    for inputs, outcome, like in zip(answer.inputs, answer.outcomes, answer.likes, strict=True):
        cells = outcome[0] if isinstance(outcome, tuple) else None
        if not isinstance(cells, frozenset):  # no set of cells: said elsewhere
            return []
        t, n = inputs.args[:2]
        missing |= {(i - t, j - n) for i, j in like - cells}
        extra |= {(i - t, j - n) for i, j in cells - like}
    named = (("missing", missing), ("too many", extra))
    said = "; ".join(f"{words}: {_cells(cells)}" for words, cells in named if cells)
    return [Finding("cells", said, f"In some calls, {said}.")]


def _cells(offsets: set[tuple[int, int]]) -> str:
    """Return cells by where they lie from (t, n), such as "(t+1, n)"."""
    return ", ".join(f"(t{dt:+d}, n{dn:+d})".replace("+0", "") for dt, dn in sorted(offsets)[:4])
