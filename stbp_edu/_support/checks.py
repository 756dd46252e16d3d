"""Argument checks: each error names the argument, what was expected, what came and a remedy."""

from __future__ import annotations  # np.random is loaded where it is used

import importlib
import math
import reprlib
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""A NumPy array of floats."""
ByLayer = Sequence[Array | Any]
"""An array for each layer, or None where there is none, as at layer 0."""

T = TypeVar("T")
LARGEST = 2**63 - 1
MANY = 20  # choices, of which an error does not list all
WIDEST = 10_000_000
"""Neurons that a layer may have; a mistyped width would ask for terabytes."""
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
"""The dtypes that networks may have."""


def require(module: str, purpose: str) -> Any:
    """Return a module of an optional library; the error says how to install it.

    Raises:
        ImportError: if the library is not installed.

    >>> require("no_such_library", "the example")
    Traceback (most recent call last):
    ImportError: the example needs no_such_library; run: pip install no_such_library
    """
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise  # it is installed, and one of its own imports is missing
        raise ImportError(
            f"{purpose} needs {library}; run: pip install {library}"
        ) from error


def number(name: str, value: object, *, positive: bool = False) -> float:
    """Return ``value`` as a finite (and, if asked, positive) Python float.

    It is a Python float, not a NumPy one, so float32 arrays stay float32.
    """
    if isinstance(value, bool) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(
            f"{name} must be a real number, got {brief(value)}; pass a float"
        )
    try:
        result = float(value)
    except OverflowError:  # an int beyond every float
        result = math.inf
    if not math.isfinite(result) or (positive and result <= 0):
        wanted = "finite and > 0" if positive else "finite"
        raise ValueError(
            f"{name} must be {wanted}, got {brief(value)}; choose an ordinary number"
        )
    return result


def count(
    name: str, value: object, *, at_least: int = 1, at_most: int = LARGEST
) -> int:
    """Return ``value`` as a Python int from ``at_least`` to ``at_most``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {brief(value)}; pass an int")
    if not at_least <= value <= at_most:
        wanted = f">= {at_least}" if value < at_least else f"<= {at_most}"
        raise ValueError(
            f"{name} must be {wanted}, got {brief(value)}; choose an integer from {at_least} to "
            f"{at_most}"
        )
    return int(value)


def widths(name: str, value: object, *, at_least: int = 0) -> tuple[int, ...]:
    """Return ``value`` as a tuple of at least so many integers >= 1."""
    if not isinstance(value, (list, tuple)) or len(value) < at_least:
        many = f"at least {at_least} " if at_least else ""
        raise ValueError(
            f"{name} must list {many}widths, got {brief(value)}; e.g. [64, 128, 10]"
        )
    return tuple(
        count(f"{name}[{n}]", width, at_most=WIDEST) for n, width in enumerate(value)
    )


def brief(value: object) -> str:
    """Return the representation of a value, shortened to fit in an error."""
    try:
        return reprlib.repr(value)
    except Exception:  # too long an integer, or an object whose repr fails
        return f"an object of type {type(value).__name__}"


def fields(what: str, record: object, **kinds: type) -> None:
    """Check that fields of a record that may have been built by hand are of their kinds."""
    for name, kind in kinds.items():
        instance(f"{what}: {name}", getattr(record, name), kind)


def instance(name: str, value: object, kind: type[T]) -> T:
    """Return ``value`` if it is of this kind."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} must be of type {kind.__name__}, got {_called(type(value))}; "
            f"pass a {_called(kind)}"
        )
    return value


def _called(kind: type) -> str:
    """Return the name of a type, with its package unless it is Python's own."""
    package, _, _ = kind.__module__.partition(".")
    if package == "builtins":
        return kind.__name__
    return f"{package}.{kind.__name__}"


def choice(
    name: str,
    value: object,
    options: Collection[str],
    remedy: str = "check the spelling",
) -> str:
    """Return ``value`` if it is one of ``options``.

    Of many options, the error has the nearest ones or the first. ``remedy`` is its last sentence.
    """
    if not isinstance(value, str) or value not in options:
        of, shown = "", list(options)
        if len(options) > MANY:
            near = get_close_matches(
                value if isinstance(value, str) else "", options, cutoff=0.4
            )
            of, shown = f"{len(options)} names, such as ", near or shown[:3]
        else:
            remedy = "choose one of these"
        known = ", ".join(map(repr, shown))
        raise ValueError(
            f"{name} must be one of {of}{known}, got {brief(value)}; {remedy}"
        )
    return value


def generator(name: str, value: object) -> np.random.Generator:
    """Return ``value`` if it is a NumPy random generator."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} must be a numpy.random.Generator, got {type(value).__name__}; "
            "pass np.random.default_rng(seed)"
        )
    return value


def float_dtype(name: str, value: object) -> np.dtype[Any]:
    """Return ``value`` as a dtype if it is float32 or float64."""
    try:
        dtype = np.dtype(value)  # type: ignore[call-overload]  # anything may come
    except (TypeError, ValueError):  # a word that is none, or one of a wrong form
        dtype = np.dtype(object)
    if dtype not in FLOATS or value is None:
        raise TypeError(
            f"{name} must be float32 or float64, got {brief(value)}; pass np.float64"
        )
    return dtype


def floats(name: str, value: object) -> Array:
    """Return ``value`` as an array of floats, as an elementwise function takes it.

    Arrays of floats come back as they are; whole numbers, and Python's, become float64.
    """
    if type(value) is np.ndarray and value.dtype.kind == "f":
        return value
    if isinstance(value, (bool, int, float, np.number, np.bool_, np.memmap)):
        value = np.array(value)
    if type(value) is not np.ndarray or value.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must be a NumPy array of real numbers, got {brief(value)}; "
            "convert it with np.array"
        )
    return value if value.dtype.kind == "f" else value.astype(np.float64)


def from_lists(name: str, value: object) -> object:
    """Return lists of numbers as an array, and anything else as it is."""
    if not isinstance(value, list | tuple):
        return value
    try:
        return np.array(value)
    except ValueError:
        raise ValueError(
            f"{name} must be an array, or lists that are equally long, got {brief(value)}; make "
            "them equally long"
        ) from None


def numbers(name: str, value: object, axes: str, dtype: np.dtype[Any]) -> Array:
    """Return numbers of any kind in this dtype: a copy, so that what was given may change.

    An array that cannot be written to is not copied where it has the dtype.
    """
    value = from_lists(name, value)
    if type(value) not in (np.ndarray, np.memmap) or value.dtype.kind not in "fiub":  # type: ignore[attr-defined]
        raise TypeError(
            f"{name} must be an array of numbers of shape {axes}, got {described(value)}; convert "
            "it with np.array, and a masked array with .filled"
        )
    assert isinstance(value, np.ndarray)
    return value.astype(dtype, copy=value.flags.writeable)


def described(value: object) -> str:
    """Return the type and shape of an array, or what else came."""
    if type(value) is np.ndarray:
        return f"{value.dtype} of shape {value.shape}"
    return brief(value)


def array(
    name: str,
    value: object,
    axes: str,
    shape: Sequence[int | None],
    *,
    dtype: np.dtype[Any] | None = None,
    finite: bool = True,
) -> Array:
    """Return ``value`` if it is an array of floats, of this shape.

    Args:
        name: what to call it in an error.
        value: what to check.
        axes: the shape as the documentation writes it, such as ``"(T, S, n[0])"``.
        shape: the length of each axis; None accepts any of at least one.
        dtype: the type that it must have; float32 or float64 where None.
        finite: whether all of it must be finite.
    """
    if type(value) not in (np.ndarray, np.memmap):
        # matrix and MaskedArray compute otherwise
        raise TypeError(
            f"{name} must be a NumPy array of shape {axes}, got {type(value).__name__}; "
            "convert it with np.array, and a masked array with .filled"
        )
    assert isinstance(value, np.ndarray)
    allowed = FLOATS if dtype is None else (dtype,)
    if value.dtype not in allowed:
        wanted = (
            "float32 or float64" if dtype is None else f"{dtype}, as the parameters are"
        )
        raise TypeError(
            f"{name} must be {wanted}, got {value.dtype}; convert it with .astype(np.{allowed[-1]})"
        )
    fits = value.ndim == len(shape) and all(
        got >= 1 if want is None else got == want
        for got, want in zip(value.shape, shape, strict=True)
    )
    if not fits:
        known = tuple("any" if side is None else str(side) for side in shape)
        wanted = str(known).replace("'", "")
        wanted = axes if wanted == axes else f"{axes} = {wanted}"
        hint = "check the shape; no axis may be empty"
        if value.ndim != len(shape):
            hint = f"it must have {len(shape)} axes, not {value.ndim}"
        elif value.ndim == 2 and value.shape[::-1] == tuple(shape):
            hint = "transpose it?"
        raise ValueError(f"{name} must have shape {wanted}, got {value.shape}; {hint}")
    if finite:
        check_finite(name, value)
    return value


def grey_levels(
    name: str, value: object, axes: str, shape: Sequence[int | None]
) -> Array:
    """Return ``value`` if it is an array of floats in [0, 1], or of bytes of which 255 is white."""
    given: Any = getattr(value, "dtype", None)
    dtype = given if given == np.uint8 else None
    if dtype is None and getattr(given, "kind", "none") in "iu":
        raise TypeError(
            f"{name} must be floats in [0, 1] or bytes, got {given}; divide by 255, or where white "
            "is 1 convert it with .astype(np.float64)"
        )
    found = array(name, value, axes, shape, dtype=dtype, finite=False)
    if dtype or (found.min() >= 0 and found.max() <= 1):
        return found  # finite, too: no comparison with a NaN holds
    check_finite(name, found)
    raise ValueError(
        f"{name} must lie in [0, 1], got values from {found.min():g} to {found.max():g}; "
        "scale the data, for example by its largest value"
    )


class NotFiniteError(ValueError):
    """An array holds a NaN or an infinity."""


def check_finite(name: str, value: NDArray[Any]) -> None:
    """Raise NotFiniteError if ``value`` has a NaN or an infinity, and say where."""
    with np.errstate(over="ignore", invalid="ignore"):
        # One pass: a NaN or an infinity makes the sum of squares not finite.
        flat = value.ravel(order="K")
        if np.isfinite(np.vdot(flat, flat)):
            return
    bad = np.argwhere(~np.isfinite(value))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise NotFiniteError(
            f"{name} must be finite, got {value[index]} at index {index}; "
            f"{len(bad)} of {value.size} entries are not finite: find where they arise"
        )
