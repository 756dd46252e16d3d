"""Processes beside the BLAS: a part of the work for each process, and one thread for each product.

Threads of one process would wait for the interpreter's lock: a training step is hundreds of array
operations, each of a few microseconds. So each process has an interpreter of its own, and the
arrays lie in memory that all of them see: nothing large is sent.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import methodcaller
from typing import IO, Any, Generic, TypeVar

import numpy as np

from stbp_edu.training.shared import lay_out, pick_up

J = TypeVar("J")
COMMAND = "from stbp_edu.training.parallel import serve; serve()"


class Team(Generic[J]):
    """A job done in parts, each in a process that has the job, with its arrays in common.

    The parts are the methods of the job: ``method(i, ...)`` does the i-th. What they write to the
    job's arrays is seen by all; whatever else they change stays with the process that does part i.
    The result depends on ``size`` alone and not on the number of processes: where none can be
    started, such as on a web page or under Windows, the parts are done one after the other.

    Args:
        job: what to work on; it must be picklable. Arrays to be written must be contiguous.
        size: the number of parts; with more than one, processes are started.

    Attributes:
        job: the caller's own: a copy whose arrays are shared, or the job itself where nobody else
            works on it.
    """

    def __init__(self, job: J, size: int) -> None:
        self.job, self.size = job, size
        self._others: list[subprocess.Popen[bytes]] = []
        processes = min(size, os.cpu_count() or 1)
        if processes > 1 and sys.platform not in ("emscripten", "win32"):
            try:
                self._start(processes)
            except OSError:  # the system has no room for another process, or for its memory
                self.close()

    def _start(self, processes: int) -> None:
        """Put the job's arrays where all see them, and start the other processes."""
        words, places, file = lay_out(self.job)
        with file:
            self.job = pick_up(words, places, file.fileno())
            for first in range(1, processes):
                other = _process(file.fileno())
                self._others.append(other)
                mine = range(first, self.size, processes)
                _send(other.stdin, (words, places, file.fileno(), mine))
            for other in self._others:  # each has opened the file before we close it
                _receive(other.stdout)

    def map(self, method: str, *args: Any) -> list[Any]:
        """Return ``job.method(i, *args)`` for each part i, in order.

        Raises:
            RuntimeError: if a process has ended, as when the system ran out of memory.
            Exception: whatever a part raised, when all have ended.
        """
        call = (method, args)
        for other in self._others:
            _send(other.stdin, call)
        processes = 1 + len(self._others)
        done: list[Any] = [None] * self.size
        try:
            done[::processes] = _do(self.job, range(0, self.size, processes), call)
        finally:  # if a part failed, the others end before anybody writes to the arrays again
            answers = [_receive(other.stdout) for other in self._others]
        for k, answer in enumerate(answers, 1):
            if isinstance(answer, BaseException):
                raise answer
            done[k::processes] = answer
        return done

    def close(self) -> None:
        """End the other processes."""
        for other in self._others:
            other.kill()
            other.communicate()
        self._others = []


@contextmanager
def team(job: J, size: int) -> Iterator[Team[J]]:
    """Open a team, with the BLAS held to one thread while it works."""
    with one_blas_thread():
        crew = Team(job, size)
        try:
            yield crew
        finally:
            crew.close()


def one_blas_thread() -> AbstractContextManager[object]:
    """Hold the BLAS to one thread; it has as many as before at the end."""
    if sys.platform == "emscripten":  # a web page has no threads, and no need of the library
        return nullcontext()
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def serve() -> None:
    """Do the parts that another process asks for, until it ends."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever is printed must not end up among the answers
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        words, places, file, mine = pickle.load(questions)
        job = pick_up(words, places, file)
        _send(answers, None)
        while True:
            try:
                call = pickle.load(questions)
            except EOFError:
                return
            try:
                answer: Any = _do(job, mine, call)
            except Exception as error:
                answer = error
            _send(answers, answer)


def _process(file: int) -> subprocess.Popen[bytes]:
    """Start a process that serves, and knows this file."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        pass_fds=[file],
        process_group=0,  # Ctrl-C is for the one that asks
    )


def _do(job: Any, parts: range, call: tuple[str, tuple[Any, ...]]) -> list[Any]:
    """Return what the job's method returns for each of these parts."""
    method, args = call
    return [methodcaller(method, i, *args)(job) for i in parts]


def _send(to: IO[bytes] | None, what: Any) -> None:
    """Send what can be pickled."""
    assert to is not None
    try:
        pickle.dump(what, to, protocol=5)
        to.flush()
    except BrokenPipeError:
        raise _ended() from None


def _receive(whence: IO[bytes] | None) -> Any:
    """Return what was sent."""
    assert whence is not None
    try:
        return pickle.load(whence)
    except EOFError:
        raise _ended() from None


def _ended() -> RuntimeError:
    """Return what to say when a process is no more."""
    return RuntimeError(
        "a process that worked on a part of the batch has ended, perhaps for want of memory; "
        "go on from the last checkpoint, with fewer shards or a smaller batch"
    )
