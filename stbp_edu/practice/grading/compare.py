"""Compare what a function returned with what is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.exercises.situation import step
from stbp_edu.practice.grading.attempt import Outcome

RTOL = 1e-6


@dataclass(frozen=True)
class Difference:
    """The first place where a value is not what it should be.

    Attributes:
        part: which of several results, or an empty string.
        kind: ``"type"``, ``"shape"``, ``"nan"`` or ``"value"``.
        words: what differs, with the place.
    """

    part: str
    kind: str
    words: str


def difference(
    got: Any, want: Any, axes: tuple[str, ...] = (), parts: tuple[str, ...] = ()
) -> Difference | None:
    """Return the first difference, or None where they agree to a relative 1e-6.

    ``axes`` names the axes of an array, ``parts`` the entries of a tuple.
    """
    for part, value, right in _leaves(got, want, parts=parts):
        misfit = isinstance(value, Misfit)
        found = ("type", value.words) if misfit else _leaf_difference(value, right, axes)
        if found is not None:
            return Difference(part, *found)
    return None


def same(a: Outcome, b: Outcome, like: Any) -> bool:
    """Whether two calls came to the same: equal values in the structure of ``like``, or a problem.

    A NaN equals a NaN in the same place, so that a mistake that divides by zero has its name too.
    """
    if a.problem or b.problem:
        return bool(a.problem) == bool(b.problem)
    leaves = zip(_leaves(a.value, like), _leaves(b.value, like), strict=True)
    return all(_equal(x, y) for (_, x, _), (_, y, _) in leaves)


def _equal(a: Any, b: Any) -> bool:
    """Whether two results are the same mistake."""
    if isinstance(b, (set, frozenset)):
        return _set_difference(a, b) is None
    x, y = _numbers(a), _numbers(b)
    if x is None and y is None:  # no numbers in either: the same thing in their place
        return type(a) is type(b) and (not isinstance(a, Misfit) or a == b)
    if x is None or y is None or x.shape != y.shape:
        return False
    finite = np.isfinite(x)
    same_places = np.array_equal(finite, np.isfinite(y))
    return same_places and _leaf_difference(x[finite], y[finite], ()) is None


def _numbers(value: Any) -> Array | None:
    """Return real numbers as a float array, or None where the value is something else."""
    if value is None or value is Ellipsis or isinstance(value, Misfit):
        return None
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufO":
            return None
        return array.astype(float)
    except (TypeError, ValueError):
        return None


PAIRS = (("W", "b"), ("U", "O"))


def _leaves(
    got: Any, want: Any, part: str = "", parts: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any, Any]]:
    """Walk the arrays of ``want`` beside what stands in their place in ``got``."""
    pair = next((p for p in PAIRS if all(hasattr(want, name) for name in p)), None)
    if pair is not None:
        if all(hasattr(got, name) for name in pair):
            got = tuple(getattr(got, name) for name in pair)
        right = tuple(list(getattr(want, name)) for name in pair)
        yield from _leaves(got, right, part, pair)
    elif isinstance(want, (tuple, list)):
        fits = isinstance(got, (tuple, list)) and len(got) == len(want)
        values = got if fits else [_misfit(got, want, parts)] * len(want)
        for k, (value, right) in enumerate(zip(values, want, strict=True)):
            if right is not None:
                label = parts[k] if k < len(parts) else f"{part}[{k}]"
                yield from _leaves(value, right, label if fits else part)
    else:
        yield part, got, want


@dataclass(frozen=True)
class Misfit:
    """Stands where a result has not as many parts as are expected; says so."""

    words: str


def _misfit(got: Any, want: Any, parts: tuple[str, ...]) -> Misfit:
    """Say what came in place of several results."""
    if isinstance(got, Misfit):
        return got
    several = isinstance(got, (tuple, list))
    came = f"{len(got)} results" if several else f"one {type(got).__name__} alone"
    names = f" ({', '.join(parts)})" if parts else ", None first" * (want[0] is None)
    return Misfit(f"it returns {came}, where {len(want)} are expected{names}")


def _leaf_difference(got: Any, want: Any, axes: tuple[str, ...]) -> tuple[str, str] | None:
    """Compare one array, number or set; return kind and words of the difference."""
    if isinstance(want, (set, frozenset)):
        return _set_difference(got, want)
    right = np.asarray(want, dtype=float)
    value = _numbers(got)
    if value is None:
        kind = "complex numbers" if np.iscomplexobj(got) else type(got).__name__
        return "type", f"it returns {kind}, where {_shape(right)} is expected"
    if value.shape != right.shape:
        return "shape", f"it returns {_shape(value)}, where {_shape(right)} is expected"
    if not np.isfinite(value).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        cause = "a division by zero, or an overflow"
        return "nan", f"it returns {value[index]}{_at(index, axes)}: {cause}"
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-30)
    # Written so that a NaN in ``right`` counts as a difference.
    wrong = ~(np.abs(value - right) <= RTOL * (np.abs(right) + 1e-3 * scale))
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    if isinstance(want, bool):
        return "value", "this does not hold"
    return "value", f"yours {value[index]:.4g}, exact {right[index]:.4g}{_at(index, axes)}"


def _shape(array: Array) -> str:
    """Name the shape of an array."""
    return f"shape {array.shape}" if array.shape else "one number"


def _set_difference(got: Any, want: Any) -> tuple[str, str] | None:
    """Compare two sets of cells."""
    try:
        value = {tuple(int(i) for i in cell) for cell in got}
    except (TypeError, ValueError):
        return "type", f"it returns {type(got).__name__}, where a set of cells (t, n) is expected"
    if value == set(want):
        return None
    cells = f"yours {sorted(value)}, expected {sorted(want)}"
    return "value", f"{cells}, as cells (t, n) with t counted from 0"


def _at(index: tuple[int, ...], axes: tuple[str, ...]) -> str:
    """Say where an index is, in the words of the axes."""
    if not index:
        return ""
    if len(index) != len(axes):
        return f" at index {index[0] if len(index) == 1 else index}"
    words = [step(i) if name == "t" else f"{name} {i}" for name, i in zip(axes, index, strict=True)]
    return f" at {', '.join(words)}" + " (counted from 0)" * (axes != ("t",))
