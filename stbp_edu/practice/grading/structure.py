"""What a value that a function returned is made of: arrays of numbers, or what else it is."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from stbp_edu.checks import Array

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
