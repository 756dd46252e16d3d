"""What a function returned, as plain data, and where it differs from what is right."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import step_name

PAIRS = (("W", "b"), ("U", "O"))
"""The attributes by which gradients and traces are compared."""
RTOL = 1e-6
SHORT_RTOL = 2e-5
"""To how many digits an answer is right that is computed in float32."""
SHARE = 0.2  # in float32, sums are rounded as their largest term is
MOST = 10**6
"""Numbers in an answer; none has so many."""


@dataclass(frozen=True)
class Difference:
    """The first place where a value is not what it should be, or why there is no value.

    Attributes:
        kind: ``"problem"``, ``"type"``, ``"shape"``, ``"nan"`` or ``"value"``.
        message: what differs, with the place.
        part: which of several results, or an empty string.
        error: the exception that was raised, its name first, or an empty string.
    """

    kind: str
    message: str
    part: str = ""
    error: str = ""


@dataclass(frozen=True)
class Odd:
    """What stands in place of real numbers; ``text`` is what it is, after "it returns"."""

    text: str


Part = Array | frozenset[Any] | Odd
Outcome = tuple[Part, ...] | Difference | None
"""What comes of one call: its results in a row, why there are none, or None for a blank."""


def is_blank(value: object) -> bool:
    """Return whether a returned value is an unfilled stub: None, ``...``, or a tuple of such."""
    if isinstance(value, tuple) and value:
        return all(map(is_blank, value))
    return value is None or value is Ellipsis


def plain(value: Any, like: Any, parts: Sequence[str] = ()) -> Outcome:
    """Return a value as plain data in the structure of ``like``; no code of an answer is left."""
    if isinstance(value, Difference) or is_blank(value):
        return value if isinstance(value, Difference) else None
    found = []
    for _, got, want in _results(value, like, "", parts):
        if isinstance(got, Difference):
            return got
        found.append(_cells(got) if isinstance(want, (set, frozenset)) else _numbers(got))
    return tuple(found)


def labels(like: Any, parts: Sequence[str]) -> list[str]:
    """Return what each result is called; an empty string for a single one."""
    return [label for label, *_ in _results(like, like, "", parts)]


def _results(
    got: Any, want: Any, label: str, parts: Sequence[str]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield each result by its name, as it came and as it should be."""
    for pair in PAIRS:
        if all(hasattr(want, name) for name in pair):
            want, parts = tuple(getattr(want, name) for name in pair), pair
            with suppress(Exception):  # whatever an object's own __getattr__ does
                got = tuple(getattr(got, name) for name in pair)
    if not isinstance(want, (tuple, list)):
        yield label, got, want
        return
    if isinstance(got, np.ndarray) and all(isinstance(w, np.ndarray) for w in want):
        stacked = {got.shape} == {(len(want), *w.shape) for w in want}
        got = tuple(got) if stacked else got
    if not isinstance(got, (tuple, list)) or len(got) != len(want):
        yield label, _count_difference(got, want, parts), want
        return
    for k, (value, right) in enumerate(zip(got, want, strict=True)):
        if right is not None:
            yield from _results(value, right, parts[k] if k < len(parts) else f"{label}[{k}]", ())


def _count_difference(got: Any, want: Any, parts: Sequence[str]) -> Difference:
    """Return the difference where several results are expected and not as many came."""
    several = isinstance(got, (tuple, list))
    came = f"{len(got)} results" if several else f"one {type(got).__name__} alone"
    if not several and (other := what_it_is(got)) != type(got).__name__:
        came = other
    names = f" ({', '.join(parts)})" if parts else ", None first" * (want[0] is None)
    return Difference("type", f"it returns {came}, where {len(want)} are expected{names}")


def _numbers(value: Any) -> Array | Odd:
    """Return real numbers as an array of their own, or what else it is."""
    if value is None or (isinstance(value, range) and len(value) > MOST):
        return Odd(type(value).__name__)  # a few bytes that would become gigabytes
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        return Odd(what_it_is(value))
    with suppress(Exception):  # whatever an object's own __array__ or __float__ does
        array = np.array(value)
        if array.dtype.kind == "c" and not array.imag.any():
            array = array.real  # the numbers are real, whatever type they have
        if array.dtype.kind == "c":
            return Odd("complex numbers (a root or a power of a negative number?)")
        if array.dtype.kind in "biufO":
            return array if array.dtype.kind in "bf" else array.astype(float)
    return Odd(what_it_is(value))


def _cells(value: Any) -> frozenset[Any] | Odd:
    """Return a set of cells (t, n), or what else it is."""
    try:
        return frozenset(tuple(int(i) for i in cell) for cell in value)
    except Exception:  # whatever an object's own __iter__ does
        return Odd(what_it_is(value))


def what_it_is(value: Any) -> str:
    """Return what a value is that can be no answer, and what to do."""
    kind = type(value).__name__
    match value:
        case np.ma.MaskedArray():
            many = int(np.ma.getmaskarray(value).sum())
            return f"a masked array, {many} entries of it without a value"
        case ModuleType():
            return f"the module {value.__name__}"
        case type():
            return f"the class {value.__name__}, and not a value of it"
        case FunctionType() | BuiltinFunctionType() | MethodType() | np.ufunc():
            return f"the function {value.__name__}, which is not called (brackets call it)"
        case int() if abs(value) > sys.float_info.max:
            return "an integer beyond every float"
        case list() | tuple() if value:
            return f"a {kind} that makes no array, of {len(value)} parts"
        case Iterator():
            return f"a {kind}, whose values are not computed yet (list(...) computes them)"
    return kind


def difference(
    got: Outcome,
    want: Outcome,
    rtol: float = RTOL,
    names: Sequence[str] = (),
    axes: Sequence[str] = (),
) -> Difference | None:
    """Return the first difference of two outcomes, or None where they agree.

    Args:
        got: the outcome in question.
        want: the right one.
        rtol: relative to a number, and to a share of the largest beside it.
        names: what each result is called.
        axes: what the axes of an array are.
    """
    if got is None or want is None or isinstance(want, Difference):
        return None if got is want else Difference("problem", "It returns nothing here.")
    if isinstance(got, Difference):
        return got
    for name, value, right in zip(names or [""] * len(want), got, want, strict=True):
        if first := _of_result(value, right, axes, rtol):
            return replace(first, part=name)
    return None


def same(a: Outcome, b: Outcome, rtol: float = RTOL, *, exactly: bool = False) -> bool:
    """Return whether two calls came out alike: equal values, or the same problem.

    Problems are the same if the same kind of exception was raised; ``exactly``, if it said the
    same. A NaN equals a NaN in the same place, so that a mistake that divides by zero has its
    name too.
    """
    if isinstance(a, Difference) and isinstance(b, Difference):
        x, y = a.error or a.message, b.error or b.message
        return x == y if exactly else x.split()[:1] == y.split()[:1]
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        return a is b
    return all(_alike(x, y, rtol) for x, y in zip(a, b, strict=True))


def _alike(a: Part, b: Part, rtol: float) -> bool:
    """Return whether two results are the same mistake."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return type(a) is type(b) and bool(a == b)
    if a.shape != b.shape:
        return False
    finite = np.isfinite(a)
    return np.array_equal(finite, np.isfinite(b)) and not wrong(a[finite], b[finite], rtol).any()


def wrong(value: Array, right: Array, rtol: float) -> NDArray[np.bool_]:
    """Return where numbers differ; a NaN in ``right`` counts as a difference."""
    size = np.abs(right.astype(float))
    floor = rtol * (1e-3 if rtol <= RTOL else SHARE) * float(size.max(initial=1e-30))
    differs: NDArray[np.bool_] = ~(np.abs(value - right.astype(float)) <= rtol * size + floor)
    return differs


def is_short(outcome: Outcome) -> bool:
    """Return whether a call gave floats with fewer digits than float64."""
    parts = outcome if isinstance(outcome, tuple) else ()
    return any(isinstance(p, np.ndarray) and p.dtype in (np.float32, np.float16) for p in parts)


def _of_result(got: Part, want: Part, axes: Sequence[str], rtol: float) -> Difference | None:
    """Return the first difference of one array, number or set, or None."""
    if isinstance(want, frozenset):
        if isinstance(got, frozenset):
            cells = f"yours {sorted(got)}, expected {sorted(want)}"
            text = f"{cells}, as cells (t, n) with t counted from 0"
            return None if got == want else Difference("value", text)
        what = getattr(got, "text", "an array")
        return Difference("type", f"it returns {what}, where a set of cells (t, n) is expected")
    assert isinstance(want, np.ndarray)
    if not isinstance(got, np.ndarray):
        what = getattr(got, "text", "a set")
        return Difference("type", f"it returns {what}, where {_shape(want)} is expected")
    if got.shape != want.shape:
        text = f"it returns {_shape(got)}, where {_shape(want)} is expected"
        if got.size == 1 and not want.shape:
            text += ": return the number in it, without the brackets around it"
        return Difference("shape", text)
    if (infinite := ~np.isfinite(got)).any():
        index, place = _first(infinite, axes)
        cause = "a division by zero, or an overflow"
        return Difference("nan", f"it returns {got[index]}{place}: {cause}")
    differs = wrong(got, want, rtol)
    if not differs.any():
        return None
    if want.dtype == bool and not want.shape:
        return Difference("value", "this does not hold")
    index, place = _first(differs, axes)
    return Difference("value", f"{side_by_side(float(got[index]), float(want[index]))}{place}")


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
