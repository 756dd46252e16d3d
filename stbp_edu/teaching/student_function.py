"""A student's function in a process of its own, behind the wall; called as any function is."""

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu.forward_pass import Trace
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.practice.grading.calling import Difference, NoValueError, problem
from stbp_edu.teaching import messages, wall

LATE = "It did not end in time."
AT_A_LIMIT = "It was ended at a limit: its memory, its time or what it may return."
EXITED = "It ended its own process, as `os._exit` does: leave that out."
NUMPY_ONLY = "Answers are graded with NumPy and Python's own modules only."
START = 60.0
"""Seconds for a process to start, which are not the student's."""
ATTRIBUTES: dict[type, tuple[str, ...]] = {
    Trace: ("U", "O"),
    Params: ("W", "b", "N"),
    LIF: ("tau", "v_th", "gate", "f", "df", "g", "h", "H"),
}
"""What an answer gets of an object, under the same names."""


@dataclass(frozen=True)
class Limits:
    """What one answer may take, and whether it runs without the wall.

    Attributes:
        seconds: of waiting for it.
        memory: in MB.
        unsafe: whether it may do whatever its teacher may.
    """

    seconds: float = 10.0
    memory: int = 1024
    unsafe: bool = False


class StudentFunction:
    """A student's function in a process of its own; called as any function is."""

    def __init__(
        self,
        cells: Sequence[str],
        name: str,
        limits: Limits,
        *,
        by_check: bool = False,
    ) -> None:
        """Start the process, and let it run the notebook."""
        self.stopped = ""
        self._seconds_left = START
        self._functions: list[Callable[..., Any]] = []
        self._folder = tempfile.TemporaryDirectory()
        folder, unsafe = Path(self._folder.name), limits.unsafe
        wall.prepared(folder)
        numbers = [limits.memory, int(limits.seconds) + 5, int(not unsafe)]
        self._process = subprocess.Popen(
            [*wall.command_line(folder, unsafe=unsafe), *map(str, numbers)],
            env=wall.environment(folder, unsafe=unsafe),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._receive()  # that it is ready
            self._seconds_left = limits.seconds
            facts = self._exchange([list(cells), name, by_check])
        except NoValueError:
            self.close()
            raise
        self.facts: Mapping[str, Any] = facts if isinstance(facts, dict) else {}

    def __call__(self, *args: Any) -> Any:
        """Return the function's result, as plain data.

        Raises:
            NoValueError: if it returns nothing; with the outcome.
        """
        return self._exchange(messages.pack(args, self._pack_argument))

    def close(self) -> None:
        """End the process and all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, 9)
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()
        self._folder.cleanup()

    def _exchange(self, message: Any) -> Any:
        """Send a message, and return what comes of it."""
        if not self.stopped:
            assert self._process.stdin
            with contextlib.suppress(OSError):
                messages.write_message(self._process.stdin, message)
        return self._receive()

    def _receive(self) -> Any:
        """Answer what the process asks, and return what it sends in the end."""
        started = os.times().elapsed
        alarm = threading.Timer(max(self._seconds_left, 0.01), self._process.kill)
        alarm.start()
        try:
            while not self.stopped:
                found = self._next_message()
                if found is not None:
                    return found[0]
        except (EOFError, OSError):
            is_late = os.times().elapsed - started >= self._seconds_left
            self.stopped = LATE if is_late else self._why_ended()
        except (ValueError, TypeError, RecursionError):
            self.stopped = "It returns no data."
        finally:
            alarm.cancel()
            self._seconds_left -= os.times().elapsed - started
        raise NoValueError(Difference("problem", self.stopped))

    def _why_ended(self) -> str:
        """Return why the process has ended before its time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process.wait(timeout=1.0) == 0:
                return EXITED
        return AT_A_LIMIT

    def _next_message(self) -> tuple[Any] | None:
        """Return the contents of the next message, or None if it was a question."""
        assert self._process.stdin
        assert self._process.stdout
        match messages.read_message(self._process.stdout):
            case ["ready"]:
                return (None,)
            case [
                "defined",
                {
                    "found": bool(),
                    "returns": bool(),
                    "unread": str(),
                    "failed": list(),
                    "arguments": dict(),
                } as facts,
            ]:
                return (facts,)
            case ["value", value]:
                return (messages.unpack(value),)
            case ["problem", str(kind), str(text)]:
                raise NoValueError(problem_of(kind[:80], text[:300]))
            case ["ask", int(k), args]:
                reply = self._reply(k, args)
                messages.write_message(self._process.stdin, reply)
                return None
        raise ValueError("a message of no known kind")

    def _reply(self, k: int, args: Any) -> Any:
        """Return the message with what one of our functions gives."""
        try:
            return ["value", messages.pack(self._functions[k](*messages.unpack(args)))]
        except Exception as error:
            return ["problem", str(error)[:300]]

    def _pack_argument(self, value: Any) -> Any:
        """Return the message for an argument that is not plain data."""
        if isinstance(value, np.random.Generator):
            return ["generator", value.bit_generator.state]
        for kind, names in ATTRIBUTES.items():
            if isinstance(value, kind):
                parts = {}
                for name in names:
                    part = getattr(value, name)
                    parts[name] = messages.pack(part, self._pack_argument)
                return ["object", parts]
        if not callable(value):
            got = type(value).__name__
            raise TypeError(f"an argument must be data or a function, got {got}")
        self._functions.append(value)
        return ["function", len(self._functions) - 1]


def problem_of(kind: str, text: str) -> Difference | None:
    """Return the words for an exception in the other process, as ``check`` has them."""
    found = problem(kind, text)
    if found and kind in ("ModuleNotFoundError", "ImportError"):
        return Difference(found.kind, f"{found.message} {NUMPY_ONLY}", found.error)
    return found
