"""Call a function, and keep what comes of it as plain data.

Nothing that a reader's function does gets out of here but plain data, or a ``Difference`` that
says why there is none: no exception, no print, no change of the arguments, no object of its own.
"""

import contextlib
import copy
import io
import linecache
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import Function
from stbp_edu.practice.tasks import names as tables

PAIRS = (("W", "b"), ("U", "O"))
"""The attributes by which gradients and traces are compared."""
LONGEST_RANGE = 10**6
LONGEST_PRINT = 80
LONGEST_TEXT = 300
OWN = (__file__, tables.__file__)
"""The files whose lines call a reader's function, and are none of it."""


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


Part = Array | frozenset[Any]
Outcome = dict[str, Part] | Difference | None
"""What comes of one call: its results by name, why there are none, or None for a blank."""


class Printed(io.TextIOBase):
    """The beginning of what a function prints, over several calls."""

    text = ""

    def write(self, text: str) -> int:
        """Keep the beginning of what is printed."""
        self.text += text[: LONGEST_PRINT - len(self.text)]
        return len(text)

    @property
    def said(self) -> list[str]:
        """What is said about it: one sentence, or none."""
        first = self.text.strip().partition("\n")[0]
        return [f"What it prints is left out here. It begins: {first}"] * bool(self.text)


def call(
    function: Function,
    args: Sequence[Any],
    like: Any,
    parts: Sequence[str] = (),
    printed: Printed | None = None,
) -> Outcome:
    """Return what comes of a reader's function for copies of ``args``, shaped as ``like`` is."""
    # A division by zero shows up as a NaN, which is explained; no warning is needed.
    with np.errstate(all="ignore"), contextlib.redirect_stdout(printed or Printed()):
        return _outcome(function, copy.deepcopy(args), like, parts)


def tried(function: Function, args: Sequence[Any], like: Any) -> Outcome:
    """Return what comes of one of the package's own functions.

    The arguments are closed to changes: copies are made of lists, and of all where a function
    works in place.
    """
    copied = (list, np.random.Generator)
    given = [copy.deepcopy(a) if isinstance(a, copied) else a for a in args]
    outcome = _outcome(function, given, like)
    if isinstance(outcome, Difference) and "read-only" in outcome.error:
        return _outcome(function, copy.deepcopy(args), like)
    return outcome


def _outcome(
    function: Function, args: Sequence[Any], like: Any, parts: Sequence[str] = ()
) -> Outcome:
    """Return what a function gives as plain data, or what it raises."""
    try:
        return plain(function(*args), like, parts)
    except BaseException as error:  # an answer may raise what is no Exception
        if type(error) is KeyboardInterrupt:
            raise  # the reader's own, at the keyboard or by the Stop button
        return _problem(error)


def _problem(error: BaseException) -> Difference | None:
    """Return what a function's exception says, and at which expression it came.

    None where what is not filled in is the reason.
    """
    kind, text = type(error).__name__, _text_of(error)
    # An "..." that is left inside a formula is a blank, not a mistake.
    if isinstance(error, NotImplementedError) or (kind == "TypeError" and "ellipsis" in text):
        return None
    if isinstance(error, SystemExit):
        return Difference("problem", "It ends the program (exit or sys.exit): return a value.")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in OWN]
    place = f", at {_expression(frames[0])}" if frames and frames[0].line else ""
    place = place if frames else " when it is called; keep the arguments of the stub"
    message = f"It raises {kind}: {text}{place}."
    if isinstance(error, NameError):  # a name without a value has several texts
        kind, text = "NameError", "".join(text.split("'")[1:2])
    return Difference("problem", message, error=f"{kind}: {text}")


def _expression(frame: traceback.FrameSummary) -> str:
    """Return the expression that failed and the line that it stands in."""
    line = linecache.getline(frame.filename, frame.lineno or 0).encode()
    part = b""
    if frame.lineno == frame.end_lineno:
        part = line[frame.colno : frame.end_colno].strip()
    whole, text = line.decode().strip(), part.decode(errors="replace")
    return f"`{text}` in `{whole}`" if text and text != whole else f"`{whole or frame.line}`"


def _text_of(error: BaseException) -> str:
    """Return what an exception says, whatever it is."""
    try:
        return str(error)[:LONGEST_TEXT]
    except BaseException:  # an object that fails to say what it is
        return f"an object of type {type(error).__name__} that cannot be shown"


def is_blank(value: object) -> bool:
    """Return whether a returned value is an unfilled stub: None, ``...``, or a tuple of such."""
    if isinstance(value, tuple) and value:
        return all(map(is_blank, value))
    return value is None or value is Ellipsis


class OddError(Exception):
    """A result that can be no answer: what it is, and which of several it is."""


def plain(value: Any, like: Any, parts: Sequence[str] = ()) -> Outcome:
    """Return a value as plain data in the structure of ``like``; no code of an answer is left."""
    if isinstance(value, Difference) or is_blank(value):
        return value if isinstance(value, Difference) else None
    try:
        return dict(_results(value, like, "", parts))
    except OddError as error:
        return Difference("type", *error.args)


def _results(got: Any, want: Any, name: str, parts: Sequence[str]) -> Iterator[tuple[str, Part]]:
    """Yield each result with its name."""
    for pair in PAIRS:
        if all(hasattr(want, part) for part in pair):
            want, parts = tuple(getattr(want, part) for part in pair), pair
            with contextlib.suppress(Exception):  # whatever an object's own __getattr__ does
                got = tuple(getattr(got, part) for part in pair)
    if not isinstance(want, (tuple, list)):
        yield name, _part(got, want, name)
        return
    if isinstance(got, np.ndarray) and {got.shape} == {(len(want), *np.shape(w)) for w in want}:
        got = tuple(got)
    several = isinstance(got, (tuple, list))
    if not several or len(got) != len(want):
        came = f"{len(got)} results" if several else f"one {what_it_is(got)} alone"
        named = f" ({', '.join(parts)})" if parts else ", None first" * (want[0] is None)
        raise OddError(f"it returns {came}, where {len(want)} are expected{named}", name)
    for k, (value, right) in enumerate(zip(got, want, strict=True)):
        if right is not None:
            yield from _results(value, right, parts[k] if k < len(parts) else f"{name}[{k}]", ())


def _part(value: Any, want: Any, name: str) -> Part:
    """Return real numbers as an array of their own, or cells (t, n) as a set of their own."""
    with contextlib.suppress(Exception):  # whatever an object's own __array__ or __iter__ does
        if isinstance(want, (set, frozenset)):
            return frozenset(tuple(int(i) for i in cell) for cell in value)
        if isinstance(value, np.ma.MaskedArray):
            value = np.ma.filled(value.astype(float), np.nan)
        is_huge = isinstance(value, range) and len(value) > LONGEST_RANGE
        array = np.array("" if value is None or is_huge else value)  # or gigabytes of few bytes
        if array.dtype.kind == "c" and not array.imag.any():
            array = array.real  # the numbers are real, whatever type they have
        if array.dtype.kind in "bf":
            return array
        if array.dtype.kind in "iuO":
            return array.astype(float)
    raise OddError(f"it returns {what_it_is(value)}, where {kind_of(want)} is expected", name)


def kind_of(value: Any) -> str:
    """Return what a right result is, in words."""
    if isinstance(value, (set, frozenset)):
        return "a set of cells (t, n)"
    return f"shape {np.shape(value)}" if np.shape(value) else "one number"


def what_it_is(value: Any) -> str:
    """Return what a value is that can be no answer, and what to do."""
    kind = type(value).__name__
    if callable(value):
        return f"`{getattr(value, '__name__', kind)}`, which is not called (brackets call it)"
    if isinstance(value, Iterator):
        return f"{kind}, whose values are not computed yet (list(...) computes them)"
    if isinstance(value, (complex, np.ndarray, np.generic)) and np.iscomplexobj(value):
        return "complex numbers (a root or a power of a negative number?)"
    return f"{kind} that makes no array" if isinstance(value, (list, tuple)) else kind
