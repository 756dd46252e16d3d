"""Where what a function returned differs from what is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import step_name

RTOL = 1e-6
PAIRS = (("W", "b"), ("U", "O"))
"""The attributes by which gradients and traces are compared."""


@dataclass(frozen=True)
class Difference:
    """The first place where a value is not what it should be, or why there is no value.

    Attributes:
        kind: ``"problem"``, ``"type"``, ``"shape"``, ``"nan"`` or ``"value"``.
        message: what differs, with the place.
        blank: whether an ``...`` that is left in the function is the reason.
        part: which of several results, or an empty string.
    """

    kind: str
    message: str
    blank: bool = False
    part: str = ""


def is_blank(value: object) -> bool:
    """Return whether a returned value is an unfilled stub: None, ``...``, or a tuple of such."""
    if isinstance(value, tuple) and value:
        return all(map(is_blank, value))
    return value is None or value is Ellipsis


def difference(
    got: Any, want: Any, axes: Sequence[str] = (), parts: Sequence[str] = ()
) -> Difference | None:
    """Return the first difference of two values, or None where they agree to a relative 1e-6.

    ``axes`` names the axes of an array, ``parts`` the entries of a tuple.
    """
    for part, value, right in _leaves(got, want, parts=parts):
        if first := _leaf_difference(value, right, axes):
            return replace(first, part=part)
    return None


def same_outcome(a: Any, b: Any, like: Any) -> bool:
    """Return whether two calls have equal values in the structure of ``like``, or both a problem.

    A NaN equals a NaN in the same place, so that a mistake that divides by zero has its name too.
    """
    if isinstance(a, Difference) or isinstance(b, Difference):
        return type(a) is type(b)
    leaves = zip(_leaves(a, like), _leaves(b, like), strict=True)
    return all(_equal(x, y) for (_, x, _), (_, y, _) in leaves)


def _equal(a: Any, b: Any) -> bool:
    """Return whether two results are the same mistake."""
    if isinstance(b, (set, frozenset)):
        return _set_difference(a, b) is None
    x, y = _numbers(a), _numbers(b)
    if x is None and y is None:  # no numbers in either: the same thing in their place
        return type(a) is type(b) and (not isinstance(a, Difference) or a == b)
    if x is None or y is None or x.shape != y.shape:
        return False
    finite = np.isfinite(x)
    same_places = np.array_equal(finite, np.isfinite(y))
    return same_places and _leaf_difference(x[finite], y[finite], ()) is None


def _numbers(value: Any) -> Array | None:
    """Return real numbers as a float array, or None where the value is something else."""
    if value is None:
        return None
    try:
        array = np.asarray(value)
        return array.astype(float) if array.dtype.kind in "biufO" else None
    except (TypeError, ValueError):
        return None


def _leaves(
    got: Any, want: Any, part: str = "", parts: Sequence[str] = ()
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the arrays of ``want``, each with its name and what stands in its place in ``got``.

    Where ``got`` has not as many parts, a Difference that says so stands there.
    """
    for pair in PAIRS:
        if all(hasattr(want, name) for name in pair):
            if all(hasattr(got, name) for name in pair):
                got = tuple(getattr(got, name) for name in pair)
            want, parts = tuple(getattr(want, name) for name in pair), pair
    if not isinstance(want, (tuple, list)):
        yield part, got, want
        return
    fits = isinstance(got, (tuple, list)) and len(got) == len(want)
    values = got if fits else [_count_difference(got, want, parts)] * len(want)
    for k, (value, right) in enumerate(zip(values, want, strict=True)):
        if right is not None:
            label = parts[k] if k < len(parts) else f"{part}[{k}]"
            yield from _leaves(value, right, label if fits else part)


def _count_difference(got: Any, want: Any, parts: Sequence[str]) -> Difference:
    """Return the difference where several results are expected and not as many came."""
    if isinstance(got, Difference):
        return got
    several = isinstance(got, (tuple, list))
    came = f"{len(got)} results" if several else f"one {type(got).__name__} alone"
    names = f" ({', '.join(parts)})" if parts else ", None first" * (want[0] is None)
    return Difference("type", f"it returns {came}, where {len(want)} are expected{names}")


def _leaf_difference(got: Any, want: Any, axes: Sequence[str]) -> Difference | None:
    """Return the first difference of one array, number or set, or None."""
    if isinstance(got, Difference):
        return got
    if isinstance(want, (set, frozenset)):
        return _set_difference(got, want)
    right = np.asarray(want, dtype=float)
    value = _numbers(got)
    if value is None:
        kind = "complex numbers" if np.iscomplexobj(got) else type(got).__name__
        return Difference("type", f"it returns {kind}, where {_shape(right)} is expected")
    if value.shape != right.shape:
        return Difference("shape", f"it returns {_shape(value)}, where {_shape(right)} is expected")
    finite = np.isfinite(value)
    if not finite.all():
        index, place = _first(~finite, axes)
        cause = "a division by zero, or an overflow"
        return Difference("nan", f"it returns {value[index]}{place}: {cause}")
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-30)
    # Written so that a NaN in ``right`` counts as a difference.
    wrong = ~(np.abs(value - right) <= RTOL * (np.abs(right) + 1e-3 * scale))
    if not wrong.any():
        return None
    if isinstance(want, bool):
        return Difference("value", "this does not hold")
    index, place = _first(wrong, axes)
    return Difference("value", f"yours {value[index]:.4g}, exact {right[index]:.4g}{place}")


def _shape(array: Array) -> str:
    """Return the shape of an array, in words."""
    return f"shape {array.shape}" if array.shape else "one number"


def _set_difference(got: Any, want: Any) -> Difference | None:
    """Return the difference of two sets of cells, or None where they are equal."""
    try:
        value = {tuple(int(i) for i in cell) for cell in got}
    except (TypeError, ValueError):
        return Difference(
            "type", f"it returns {type(got).__name__}, where a set of cells (t, n) is expected"
        )
    if value == set(want):
        return None
    cells = f"yours {sorted(value)}, expected {sorted(want)}"
    return Difference("value", f"{cells}, as cells (t, n) with t counted from 0")


def _first(wrong: NDArray[np.bool_], axes: Sequence[str]) -> tuple[tuple[int, ...], str]:
    """Return the first index at which ``wrong`` holds, and where that is, by the axes' names."""
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    if not index:
        return index, ""
    if len(index) != len(axes):
        return index, f" at index {index[0] if len(index) == 1 else index}"
    named = zip(axes, index, strict=True)
    places = [step_name(i) if name == "t" else f"{name} {i}" for name, i in named]
    return index, f" at {', '.join(places)}" + " (counted from 0)" * (list(axes) != ["t"])
