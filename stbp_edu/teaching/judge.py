"""The verdicts on one notebook: ``python -m stbp_edu.teaching.judge NOTEBOOK LIMITS TASKS``.

The judge runs no line of a student's. It sends the inputs of a task to a process of its own (see
:mod:`stbp_edu.teaching.sandbox`), and grades what comes back as ``check`` does. It prints one line
of JSON for each task, so that what is judged is kept, whatever happens to the next one.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import stbp_edu
from stbp_edu.forward_pass import Trace
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import grade
from stbp_edu.practice.grading.calling import Difference
from stbp_edu.practice.tasks import Exercise, Task, tasks
from stbp_edu.teaching import sandbox
from stbp_edu.teaching.notebooks import answer_to, name_of, read_notebook

LATE = "It did not end in time."
START = 60.0
"""Seconds for a process to start, which is no student's time."""
PARTS: dict[type, tuple[str, ...]] = {
    Trace: ("U", "O"),
    Params: ("W", "b", "N"),
    LIF: ("tau", "v_th", "gate", "f", "df", "g", "h", "H"),
}
"""What a student's function is handed of an object, under the same names."""


@dataclass(frozen=True)
class Limits:
    """What one answer may take: seconds of waiting for it, and memory in MB."""

    seconds: float = 10.0
    memory: int = 1024


class Answer:
    """A student's function in a process of its own; called as any function is."""

    def __init__(self, source: str, name: str, limits: Limits) -> None:
        """Start the process, and let it define the function."""
        self.stopped = self.refused = ""
        self._left, self._functions = START, list[Callable[..., Any]]()
        self._scratch = tempfile.TemporaryDirectory()
        package = str(Path(stbp_edu.__file__).parent) + os.sep
        seconds = str(int(limits.seconds) + 5)
        command = [sys.executable, "-IB", sandbox.__file__]
        self._process = subprocess.Popen(
            [*command, str(limits.memory * 2**20), seconds, package],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=self._scratch.name, start_new_session=True,
            env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self._exchange()
        self._left = limits.seconds
        self._problem = self._exchange([source, name])

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns, or the Difference that says why there is nothing."""
        if isinstance(self._problem, Difference):
            return self._problem
        return self._exchange(sandbox.pack(args, self._packed))

    def close(self) -> None:
        """End the process and all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, 9)
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()
        self._scratch.cleanup()

    def _exchange(self, message: Any = None) -> Any:
        """Send a message if there is one, answer what is asked, and return what comes of it."""
        if self.stopped:
            return Difference("problem", self.stopped)
        assert self._process.stdin
        assert self._process.stdout
        begun = os.times().elapsed
        alarm = threading.Timer(max(self._left, 0.01), self._process.kill)
        alarm.start()
        try:
            if message is not None:
                sandbox.write_message(self._process.stdin, message)
            while True:
                match sandbox.read_message(self._process.stdout):
                    case ["ask", int(k), args]:
                        sandbox.write_message(self._process.stdin, self._told(k, args))
                    case ["value", value]:
                        return sandbox.unpack(value)
                    case ["problem", str(error), str(text)]:
                        return self._problem_of(error, text[:300])
                    case ["ready"] | ["defined"]:
                        return None
                    case _:
                        raise ValueError("a message of no known kind")
        except (EOFError, OSError):
            late = os.times().elapsed - begun >= self._left
            limits = "its memory, its time or what it may return"
            self.stopped = LATE if late else f"It was ended at a limit: {limits}."
        except (ValueError, TypeError, RecursionError):
            self.stopped = "It returns no data."
        finally:
            alarm.cancel()
            self._left -= os.times().elapsed - begun
        return Difference("problem", self.stopped)

    def _problem_of(self, error: str, text: str) -> Difference | None:
        """Return what the function has raised; None for what is not filled in, as in ``check``."""
        if error == "KeyError" and "an answer may not " in text:
            self.refused = f"Refused: {text.strip(chr(39))}."
        if error == "NotImplementedError" or (
            error == "TypeError" and "ellipsis" in text
        ):
            return None
        return Difference("problem", f"It raises {error}: {text}.", f"{error}: {text}")

    def _packed(self, value: Any) -> Any:
        """Return what stands for an object that is no plain data."""
        if isinstance(value, np.random.Generator):
            return ["generator", value.bit_generator.state]
        for kind, names in PARTS.items():
            if isinstance(value, kind):
                parts = {name: getattr(value, name) for name in names}
                return [
                    "named",
                    {n: sandbox.pack(p, self._packed) for n, p in parts.items()},
                ]
        if not callable(value):
            raise TypeError(
                f"an argument must be data or a function, got {type(value).__name__}"
            )
        self._functions.append(value)
        return ["function", len(self._functions) - 1]

    def _told(self, k: int, args: Any) -> Any:
        """Return what one of our functions gives for arguments of the student's."""
        try:
            return ["value", sandbox.pack(self._functions[k](*sandbox.unpack(args)))]
        except Exception as error:
            return ["problem", str(error)[:300]]


def judge(task: Task, cells: list[str], limits: Limits) -> Feedback:
    """Return the verdict on the answer to a task among the code cells of a notebook.

    It is what ``check`` would say, or its state is refused (the answer does what none may), or
    stopped (at a limit).
    """
    name = name_of(task)
    try:
        source = answer_to(name, cells)
    except (LookupError, ValueError) as error:
        state = "todo" if isinstance(error, LookupError) else "wrong"
        return Feedback(task.id, state, (str(error.args[0]),))
    with contextlib.closing(Answer(source, name, limits)) as answer:
        given = answer if isinstance(task, Exercise) else answer()
        if given is None or isinstance(given, (Answer, str, int, float)):
            said = grade(task, given)
        else:
            text = f"`{name}` must be a formula between quotation marks."
            said = Feedback(task.id, "wrong", (getattr(given, "message", text),))
    if why := answer.stopped or answer.refused:
        return Feedback(task.id, "stopped" if answer.stopped else "refused", (why,))
    blank = said.state == "todo" and isinstance(task, Exercise)
    if blank and "return" not in source and "raise " not in source:
        return Feedback(
            task.id, "wrong", (f"`{name}` returns nothing: end it with `return`.",)
        )
    return said


def main() -> None:
    """Judge the answers in one notebook to these tasks."""
    notebook, seconds, memory, *ids = sys.argv[1:]
    limits = Limits(float(seconds), int(memory))
    cells, _ = read_notebook(Path(notebook))
    for id_ in ids:
        try:
            said = judge(tasks()[id_], cells, limits)
        except (
            Exception
        ) as error:  # a mistake of this package costs one task, and no other
            text = f"It could not be judged: {type(error).__name__}: {error}."
            said = Feedback(id_, "stopped", (text[:300],))
        print(json.dumps([id_, said.state, said.message, said.mistakes]), flush=True)


if __name__ == "__main__":
    main()
