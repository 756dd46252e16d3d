"""Call a reader's function: on copies, and note what it does besides.

Nothing that the function does gets out of here but plain data, or a ``Difference`` that says why
there is none: no exception, no print, no change of the arguments, no object of its own.
"""

import contextlib
import copy
import io
import linecache
import pickle
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stbp_edu.practice.grading.values import Difference, Outcome, is_blank, plain
from stbp_edu.practice.tasks import Function

LONGEST_TEXT = 80


@dataclass
class Habits(io.TextIOBase):
    """What a function does besides returning a value, noted over several calls.

    Attributes:
        printed: how many characters it printed.
        first_text: the first characters of them.
        changed: the arguments that it changed in place.
    """

    printed: int = 0
    first_text: str = ""
    changed: dict[str, None] = field(default_factory=dict)

    def write(self, text: str) -> int:
        """Count what is printed, and keep its beginning alone."""
        self.first_text += text[: LONGEST_TEXT - len(self.first_text)]
        self.printed += len(text)
        return len(text)

    def sentences(self) -> list[str]:
        """Return a sentence for each."""
        said = []
        if self.changed:
            names = " and ".join(f"`{name}`" for name in self.changed)
            said.append(
                f"It changes {names} in place, and whoever calls it is left with the change: "
                "work on a copy."
            )
        if self.printed:
            said.append(
                f"It prints {self.printed} characters over all calls; they are left out here. "
                f"They begin: {self.first_text.strip().partition(chr(10))[0]}"
            )
        return said


View = Callable[..., Any] | None
"""Makes of the result of a random function what can be compared."""


def call(
    function: Function,
    args: Sequence[Any],
    like: Any,
    habits: Habits,
    names: Sequence[str] = (),
    parts: Sequence[str] = (),
    view: View = None,
) -> Outcome:
    """Return what comes of a reader's function for copies of ``args``, shaped as ``like`` is."""
    given = copy.deepcopy(args)
    try:
        # A division by zero shows up as a NaN, which is explained; no warning is needed.
        with np.errstate(all="ignore"), contextlib.redirect_stdout(habits):
            outcome = plain(viewed(function, given, view), like, parts)
    except BaseException as error:  # an answer may raise what is no Exception
        if type(error) is KeyboardInterrupt:
            raise  # the reader's own, at the keyboard or by the Stop button
        return problem(error)
    for name, now, before in zip(names, given, args, strict=False):
        if not isinstance(before, np.random.Generator) and _bytes(now) != _bytes(before):
            habits.changed[name] = None
    return outcome


def _bytes(value: Any) -> bytes:
    """Return what tells whether a value was changed."""
    try:
        return pickle.dumps(value)
    except Exception:  # something that has no bytes was put into it
        return b""


def viewed(function: Function, args: Sequence[Any], view: View) -> Any:
    """Return what a function gives, or what can be compared of it."""
    value = function(*args)
    return value if view is None or is_blank(value) else view(value, function, *args)


def problem(error: BaseException) -> Outcome:
    """Return what a function's exception says, and at which expression it came.

    None where what is not filled in is the reason.
    """
    kind, text = type(error).__name__, text_of(error)
    # An "..." that is left inside a formula is a blank, not a mistake.
    if isinstance(error, NotImplementedError) or (kind == "TypeError" and "ellipsis" in text):
        return None
    if isinstance(error, SystemExit):
        return Difference("problem", "It ends the program (exit or sys.exit): return a value.")
    frames = traceback.extract_tb(error.__traceback__)[2:]
    place = f", at {_expression(frames[0])}" if frames and frames[0].line else ""
    message = f"It raises {kind}: {text}{place}."
    if isinstance(error, NameError):  # a name without a value has several texts
        kind, text = "NameError", "".join(text.split("'")[1:2])
    return Difference("problem", message, error=f"{kind}: {text}")


def tried(function: Function, args: Sequence[Any], like: Any, view: View = None) -> Outcome:
    """Return what comes of one of the package's own functions.

    The arguments are closed to changes: copies are made of lists, and of all where a function
    works in place.
    """
    try:
        try:
            copied = (list, np.random.Generator)
            given = [copy.deepcopy(a) if isinstance(a, copied) else a for a in args]
            return plain(viewed(function, given, view), like)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            return plain(viewed(function, copy.deepcopy(args), view), like)
    except Exception as error:
        return problem(error)


def _expression(frame: traceback.FrameSummary) -> str:
    """Return the expression that failed and the line that it stands in."""
    line = linecache.getline(frame.filename, frame.lineno or 0).encode()
    part = b""
    if frame.lineno == getattr(frame, "end_lineno", None):
        part = line[frame.colno : frame.end_colno].strip()
    whole = line.decode().strip()
    text = part.decode(errors="replace")
    return f"`{text}` in `{whole}`" if text and text != whole else f"`{whole or frame.line}`"


def text_of(value: object, longest: int = 300) -> str:
    """Return a value as text, whatever it is."""
    try:
        text = str(value)
    except BaseException:  # an object that fails to say what it is, or a number too long to print
        return f"an object of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= longest else f"{text[:longest]}..."
