"""Call a reader's function: on copies, within a time limit, and note what it does besides.

Nothing that the function does gets out of here but a value or a ``Difference`` that says why there
is none: no exception, no print, no change of the arguments.
"""

import contextlib
import copy
import io
import linecache
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from types import FrameType
from typing import Any

import numpy as np

from stbp_edu.practice.grading.differences import Difference, is_blank
from stbp_edu.practice.tasks import Exercise, Function

SECONDS = 30.0
"""How long all calls together may take, where the system has an alarm clock.

A page has none: there the Stop button ends them.
"""
LONGEST_TEXT = 80


class TooLongError(BaseException):
    """Raised inside the reader's function when its time is up; ``except Exception`` lets it by."""


@dataclass
class Habits:
    """What a function does besides returning a value, noted over several calls.

    Attributes:
        printed: how many characters it printed.
        first_text: the first characters of them.
        changed: the arguments that it changed in place.
        seconds: how long its calls have taken.
        stopped: whether a call took too long; then it is not called again.
    """

    printed: int = 0
    first_text: str = ""
    changed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False

    def sentences(self) -> list[str]:
        """Return a sentence for each."""
        said = []
        if self.changed:
            names = " and ".join(f"`{name}`" for name in dict.fromkeys(self.changed))
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


class _Paper(io.TextIOBase):
    """Takes what is printed, and keeps its beginning alone."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits

    def write(self, text: str) -> int:
        """Count the text."""
        self.habits.first_text += text[: LONGEST_TEXT - len(self.habits.first_text)]
        self.habits.printed += len(text)
        return len(text)


def call(
    function: Function,
    args: tuple[Any, ...],
    exercise: Exercise | None = None,
    habits: Habits | None = None,
) -> Any:
    """Return what ``function`` gives for copies of ``args``; a Difference where it fails.

    Where the exercise has a view, the result of a random function becomes what can be compared.
    """
    habits = Habits() if habits is None else habits
    if habits.stopped:
        return Difference("problem", "It is not called again after a call that did not end.")
    given = copy.deepcopy(args)
    view = exercise.comparable if exercise is not None else None
    try:
        # A division by zero shows up as a NaN, which is explained; no warning is needed.
        with (
            np.errstate(all="ignore"),
            limited(habits, SECONDS),
            contextlib.redirect_stdout(_Paper(habits)),
        ):
            value = function(*given)
            if view is not None and not is_blank(value):
                value = view(value, function, *copy.deepcopy(args))
    except NotImplementedError:
        return None
    except TooLongError:
        habits.stopped = True
        return Difference(
            "problem", f"It did not end within {SECONDS:g} seconds. Is there a loop without an end?"
        )
    except SystemExit:
        return Difference("problem", "It ends the program (exit or sys.exit): return a value.")
    except KeyboardInterrupt:  # the reader's own, at the keyboard or by the Stop button
        raise
    except BaseException as error:  # an answer may raise what is no Exception
        return problem(error)
    if exercise is not None:
        triples = zip(exercise.arguments, given, args, strict=True)
        habits.changed += [name for name, now, before in triples if not unchanged(now, before)]
    try:
        return copy.deepcopy(value)
    except Exception:  # a generator, a module: it has no copy, and is no answer
        return value


@contextlib.contextmanager
def limited(habits: Habits, seconds: float = SECONDS) -> Iterator[None]:
    """Raise TooLongError when the time is up, where the system and the thread allow it."""
    free = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if (
        not free or sys.platform == "emscripten" or signal.getitimer(signal.ITIMER_REAL)[0]
    ):  # someone else's clock runs
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    try:
        before = signal.signal(signal.SIGALRM, ring)
        begun = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, max(seconds - habits.seconds, 0.01))
    except (OSError, ValueError):  # a Python without signals
        yield
        return
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        habits.seconds += time.perf_counter() - begun


def unchanged(now: Any, before: Any) -> bool:
    """Return whether an argument is as it was."""
    if isinstance(before, np.ndarray):
        if not isinstance(now, np.ndarray):
            return False
        numeric = before.dtype.kind in "fc" and now.dtype.kind in "fc"
        return bool(np.array_equal(now, before, equal_nan=numeric))
    if isinstance(before, (list, tuple)):
        return len(now) == len(before) and all(map(unchanged, now, before))
    if is_dataclass(before) and not isinstance(before, type):
        return all(unchanged(getattr(now, f.name), getattr(before, f.name)) for f in fields(before))
    return not isinstance(before, (int, float, str)) or bool(now == before)


def problem(error: BaseException) -> Difference:
    """Return what a function's exception says, and at which expression it came."""
    kind = type(error).__name__
    # An "..." that is left inside a formula is a blank, not a mistake.
    text = text_of(error)
    blank = isinstance(error, TypeError) and "ellipsis" in text
    frames = traceback.extract_tb(error.__traceback__)[1:]
    place = f", at {_expression(frames[0])}" if frames and frames[0].line else ""
    message = f"It raises {kind}: {text}{place}."
    if isinstance(error, NameError):  # a name without a value has several texts
        kind, text = "NameError", "".join(text.split("'")[1:2])
    return Difference("problem", message, blank, error=f"{kind}: {text}")


def tried(function: Function, args: Sequence[Any]) -> Any:
    """Return what one of the package's own functions gives, or how it fails.

    Nothing of the reader's runs here, so that it takes no clock, and copies of lists alone.
    """
    try:
        return function(*(copy.deepcopy(a) if isinstance(a, list) else a for a in args))
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
    except Exception:  # an object that fails to say what it is, or a number too long to print
        return f"an object of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= longest else f"{text[:longest]}..."
