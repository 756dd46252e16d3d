"""What a function returned: arrays of numbers, or what else it is; and where it differs."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import step_name

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
        error: the exception that was raised, its name first, or an empty string.
    """

    kind: str
    message: str
    blank: bool = False
    part: str = ""
    error: str = ""


MOST = 10**6
"""Numbers in an answer; none has so many."""


def is_blank(value: object) -> bool:
    """Return whether a returned value is an unfilled stub: None, ``...``, or a tuple of such."""
    if isinstance(value, tuple) and value:
        return all(map(is_blank, value))
    return value is None or value is Ellipsis


def is_short(value: Any, like: Any) -> bool:
    """Return whether a value holds floats with fewer digits than float64."""
    return any(
        isinstance(got, (np.ndarray, np.generic)) and got.dtype in (np.float32, np.float16)
        for _, got, _ in leaves(value, like)
    )


def is_masked(value: object) -> bool:
    """Return whether entries of a masked array have no value."""
    return isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any())


def numbers(value: Any) -> Array | None:
    """Return real numbers as a float array, or None where the value is something else."""
    if value is None or is_masked(value):
        return None
    try:
        if isinstance(value, range) and len(value) > MOST:
            return None  # a few bytes that would become gigabytes
        array = np.asarray(value)
        if array.dtype.kind == "c" and not array.imag.any():
            array = array.real  # the numbers are real, whatever type they have
        return array.astype(float) if array.dtype.kind in "biufO" else None
    except Exception:  # whatever an object's own __array__ or __float__ does
        return None


def leaves(
    got: Any, want: Any, part: str = "", parts: Sequence[str] = ()
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the arrays of ``want``, each with its name and what stands in its place in ``got``.

    Where ``got`` has not as many parts, a Difference that says so stands there.
    """
    for pair in PAIRS:
        if all(hasattr(want, name) for name in pair):
            got = _pair(got, pair)
            want, parts = tuple(getattr(want, name) for name in pair), pair
    if not isinstance(want, (tuple, list)):
        yield part, got, want
        return
    if isinstance(got, np.ndarray) and all(isinstance(w, np.ndarray) for w in want):
        stacked = {got.shape} == {(len(want), *w.shape) for w in want}
        got = tuple(got) if stacked else got
    fits = isinstance(got, (tuple, list)) and len(got) == len(want)
    values = got if fits else [_count_difference(got, want, parts)] * len(want)
    for k, (value, right) in enumerate(zip(values, want, strict=True)):
        if right is not None:
            label = parts[k] if k < len(parts) else f"{part}[{k}]"
            yield from leaves(value, right, label if fits else part)


def results_of(value: Any, like: Any) -> list[Array] | None:
    """Return the results as arrays, in the structure of ``like``; None where one is none."""
    found = [None if isinstance(v, Difference) else numbers(v) for _, v, _ in leaves(value, like)]
    return None if any(array is None for array in found) else found  # type: ignore[return-value]


def are_complex(*values: Any) -> bool:
    """Return whether all of these are complex numbers."""
    known = (complex, np.ndarray, np.generic)
    return all(isinstance(v, known) and np.iscomplexobj(v) for v in values)


def _pair(got: Any, pair: Sequence[str]) -> Any:
    """Return these attributes of a value as a tuple; the value itself where it lacks one."""
    try:
        return tuple(getattr(got, name) for name in pair)
    except Exception:  # whatever an object's own __getattr__ does
        return got


def _count_difference(got: Any, want: Any, parts: Sequence[str]) -> Difference:
    """Return the difference where several results are expected and not as many came."""
    if isinstance(got, Difference):
        return got
    several = isinstance(got, (tuple, list))
    came = f"{len(got)} results" if several else f"one {type(got).__name__} alone"
    if not several and (other := what_it_is(got)):
        came = other
    names = f" ({', '.join(parts)})" if parts else ", None first" * (want[0] is None)
    return Difference("type", f"it returns {came}, where {len(want)} are expected{names}")


def what_it_is(value: Any) -> str:
    """Return what a value is that can be no answer, and what to do; "" for any other."""
    if is_masked(value):
        return (
            f"a masked array, {int(np.ma.getmaskarray(value).sum())} entries of it without a value"
        )
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, Iterator):
        kind = type(value).__name__
        return f"a {kind}, whose values are not computed yet (list(...) computes them)"
    if isinstance(value, type):
        return f"the class {value.__name__}, and not a value of it"
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType, np.ufunc)):
        return f"the function {value.__name__}, which is not called (brackets call it)"
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return "an integer beyond every float"
    if isinstance(value, (list, tuple)) and value:
        return f"a {type(value).__name__} that makes no array, of {len(value)} parts"
    return ""


RTOL = 1e-6
SHORT_RTOL = 2e-5
"""To how many digits an answer is right that is computed in float32."""
SHARE = 0.2  # in float32, sums are rounded as their largest term is
NO_FLOORS: Mapping[str, float] = {}


def difference(
    got: Any,
    want: Any,
    axes: Sequence[str] = (),
    parts: Sequence[str] = (),
    rtol: float = RTOL,
    floors: Mapping[str, float] = NO_FLOORS,
) -> Difference | None:
    """Return the first difference of two values, or None where they agree to a relative ``rtol``.

    ``axes`` names the axes of an array, ``parts`` the entries of a tuple. ``floors`` says for each
    part how small a difference does not count.
    """
    for part, value, right in leaves(got, want, parts=parts):
        if first := _leaf_difference(value, right, axes, rtol, floors.get(part, 0.0)):
            return replace(first, part=part)
    return None


def same_outcome(a: Any, b: Any, like: Any, rtol: float = RTOL, *, exactly: bool = False) -> bool:
    """Return whether two calls have equal values in the structure of ``like``, or both a problem.

    Problems are the same if the same kind of exception was raised; ``exactly``, if it said the
    same. A NaN equals a NaN in the same place, so that a mistake that divides by zero has its
    name too.
    """
    if isinstance(a, Difference) or isinstance(b, Difference):
        if type(a) is not type(b):
            return False
        return bool(a.error == b.error if exactly else a.error.split()[:1] == b.error.split()[:1])
    pairs = zip(leaves(a, like), leaves(b, like), strict=True)
    return all(_equal(x, y, rtol) for (_, x, _), (_, y, _) in pairs)


def _equal(a: Any, b: Any, rtol: float) -> bool:
    """Return whether two results are the same mistake."""
    if isinstance(b, (set, frozenset)):
        return _set_difference(a, b) is None
    x, y = numbers(a), numbers(b)
    if x is None and y is None and are_complex(a, b):
        return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, equal_nan=True))
    if x is None and y is None:  # no numbers in either: the same thing in their place
        return type(a) is type(b) and (not isinstance(a, Difference) or a == b)
    if x is None or y is None or x.shape != y.shape:
        return False
    finite = np.isfinite(x)
    same_places = np.array_equal(finite, np.isfinite(y))
    return same_places and _leaf_difference(x[finite], y[finite], (), rtol) is None


def floors_of(right: Sequence[Any], parts: Sequence[str]) -> dict[str, float]:
    """Return how small a difference does not count in float32, for each part of the results.

    In float32 a difference of large numbers is rounded as they are, however small it is. Over all
    calls, a part is somewhere as large as what it is made of.
    """
    floors: dict[str, float] = {}
    for value in right:
        for part, want, _ in leaves(value, value, parts=parts):
            array = numbers(want)
            if array is not None:
                size = float(np.abs(array).max(initial=0.0))
                floors[part] = max(floors.get(part, 0.0), SHARE * SHORT_RTOL * size)
    return floors


def _leaf_difference(
    got: Any, want: Any, axes: Sequence[str], rtol: float = RTOL, floor: float = 0.0
) -> Difference | None:
    """Return the first difference of one array, number or set, or None."""
    if isinstance(got, Difference):
        return got
    if isinstance(want, (set, frozenset)):
        return _set_difference(got, want)
    right = np.asarray(want, dtype=float)
    value = numbers(got)
    if value is None:
        kind = what_it_is(got) or type(got).__name__
        if are_complex(got):
            kind = "complex numbers (a root or a power of a negative number?)"
        return Difference("type", f"it returns {kind}, where {_shape(right)} is expected")
    if value.shape != right.shape:
        text = f"it returns {_shape(value)}, where {_shape(right)} is expected"
        if value.size == 1 and not right.shape:
            text += ": return the number in it, without the brackets around it"
        return Difference("shape", text)
    finite = np.isfinite(value)
    if not finite.all():
        index, place = _first(~finite, axes)
        cause = "a division by zero, or an overflow"
        return Difference("nan", f"it returns {value[index]}{place}: {cause}")
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-30)
    share = 1e-3 if rtol <= RTOL else SHARE
    # Written so that a NaN in ``right`` counts as a difference.
    wrong = ~(np.abs(value - right) <= rtol * (np.abs(right) + share * scale) + floor)
    if not wrong.any():
        return None
    if isinstance(want, bool):
        return Difference("value", "this does not hold")
    index, place = _first(wrong, axes)
    return Difference("value", f"{side_by_side(value[index], right[index])}{place}")


def side_by_side(yours: float, exact: float) -> str:
    """Return two numbers with as many digits as it takes to tell them apart.

    >>> side_by_side(0.33333333, 0.33333444)
    'yours 0.333333, exact 0.333334'
    """
    for digits in range(4, 18):
        texts = f"{yours:.{digits}g}", f"{exact:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return f"yours {texts[0]}, exact {texts[1]}"


def _shape(array: Array) -> str:
    """Return the shape of an array, in words."""
    return f"shape {array.shape}" if array.shape else "one number"


def _set_difference(got: Any, want: Any) -> Difference | None:
    """Return the difference of two sets of cells, or None where they are equal."""
    try:
        value = {tuple(int(i) for i in cell) for cell in got}
    except Exception:  # whatever an object's own __iter__ does
        return Difference(
            "type",
            f"it returns {what_it_is(got) or type(got).__name__}, where a set of cells (t, n) "
            "is expected",
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


def close(a: Array, b: Array, rtol: float) -> bool:
    """Return whether two arrays agree wherever ``a`` is known; NaN in ``a`` means unknown."""
    known = ~np.isnan(a)
    if a.shape != b.shape or not known.any():
        return False
    x, y = a[known], b[known]
    scale = float(np.abs(y[np.isfinite(y)]).max(initial=0.0))
    equal = np.abs(x - y) <= rtol * np.abs(y) + 1e-3 * rtol * scale + 1e-13
    return bool((equal & np.isfinite(y) | (x == y)).all())
