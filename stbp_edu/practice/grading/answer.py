"""A wrong answer beside the right one, call by call, and where the two differ."""

from collections.abc import Callable, Sequence
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
    kind_of,
    plain,
    tried,
)
from stbp_edu.practice.tasks import AnswerFunction, Inputs, step_name

RTOL = 1e-6
SHORT_RTOL = 2e-5
"""To how many digits an answer is right that is computed in float32."""
SHARE = 0.2  # in float32, sums are rounded as their largest term is


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer beside the right one.

    ``ask`` returns what comes of the reader's function for arguments, shaped as another result.
    ``view`` makes a random function one whose results can be compared; None for any other.
    """

    source: str  # the solution
    situations: Sequence[Inputs]  # what both are called with, and what belongs there
    ask: Callable[[Sequence[Any], Any], CallResult]
    axes: Sequence[str] = ()  # what the axes of a result are
    parts: Sequence[str] = ()  # what the results are, where there are several
    view: Callable[[AnswerFunction], AnswerFunction] | None = None

    @cached_property
    def outcomes(self) -> list[CallResult]:
        """What comes of the reader's function, call by call."""
        return [self.ask(one.args, one.right) for one in self.situations]

    @cached_property
    def right(self) -> list[CallResult]:
        """What belongs there, call by call."""
        return [plain(one.right, one.right) for one in self.situations]

    @cached_property
    def arrays(self) -> list[Array]:
        """The results that are arrays, of all calls."""
        every = [
            part for o in self.outcomes if isinstance(o, dict) for part in o.values()
        ]
        return [part for part in every if isinstance(part, np.ndarray) and part.size]

    @cached_property
    def rtol(self) -> float:
        """To how many digits the answer is computed."""
        short = any(array.dtype in (np.float32, np.float16) for array in self.arrays)
        return SHORT_RTOL if short else RTOL

    def misses(self, rtol: float) -> list[bool]:
        """Return whether an outcome is not right to so many digits, call by call."""
        return [
            not same(*pair, rtol)
            for pair in zip(self.outcomes, self.right, strict=True)
        ]

    @cached_property
    def wrong(self) -> list[bool]:
        """Whether the answer is wrong, call by call."""
        return self.misses(self.rtol)

    @cached_property
    def order(self) -> list[int]:
        """The calls in the order in which hypotheses are asked: the telling ones first."""
        fails = [isinstance(outcome, Difference) for outcome in self.outcomes]
        sizes = [i.T * i.S if i.T > 1 else 1000 for i in self.situations]
        return sorted(
            range(len(sizes)), key=lambda k: (not self.wrong[k], fails[k], sizes[k])
        )

    def at(self, function: AnswerFunction, k: int) -> CallResult:
        """Return the result of one of the package's own functions in the k-th call."""
        seen = function if self.view is None else self.view(function)
        return tried(seen, self.situations[k].args, self.situations[k].right)

    def gives(self, function: AnswerFunction, *, exactly: bool = True) -> bool:
        """Return whether a function has the same outcomes in every call."""
        pairs = ((self.at(function, k), self.outcomes[k]) for k in self.order)
        return all(same(*pair, self.rtol, exactly=exactly) for pair in pairs)

    def vector(self, outcome: CallResult, k: int) -> Array:
        """Return all numbers of an outcome of a call in a row; NaN where it has other shapes."""
        found = outcome.values() if isinstance(outcome, dict) else ()
        arrays = [part.astype(float) for part in found if isinstance(part, np.ndarray)]
        shapes = [np.shape(x) for x in self.right[k].values()]  # type: ignore[arg-type, union-attr]
        if [x.shape for x in arrays] != shapes:
            return np.array([np.nan])
        return np.concatenate([x.ravel() for x in arrays])

    def difference(self, k: int) -> Difference:
        """Return the first difference of a wrong outcome, that of the k-th call."""
        got, right = self.outcomes[k], self.right[k]
        if not isinstance(got, dict) or not isinstance(right, dict):
            return got or Difference("problem", "It returns nothing here.")  # type: ignore[return-value]
        pairs = zip(got.items(), right.values(), strict=True)
        part, x, y = next(
            (n, x, y) for (n, x), y in pairs if not alike(x, y, self.rtol)
        )
        kind, message = _described(x, y, self.rtol, self.axes)
        return Difference(kind, f"{part}: {message}" if part else message)


def same(
    a: CallResult, b: CallResult, rtol: float = RTOL, *, exactly: bool = False
) -> bool:
    """Return whether two calls came out alike: equal values, or the same kind of exception.

    ``exactly``, if it also said the same. A NaN equals a NaN in the same place, so a mistake
    that divides by zero has its name too.
    """
    if isinstance(a, Difference) and isinstance(b, Difference):
        words = None if exactly else 1
        x, y = (
            d.error.split()[:words] or d.message.partition(", where")[0] for d in (a, b)
        )
        return x == y
    if not isinstance(a, dict) or not isinstance(b, dict):
        return a is b
    return all(alike(x, y, rtol) for x, y in zip(a.values(), b.values(), strict=True))


def alike(a: ResultPart, b: ResultPart, rtol: float) -> bool:
    """Return whether two results are the same."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return type(a) is type(b) and bool(a == b)
    if a.shape != b.shape:
        return False
    finite = np.isfinite(a)
    return (
        np.array_equal(finite, np.isfinite(b))
        and not _off(a[finite], b[finite], rtol).any()
    )


def _off(value: Array, right: Array, rtol: float) -> NDArray[np.bool_]:
    """Return where numbers differ, relative to each and to a share of the largest beside it."""
    size = np.abs(right.astype(float))
    floor = rtol * (1e-3 if rtol <= RTOL else SHARE) * float(size.max(initial=1e-30))
    return ~np.less_equal(np.abs(value - right.astype(float)), rtol * size + floor)


def _described(
    got: ResultPart, want: ResultPart, rtol: float, axes: Sequence[str]
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
    wrong = infinite if infinite.any() else _off(got, want, rtol)
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = _place(index, axes)
    if infinite.any():
        return (
            "nan",
            f"it returns {got[index]}{place}: a division by zero, or an overflow",
        )
    return "value", f"{side_by_side(float(got[index]), float(want[index]))}{place}"


def _place(index: tuple[int, ...], axes: Sequence[str]) -> str:
    """Return the words for an index, with the names of the axes where each has one."""
    if not index:
        return ""
    if len(index) != len(axes):
        return f" at index {index[0] if len(index) == 1 else index}"
    named = zip(axes, index, strict=True)
    places = [step_name(i) if name == "t" else f"{name} {i}" for name, i in named]
    counted = "" if list(axes) == ["t"] else " (counted from 0)"
    return f" at {', '.join(places)}{counted}"


def side_by_side(yours: float, exact: float) -> str:
    """Return two numbers with as many digits as it takes to tell them apart.

    >>> side_by_side(0.33333333, 0.33333444)
    'yours 0.333333, exact 0.333334'
    """
    pairs = ((f"{yours:.{digits}g}", f"{exact:.{digits}g}") for digits in range(4, 18))
    x, y = next((x, y) for x, y in pairs if x != y)
    return f"yours {x}, exact {y}"
