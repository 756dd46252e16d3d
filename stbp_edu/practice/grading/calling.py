"""Call a function, and read what it returns as numbers; and what is left open of a stub.

An answer gets copies of its arguments, and no exception gets out. Anything else that it does to
the program that calls it is not undone.
"""

import contextlib
import copy
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.practice.tasks import AnswerFunction, names

AnyArray = NDArray[Any]
PAIRS = (("W", "b"), ("U", "O"))
"""The attributes of gradients and of traces, by which these are compared."""
LONGEST_TEXT = 300


@dataclass(frozen=True)
class Difference:
    """The first place where a value is not what it should be, or why there is no value."""

    kind: str  # "problem", "type", "shape", "nan" or "value"
    message: str  # what differs, with the place; which of several results it is, first
    error: str = ""  # the exception that was raised, its kind first


ResultPart = AnyArray | frozenset[Any]
CallResult = dict[str, ResultPart] | Difference | None
"""What one call gives: its results by name, why there are none, or None for a blank."""


def call(
    function: Callable[..., Any],
    args: Sequence[Any],
    like: Any,
    parts: Sequence[str] = (),
) -> CallResult:
    """Return an answer's results for copies of ``args``, in the structure of ``like``."""
    try:
        # A division by zero shows up as a NaN, which is explained.
        with np.errstate(all="ignore"):
            return plain(function(*copy.deepcopy(args)), like, parts)
    except KeyboardInterrupt:
        raise  # the reader's own, at the keyboard or by the Stop button
    except BaseException as error:  # such as SystemExit
        return problem(error, _place_of(error))


def tried(
    function: Callable[..., Any],
    args: Sequence[Any],
    like: Any,
    parts: Sequence[str] = (),
) -> CallResult:
    """Return the results of one of the package's own functions, or the error that it raises.

    Its arrays are closed to changes and need no copies, unless the function works in place.
    """
    changing = (list, np.random.Generator)
    given = [copy.deepcopy(v) if isinstance(v, changing) else v for v in args]
    try:
        return plain(function(*given), like, parts)
    except Exception as error:
        if "read-only" in str(error):
            return call(function, args, like, parts)
        return problem(error)


def problem(error: BaseException, place: str = "") -> Difference | None:
    """Return the words for an exception; None where a blank that was left is the reason."""
    kind = type(error).__name__
    text = str(error)[:LONGEST_TEXT]
    if isinstance(error, NameError) and error.name:
        text = f"name '{error.name}' is not defined"
    # A "..." that is left inside a formula is a blank, not a mistake.
    is_blank_left = kind == "TypeError" and "ellipsis" in text
    if kind == "NotImplementedError" or is_blank_left:
        return None
    message = f"It raises {kind}: {text}{place}."
    if kind == "SystemExit":
        message = "It ends the program (exit or sys.exit): return a value."
    return Difference("problem", message, f"{kind}: {text}")


def _place_of(error: BaseException) -> str:
    """Return in which line of an answer an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [k for k, frame in enumerate(frames) if frame.filename == __file__]
    theirs = [f for f in frames[ours[-1] + 1 :] if f.filename != names.__file__]
    if not theirs:
        return " when it is called; keep the arguments of the stub"
    frame = theirs[0]
    if not frame.line:
        return ""
    return f", at `{frame.line}`"


def plain(value: Any, like: Any, parts: Sequence[str] = ()) -> CallResult:
    """Return a value as results by name, copied, in the structure of ``like``.

    Anything that NumPy or ``float`` reads as numbers is numbers.

    >>> from decimal import Decimal
    >>> plain((Decimal("0.5"), [1, 2]), (0.0, np.ones(2)), ["a", "b"])
    {'a': array(0.5), 'b': array([1, 2])}
    """
    if value is None or _is_blank(value):
        return None
    found: dict[str, ResultPart] = {}
    for name, part in _results(value, like, "", parts):
        if isinstance(part, str):
            return Difference("type", f"{name}: {part}" if name else part)
        found[name] = part
    return found


def in_shape(outcome: CallResult, right: Any) -> bool:
    """Return whether results came, and each is an array of the right one's shape."""
    return isinstance(outcome, dict) and all(
        isinstance(part, np.ndarray) and part.shape == np.shape(wanted)
        for part, wanted in zip(outcome.values(), right.values(), strict=True)
    )


def _is_blank(value: Any) -> bool:
    """Return whether the dots of a stub are among the results."""
    is_several = isinstance(value, (tuple, list))
    return value is Ellipsis or (is_several and any(map(_is_blank, value)))


def _results(
    got: Any, want: Any, name: str, parts: Sequence[str]
) -> Iterator[tuple[str, ResultPart | str]]:
    """Yield the name of each result, and what it is, or why it cannot be one."""
    for pair in PAIRS:
        if all(hasattr(want, part) for part in pair):
            parts = pair
            want = [getattr(want, part) for part in pair]
            if all(hasattr(got, part) for part in pair):
                got = [getattr(got, part) for part in pair]
    if isinstance(want, dict):
        if not isinstance(got, dict):
            form = "two lists are expected, None first: delta and epsilon"
            yield name, f"it returns {what_it_is(got)}, where {form}"
            return
        for own_name, right in want.items():
            yield from _results(got[own_name], right, own_name, ())
        return
    if not isinstance(want, (tuple, list)):
        yield name, _part(got, want)
        return
    is_array = isinstance(got, np.ndarray) and got.ndim
    rows = list(got) if is_array or isinstance(got, (tuple, list)) else None
    if rows is None or len(rows) != len(want):
        came = f"only one {what_it_is(got)}" if rows is None else f"{len(rows)} results"
        named = f" ({', '.join(parts)})" if parts else ""
        if want[0] is None and not parts:
            named = ", None first"
        yield name, f"it returns {came}, where {len(want)} are expected{named}"
        return
    for k, (value, right) in enumerate(zip(rows, want, strict=True)):
        if right is not None:
            own_name = parts[k] if k < len(parts) else f"{name}[{k}]"
            yield from _results(value, right, own_name, ())


def _part(value: Any, want: Any) -> ResultPart | str:
    """Return a value as an array or as a set of cells (t, n), or why it is neither."""
    with contextlib.suppress(Exception):  # whatever an object's own methods do
        if isinstance(want, (set, frozenset)):
            return frozenset(tuple(map(int, cell)) for cell in value)
        array = np.array(value)
        if array.dtype.kind == "c" and not array.imag.any():
            array = array.real
        if array.dtype.kind == "O":
            array = array.astype(float)
        if array.dtype.kind in "biuf":
            return array
    return f"it returns {what_it_is(value)}, where {kind_of(want)} is expected"


def what_it_is(value: Any) -> str:
    """Return the kind of a value that is not what is expected, in a word."""
    if isinstance(value, (np.ndarray, np.generic, int, float)):
        return "array" if np.ndim(value) else "number"
    return type(value).__name__


def kind_of(value: Any) -> str:
    """Return the kind of a right result, in words."""
    if isinstance(value, (set, frozenset)):
        return "a set of cells (t, n)"
    return f"shape {np.shape(value)}" if np.shape(value) else "one number"


def has_blank(function: AnswerFunction) -> bool:
    """Return whether the dots of a stub are left anywhere in a function."""
    code = getattr(function, "__code__", None)
    return "Ellipsis" in repr(getattr(code, "co_consts", ()))


def does_nothing(function: AnswerFunction) -> bool:
    """Return whether a function that returns nothing is what a reader has not begun to fill in."""
    code = getattr(function, "__code__", None)
    is_empty = getattr(code, "co_code", b"") == (lambda: None).__code__.co_code
    is_refused = "NotImplementedError" in getattr(code, "co_names", ())
    return is_empty or is_refused or has_blank(function)
