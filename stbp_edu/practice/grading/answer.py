"""An answer beside the right one, call by call, and where the two differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading.calling import (
    CallResult,
    Difference,
    ResultPart,
    call,
    in_shape,
    kind_of,
    plain,
    tried,
)
from stbp_edu.practice.tasks import AnswerFunction, Inputs, Task, step_name
from stbp_edu.practice.tasks.programs import define

RTOL = 2e-5
"""To how many digits an answer has to be right: as many as float32 leaves of a sum."""
SHARE = 0.2  # in float32, sums are rounded as their largest term is


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer to a task, a function, beside the right one."""

    task: Task
    function: AnswerFunction
    situations: Sequence[Inputs]  # what it is called with, and what belongs there

    def asked(self, k: int) -> CallResult:
        """Return what comes of the reader's function in the k-th call."""
        inputs = self.situations[k]
        judged = self.task.comparable(self.function)
        return call(judged, inputs.args, inputs.right, self.task.parts)

    @cached_property
    def outcomes(self) -> list[CallResult]:
        """What comes of the reader's function, call by call."""
        return [*map(self.asked, range(len(self.situations)))]

    @cached_property
    def right(self) -> list[CallResult]:
        """What belongs there, call by call."""
        parts = self.task.parts
        return [plain(one.right, one.right, parts) for one in self.situations]

    @cached_property
    def arrays(self) -> list[Array]:
        """The results that are arrays, of all calls."""
        found = []
        for outcome in self.outcomes:
            if isinstance(outcome, dict):
                parts = outcome.values()
                found += [p for p in parts if isinstance(p, np.ndarray) and p.size]
        return found

    def misses(self, rtol: float) -> list[bool]:
        """Return whether an outcome is not right to so many digits, call by call."""
        pairs = zip(self.outcomes, self.right, strict=True)
        return [not same(outcome, right, rtol) for outcome, right in pairs]

    @cached_property
    def wrong(self) -> list[bool]:
        """Whether the answer is wrong, call by call."""
        return self.misses(RTOL)

    @cached_property
    def order(self) -> list[int]:
        """The calls in the order in which programs are compared: the telling ones first."""
        return sorted(range(len(self.wrong)), key=lambda k: not self.wrong[k])

    def at(self, function: AnswerFunction, k: int) -> CallResult:
        """Return the result of one of the package's own functions in the k-th call."""
        inputs = self.situations[k]
        return tried(self.task.comparable(function), inputs.args, inputs.right)

    def gives(self, program: str) -> bool:
        """Return whether a program has the same outcomes in every call."""
        try:
            function = define(program)
        except SyntaxError:
            return False
        return all(same(self.at(function, k), self.outcomes[k]) for k in self.order)

    def vector(self, outcome: CallResult, k: int) -> Array:
        """Return all numbers of an outcome of a call in a row; NaN where it has other shapes."""
        if not in_shape(outcome, self.right[k]):
            return np.array([np.nan])
        parts: Any = outcome
        return np.concatenate([part.astype(float).ravel() for part in parts.values()])

    def difference(self, k: int) -> Difference:
        """Return where the wrong outcome of the k-th call first differs from the right one."""
        outcome = self.outcomes[k]
        right: Any = self.right[k]
        if outcome is None:
            return Difference("problem", "It returns nothing here.")
        if isinstance(outcome, Difference):
            return outcome
        for name, result in outcome.items():
            if not alike(result, right[name]):
                kind, message = _described(result, right[name], self.task.axes)
                return Difference(kind, f"{name}: {message}" if name else message)
        raise ValueError(f"the outcome of call {k} is right")


def same(a: CallResult, b: CallResult, rtol: float = RTOL) -> bool:
    """Return whether two calls came out alike: equal values, or the same exception.

    A NaN equals a NaN in the same place, so a mistake that divides by zero has its name too.
    """
    if isinstance(a, Difference) and isinstance(b, Difference):
        said = (d.error or d.message.partition(", where")[0] for d in (a, b))
        return next(said) == next(said)
    if not isinstance(a, dict) or not isinstance(b, dict):
        return a is b
    pairs = zip(a.values(), b.values(), strict=True)
    return all(alike(x, y, rtol) for x, y in pairs)


def alike(a: ResultPart, b: ResultPart, rtol: float = RTOL) -> bool:
    """Return whether two results are the same."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return type(a) is type(b) and bool(a == b)
    if a.shape != b.shape:
        return False
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)):
        return False
    return not _off(a[finite], b[finite], rtol).any()


def _off(value: Array, right: Array, rtol: float) -> NDArray[np.bool_]:
    """Return where numbers differ, relative to each and to a share of the largest beside it."""
    right = right.astype(float)
    size = np.abs(right)
    floor = rtol * SHARE * float(size.max(initial=1e-30))
    off = np.abs(value - right)
    return ~np.less_equal(off, rtol * size + floor)


def _described(
    got: ResultPart, want: ResultPart, axes: Sequence[str]
) -> tuple[str, str]:
    """Return in what a result differs from the right one, and the words on it."""
    if not isinstance(got, np.ndarray) or not isinstance(want, np.ndarray):
        cells = f"yours {sorted(got)}, expected {sorted(want)}"
        return "value", f"{cells}, as cells (t, n) with t counted from 0"
    if got.shape != want.shape:
        text = f"it returns {kind_of(got)}, where {kind_of(want)} is expected"
        if got.size == 1 and not want.shape:
            text += ": return the number in it, without the brackets around it"
        return "shape", text
    if want.dtype == bool and not want.shape:
        return "value", "this does not hold"
    infinite = ~np.isfinite(got)
    where = infinite if infinite.any() else _off(got, want, RTOL)
    index = tuple(map(int, np.argwhere(where)[0]))
    place = f" at index {index[0] if len(index) == 1 else index}" if index else ""
    if index and len(index) == len(axes):
        named = zip(axes, index, strict=True)
        words = (step_name(i) if name == "t" else f"{name} {i}" for name, i in named)
        place = f" at {', '.join(words)}"
        place += "" if list(axes) == ["t"] else " (counted from 0)"
    if infinite.any():
        said = f"it returns {got[index]}{place}: a division by zero, or an overflow"
        return "nan", said
    return "value", f"{side_by_side(float(got[index]), float(want[index]))}{place}"


def side_by_side(yours: float, exact: float) -> str:
    """Return two numbers with as many digits as it takes to tell them apart.

    >>> side_by_side(0.33333333, 0.33333444)
    'yours 0.333333, exact 0.333334'
    """
    for digits in range(4, 18):
        x = f"{yours:.{digits}g}"
        y = f"{exact:.{digits}g}"
        if x != y:
            break
    return f"yours {x}, exact {y}"
