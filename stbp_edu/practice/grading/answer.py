"""An answer beside the right one, call by call: what came, as numbers, and whether it is right.

An answer gets copies of its arguments, and no exception gets out. Anything else that it does to
the program that calls it is not undone.
"""

import contextlib
import copy
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu.practice.tasks import AnswerFunction, Inputs, Task, programs
from stbp_edu.practice.tasks.programs import define

AnyArray = NDArray[Any]
PAIRS = (("W", "b"), ("U", "O"))
"""The attributes of gradients and of traces, by which these are compared."""
LONGEST_TEXT = 300
RTOL = 2e-5
"""To how many digits an answer has to be right: as many as float32 leaves of a sum."""
SHARE = 0.2  # in float32, sums are rounded as their largest term is


@dataclass(frozen=True)
class Failure:
    """Why a call gives no results that can be compared."""

    kind: str  # "problem" or "type"
    message: str  # which of several results it is, first
    error: str = ""  # the exception that was raised, its kind first


ResultPart = AnyArray | frozenset[Any]
CallResult = dict[str, ResultPart] | Failure | None
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


def problem(error: BaseException, place: str = "") -> Failure | None:
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
    return Failure("problem", message, f"{kind}: {text}")


def _place_of(error: BaseException) -> str:
    """Return in which line of an answer an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [k for k, frame in enumerate(frames) if frame.filename == __file__]
    theirs = [f for f in frames[ours[-1] + 1 :] if f.filename != programs.__file__]
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
            return Failure("type", f"{name}: {part}" if name else part)
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


def same(a: CallResult, b: CallResult, rtol: float = RTOL) -> bool:
    """Return whether two calls came out alike: equal values, or the same exception.

    A NaN equals a NaN in the same place, so a mistake that divides by zero has its name too.
    """
    if isinstance(a, Failure) and isinstance(b, Failure):
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
    return not off(a[finite], b[finite], rtol).any()


def off(value: Array, right: Array, rtol: float) -> NDArray[np.bool_]:
    """Return where numbers differ, relative to each and to a share of the largest beside it."""
    right = right.astype(float)
    size = np.abs(right)
    floor = rtol * SHARE * float(size.max(initial=1e-30))
    off = np.abs(value - right)
    return ~np.less_equal(off, rtol * size + floor)
