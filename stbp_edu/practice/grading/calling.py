"""Call a function, and read whatever it returns as plain data.

An answer gets copies of its arguments, and what it prints is kept. No exception gets out. Anything
else that it does to the program that calls it is not undone.
"""

import contextlib
import copy
import linecache
import traceback
from collections import UserList, deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
PAIRS = (("W", "b"), ("U", "O"))
"""The attributes of gradients and of traces, by which these are compared."""
ROWS = (tuple, list, deque, UserList)
"""What may hold several results, or the rows of an array."""
MOST = 10**6
"""Numbers of a range, or cells of an iterator, that are read."""
DEEPEST = 8
"""Rows in rows."""
LONGEST_TEXT = 300


@dataclass(frozen=True)
class Difference:
    """The first place where a value is not what it should be, or why there is no value."""

    kind: str  # "problem", "type", "shape", "nan" or "value"
    message: str  # what differs, with the place; which of several results it is, first
    error: str = ""  # the exception that was raised, its kind first


@dataclass(frozen=True)
class Unreadable:
    """A value that is not made of numbers."""

    words: str  # what it is


@dataclass(frozen=True)
class Fields:
    """Gradients, or a trace: an object with two attributes that matter."""

    kind: str  # the name of its type
    values: dict[str, Any]  # by attribute


class NoValueError(Exception):
    """An answer in another process gave no value: ``args`` are its outcome."""


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
    except NoValueError as failed:
        outcome: CallResult = failed.args[0]
        return outcome
    except BaseException as error:  # an answer may raise what is not an Exception
        if type(error) is KeyboardInterrupt:
            raise  # the reader's own, at the keyboard or by the Stop button
        return problem(*described(error), _place_of(error))


def tried(
    function: Callable[..., Any],
    args: Sequence[Any],
    like: Any,
    parts: Sequence[str] = (),
) -> CallResult:
    """Return the results of one of the package's own functions, or the error that it raises.

    Its arrays are closed to changes and need no copies, unless the function works in place.
    """
    given = []
    for value in args:
        is_changed = isinstance(value, (list, np.random.Generator))
        given.append(copy.deepcopy(value) if is_changed else value)
    try:
        return plain(function(*given), like, parts)
    except Exception as error:
        if "read-only" not in str(error):
            return problem(*described(error))
    try:
        return plain(function(*copy.deepcopy(args)), like, parts)
    except Exception as error:
        return problem(*described(error))


def described(error: BaseException) -> tuple[str, str]:
    """Return the kind of an exception and what it says; of a NameError, the name."""
    kind = type(error).__name__
    if isinstance(error, NameError) and error.name:
        return "NameError", str(error.name)
    try:
        return kind, str(error)[:LONGEST_TEXT]
    except BaseException:
        return kind, f"an object of type {kind} that cannot be shown"


def problem(kind: str, text: str, place: str = "") -> Difference | None:
    """Return the words for an exception; None where a blank that was left is the reason."""
    # A "..." that is left inside a formula is a blank, not a mistake.
    is_blank_left = kind == "TypeError" and "ellipsis" in text
    if kind == "NotImplementedError" or is_blank_left:
        return None
    if kind == "SystemExit":
        message = "It ends the program (exit or sys.exit): return a value."
        return Difference("problem", message)
    said = f"name '{text}' is not defined" if kind == "NameError" else text
    return Difference("problem", f"It raises {kind}: {said}{place}.", f"{kind}: {text}")


def _place_of(error: BaseException) -> str:
    """Return at which expression of an answer an exception was raised, and in which line."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [k for k, frame in enumerate(frames) if frame.filename == __file__]
    theirs = frames[ours[-1] + 1 :]
    if not theirs:
        return " when it is called; keep the arguments of the stub"
    frame = theirs[0]
    if not frame.line:
        return ""
    part = ""
    if frame.lineno and frame.lineno == frame.end_lineno:
        line = linecache.getline(frame.filename, frame.lineno).encode()
        part = line[frame.colno : frame.end_colno].decode(errors="replace").strip()
    if part and part != frame.line:
        return f", at `{part}` in `{frame.line}`"
    return f", at `{frame.line}`"


def reading(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose results are plain data."""
    return lambda *args: plain_value(function(*args))


def plain_value(value: Any, depth: int = 0) -> Any:
    """Return any value as plain data, copied.

    Plain data are None for a blank (``...``), a text, an array of real numbers, a tuple or list
    of plain data, a frozenset of cells (t, n), :class:`Fields` or :class:`Unreadable`. Anything
    that NumPy or ``float`` reads as numbers is numbers.

    >>> from decimal import Decimal
    >>> plain_value((Decimal("0.5"), deque([1, 2]), ...))
    (array(0.5), array([1., 2.]), None)
    """
    if type(value) is np.ndarray and value.dtype.kind in "bf":
        return value.copy()
    if value is None or value is Ellipsis:
        return None
    if isinstance(value, (Fields, Unreadable)):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if depth > DEEPEST:
        return Unreadable(what_it_is(value))
    if isinstance(value, (Set, Iterator)):
        cells = _cells(islice(value, MOST))
        return Unreadable(what_it_is(value)) if cells is None else cells
    pair = _has_a_pair(value)
    if isinstance(value, ROWS) and not pair:
        return _plain_rows(value, depth)
    if pair and not isinstance(value, np.ndarray):
        values = {name: plain_value(getattr(value, name), depth + 1) for name in pair}
        return Fields(type(value).__name__, values)
    if isinstance(value, range) and len(value) > MOST:
        return Unreadable(what_it_is(value))
    numbers = _numbers(value)
    return Unreadable(what_it_is(value)) if numbers is None else numbers


def _has_a_pair(value: Any) -> tuple[str, ...]:
    """Return the attributes that make a value gradients or a trace."""
    for pair in PAIRS:
        if all(hasattr(value, name) for name in pair):
            return pair
    return ()


def _plain_rows(rows: Any, depth: int) -> Any:
    """Return several values as plain data: numbers as an array, unless they are in a tuple."""
    items = list(rows)
    if isinstance(rows, tuple):
        return tuple(plain_value(item, depth + 1) for item in items)
    nested = (*ROWS, np.ndarray, type(None), type(Ellipsis))
    if not any(isinstance(item, nested) for item in items):
        numbers = _numbers(items)
        if numbers is not None and numbers.ndim == 1:
            return numbers
    return [plain_value(item, depth + 1) for item in items]


def _numbers(value: Any) -> AnyArray | None:
    """Return real numbers as an array, and None for anything else."""
    with contextlib.suppress(Exception):  # whatever an object's own methods do
        if isinstance(value, np.ma.MaskedArray):
            value = np.ma.filled(value.astype(float), np.nan)
        array = np.array(value)
        if array.dtype.kind == "c" and not array.imag.any():
            array = array.real
        if array.dtype.kind in "bf":
            return array
        if array.dtype.kind in "iuO":
            return array.astype(float)
    return None


def _cells(values: Iterable[Any]) -> frozenset[Any] | None:
    """Return cells (t, n) as a set, and None where the values are not cells."""
    with contextlib.suppress(Exception):
        return frozenset(tuple(int(i) for i in cell) for cell in values)
    return None


def what_it_is(value: Any) -> str:
    """Return the words for a value that is not made of numbers, and the advice."""
    kind = type(value).__name__
    if isinstance(value, Unreadable):
        return value.words
    if isinstance(value, Fields):
        return value.kind
    if callable(value):
        name = getattr(value, "__name__", kind)
        return f"`{name}`, which is not called (brackets call it)"
    if isinstance(value, Iterator):
        return f"{kind}, whose values are not computed yet (list(...) computes them)"
    is_array = isinstance(value, (np.ndarray, np.generic))
    if isinstance(value, complex) or (is_array and np.iscomplexobj(value)):
        return "complex numbers (a root or a power of a negative number?)"
    if isinstance(value, (list, tuple)):
        return f"{kind} that makes no array"
    if is_array:
        return "array" if np.ndim(value) else "number"
    return "set" if isinstance(value, frozenset) else kind


def plain(value: Any, like: Any, parts: Sequence[str] = ()) -> CallResult:
    """Return a value as results by name, in the structure of ``like``."""
    value = plain_value(value)
    if _is_blank(value):
        return None
    found: dict[str, ResultPart] = {}
    for name, part in _results(value, like, "", parts):
        if isinstance(part, str):
            return Difference("type", f"{name}: {part}" if name else part)
        found[name] = part
    return found


def _is_blank(value: Any) -> bool:
    """Return whether a value is what an unfilled stub returns: None, or a tuple of None."""
    if isinstance(value, tuple) and value:
        return all(_is_blank(part) for part in value)
    return value is None


def _results(
    got: Any, want: Any, name: str, parts: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the name of each result, and what it is, or why it cannot be one."""
    pair = _has_a_pair(want)
    if pair:
        want = tuple(getattr(want, part) for part in pair)
        parts = pair
        if isinstance(got, Fields) and pair == tuple(got.values):
            got = tuple(got.values.values())
    if not isinstance(want, (tuple, list)):
        yield name, _part(got, want)
        return
    if isinstance(got, np.ndarray) and got.ndim:
        got = tuple(got)
    if not isinstance(got, (tuple, list)) or len(got) != len(want):
        yield name, _wrong_count(got, want, parts)
        return
    for k, (value, right) in enumerate(zip(got, want, strict=True)):
        if right is not None:
            own_name = parts[k] if k < len(parts) else f"{name}[{k}]"
            yield from _results(value, right, own_name, ())


def _wrong_count(got: Any, want: Sequence[Any], parts: Sequence[str]) -> str:
    """Return in words that there are not as many results as are expected."""
    came = f"only one {what_it_is(got)}"
    if isinstance(got, (tuple, list)):
        came = f"{len(got)} results"
    named = ""
    if parts:
        named = f" ({', '.join(parts)})"
    elif want[0] is None:
        named = ", None first"
    return f"it returns {came}, where {len(want)} are expected{named}"


def _part(value: Any, want: Any) -> ResultPart | str:
    """Return a plain value as an array or as a set of cells, or why it is neither."""
    found: ResultPart | None = None
    if isinstance(want, (set, frozenset)):
        found = value if isinstance(value, frozenset) else _cells(value)
    elif isinstance(value, (np.ndarray, np.generic, tuple, list)):
        found = _numbers(value)
    if found is None:
        return f"it returns {what_it_is(value)}, where {kind_of(want)} is expected"
    return found


def kind_of(value: Any) -> str:
    """Return the kind of a right result, in words."""
    if isinstance(value, (set, frozenset)):
        return "a set of cells (t, n)"
    return f"shape {np.shape(value)}" if np.shape(value) else "one number"
