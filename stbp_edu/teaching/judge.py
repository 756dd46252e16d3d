"""The verdicts on one notebook: ``python -m stbp_edu.teaching.judge``.

The judge runs no line of a student's. It sends the notebook and the inputs of a task to a process
behind a wall, and grades what comes back as ``check`` does: the results are read there by the same
function. It prints one line of JSON for each task, so what is graded is kept, whatever happens to
the next one.
"""

import contextlib
import difflib
import json
import os
import re
import subprocess
import sys
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
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import grade
from stbp_edu.practice.grading.calling import Difference, NoValueError, problem
from stbp_edu.practice.tasks import Exercise, Task
from stbp_edu.teaching import messages, wall
from stbp_edu.teaching.notebooks import name_of, read_notebook
from stbp_edu.teaching.own_tasks import tasks_with

LATE = "It did not end in time."
AT_A_LIMIT = "It was ended at a limit: its memory, its time or what it may return."
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

    def __init__(self, cells: Sequence[str], name: str, limits: Limits) -> None:
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
        self._receive()  # that it is ready
        self._seconds_left = limits.seconds
        facts = self._exchange([list(cells), name])
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
            self.stopped = LATE if is_late else AT_A_LIMIT
        except (ValueError, TypeError, RecursionError):
            self.stopped = "It returns no data."
        finally:
            alarm.cancel()
            self._seconds_left -= os.times().elapsed - started
        raise NoValueError(Difference("problem", self.stopped))

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


def judge(task: Task, cells: Sequence[str], limits: Limits) -> Feedback:
    """Return the verdict on the answer to a task in the code cells of a notebook.

    It is what ``check`` would say, or its state is "stopped": at a limit, or "slip": right once a
    mistyped name is put right.
    """
    verdict = _judged(task, cells, limits)
    slip = _mistyped(task, verdict)
    if slip is None:
        return verdict
    typed, meant = slip
    mended = [re.sub(rf"\b{re.escape(typed)}\b", meant, cell) for cell in cells]
    if not _judged(task, mended, limits).right:
        return verdict
    said = f"It is right once `{typed}` is `{meant}`."
    return Feedback(task.id, "slip", (said, *verdict.message))


def _mistyped(task: Task, verdict: Feedback) -> tuple[str, str] | None:
    """Return the name that an answer mistypes, and the one that it means, if it may be so."""
    said = " ".join(verdict.message)
    missing = re.search(r"name '(\w+)' is not defined", said)
    if missing and isinstance(task, Exercise):
        near = difflib.get_close_matches(missing[1], task.arguments, n=1)
        return (missing[1], near[0]) if near else None
    renamed = re.search(r"There is `(\w+)`: rename it", said)
    return (renamed[1], name_of(task)) if renamed else None


def _judged(task: Task, cells: Sequence[str], limits: Limits) -> Feedback:
    """Return the verdict on these cells as they are."""
    try:
        with contextlib.closing(
            StudentFunction(cells, name_of(task), limits)
        ) as answer:
            verdict = _verdict(task, answer)
    except NoValueError as stopped:
        return Feedback(task.id, "stopped", (stopped.args[0].message,))
    if answer.stopped:
        return Feedback(task.id, "stopped", (answer.stopped,))
    return verdict


def _verdict(task: Task, answer: StudentFunction) -> Feedback:
    """Return the verdict on an answer whose process runs."""
    name, facts = name_of(task), answer.facts
    if not facts["found"]:
        return _not_found(task, facts)
    if not isinstance(task, Exercise):
        return _formula_verdict(task, answer)
    verdict = grade(task, answer)
    if verdict.state == "todo" and not facts["returns"]:
        text = f"`{name}` returns nothing: end it with `return`."
        return Feedback(task.id, "wrong", (text,))
    return verdict


def _formula_verdict(task: Task, answer: StudentFunction) -> Feedback:
    """Return the verdict on a formula."""
    try:
        text = answer()
    except NoValueError as error:
        message = getattr(error.args[0], "message", "It has no value.")
        return Feedback(task.id, "wrong", (message,))
    if isinstance(text, str) or text is None:
        return grade(task, text)
    said = f"`{name_of(task)}` must be a formula between quotation marks."
    return Feedback(task.id, "wrong", (said,))


def _not_found(task: Task, facts: Mapping[str, Any]) -> Feedback:
    """Return the verdict where the notebook gives the answer's name no value."""
    name = name_of(task)
    if facts["unread"]:
        text = f"Its cell cannot be read as Python: {facts['unread']}."
        return Feedback(task.id, "wrong", (text,))
    if facts["failed"]:
        kind, text = map(str, facts["failed"])
        found = problem_of(kind[:80], text[:300])
        return Feedback(task.id, "wrong", (getattr(found, "message", "It fails."),))
    said = f"There is no `{name}`."
    near = difflib.get_close_matches(name, facts["arguments"], n=1)
    if isinstance(task, Exercise):
        for other, arguments in facts["arguments"].items():
            if tuple(arguments) == task.arguments:
                near.append(other)
    if near:
        said += (
            f" There is `{near[0][:80]}`: rename it to `{name}` if that is the answer."
        )
    return Feedback(task.id, "todo", (said,))


def main() -> None:
    """Judge the answers in one notebook to these tasks."""
    notebook, seconds, memory, wall_or_not, own_tasks, variant, *ids = sys.argv[1:]
    limits = Limits(float(seconds), int(memory), wall_or_not == "unsafe")
    own = Path(own_tasks) if own_tasks else None
    library = tasks_with(own, int(variant))
    cells, _ = read_notebook(Path(notebook))
    for id_ in ids:
        try:
            said = judge(library[id_], cells, limits)
        except Exception as error:  # a mistake of this package costs only one task
            text = f"It could not be graded: {type(error).__name__}: {error}."
            said = Feedback(id_, "stopped", (text[:300],))
        line = [id_, said.state, said.message, said.mistakes, said.together]
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
