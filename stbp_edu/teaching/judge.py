"""The verdicts on one submission: ``python -m stbp_edu.teaching.judge PLAN NOTEBOOK AUTHOR ...``.

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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import stbp_edu
from stbp_edu.network import Params, Trace
from stbp_edu.neuron import LIF
from stbp_edu.practice.grading import exercise_check, formula_check
from stbp_edu.practice.grading.calling import Difference
from stbp_edu.practice.tasks import Exercise, FormulaBlank, Task, tasks
from stbp_edu.teaching import sandbox
from stbp_edu.teaching.answers import NoAnswerError, answer_to, name_of, read_notebook
from stbp_edu.teaching.problem_set import read_problem_set

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


@dataclass(frozen=True)
class Verdict:
    """What is found of one answer.

    Attributes:
        task: id of the task.
        state: right, wrong, todo, refused (it does what an answer may not) or stopped (at a limit).
        mistakes: the misconceptions that give the same numbers, by id.
        message: what the student would be told.
    """

    task: str
    state: str
    mistakes: tuple[str, ...] = ()
    message: tuple[str, ...] = ()


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
                kind, *rest = sandbox.read_message(self._process.stdout)
                if kind != "ask":
                    return self._result(kind, rest)
                sandbox.write_message(self._process.stdin, self._told(*rest))
        except (EOFError, OSError, ValueError, TypeError) as error:
            late = os.times().elapsed - begun >= self._left
            limits = "its memory, its time or what it may return"
            said = "It did not end in time." if late else f"It was ended at a limit: {limits}."
            self.stopped = said if isinstance(error, (EOFError, OSError)) else "It returns no data."
            return Difference("problem", self.stopped)
        finally:
            alarm.cancel()
            self._left -= os.times().elapsed - begun

    def _result(self, kind: str, rest: list[Any]) -> Any:
        """Return a value, or the problem that the function has raised."""
        if kind == "value":
            return sandbox.unpack(rest[0])
        if kind != "problem":
            return None
        error, text = (str(part)[:300] for part in rest)
        if error == "KeyError" and text.startswith("'an answer may not "):
            self.refused = f"Refused: {text.strip(chr(39))}."
        if error == "NotImplementedError" or (error == "TypeError" and "ellipsis" in text):
            return None  # as where check calls it: a stub
        return Difference("problem", f"It raises {error}: {text}.", error=f"{error}: {text}")

    def _packed(self, value: Any) -> Any:
        """Return what stands for an object that is no plain data."""
        if isinstance(value, np.random.Generator):
            return ["generator", value.bit_generator.state]
        for kind, names in PARTS.items():
            if isinstance(value, kind):
                parts = {name: getattr(value, name) for name in names}
                return ["named", {n: sandbox.pack(p, self._packed) for n, p in parts.items()}]
        if not callable(value):
            raise TypeError(f"an argument must be data or a function, got {type(value).__name__}")
        self._functions.append(value)
        return ["function", len(self._functions) - 1]

    def _told(self, k: int, args: Any) -> Any:
        """Return what one of our functions gives for arguments of the student's."""
        try:
            return ["value", sandbox.pack(self._functions[k](*sandbox.unpack(args)))]
        except Exception as error:
            return ["problem", str(error)[:300]]


def judge(task: Task, cells: list[str], limits: Limits) -> Verdict:
    """Return the verdict on the answer to a task among the code cells of a notebook."""
    try:
        source = answer_to(task, cells)
    except NoAnswerError as error:
        return Verdict(task.id, error.state, message=(str(error),))
    if isinstance(task, FormulaBlank):
        said = formula_check.grade(task, source)
    else:
        assert isinstance(task, Exercise)
        with contextlib.closing(Answer(source, name_of(task), limits)) as answer:
            said = exercise_check.grade(task, answer)
            for state, why in (("stopped", answer.stopped), ("refused", answer.refused)):
                if why:
                    return Verdict(task.id, state, message=(why,))
        if said.state == "todo" and "return" not in source and "raise " not in source:
            text = f"`{name_of(task)}` returns nothing: end it with `return`."
            return Verdict(task.id, "wrong", message=(text,))
    return Verdict(task.id, said.state, said.mistakes, said.message)


def judged(plan: Path, notebook: Path, author: str, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield what is found of a submission: its variant or its problem, then each verdict."""
    problem_set = read_problem_set(plan)
    try:
        cells, said = read_notebook(notebook)
        if (title := said.get("title", problem_set.title)) != problem_set.title:
            raise ValueError(f"it is of the problem set {str(title)[:80]!r}")
        own = said.get("variant", 1)
        variant = problem_set.variants.get(author, own if type(own) is int else 1)
        ids = problem_set.tasks_of(variant)
    except (OSError, ValueError) as error:
        yield {"problem": str(error)}
        return
    remark = f"variant {variant} as the notebook itself says" if problem_set.count > 1 else ""
    if author in problem_set.variants:
        remark = f"its variant is {variant}, and it says {own}" if own != variant else ""
    yield {"variant": variant, "remark": remark}
    for id_ in ids:
        yield asdict(judge(tasks()[id_], cells, limits))


def main() -> None:
    """Judge one notebook."""
    plan, notebook, author, seconds, memory = sys.argv[1:]
    limits = Limits(float(seconds), int(memory))
    for line in judged(Path(plan), Path(notebook), author, limits):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
