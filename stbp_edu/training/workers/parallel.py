"""Processes beside the BLAS: a part of the work for each process, and one thread for each product.

Threads of one process would wait for the interpreter's lock: a training step is hundreds of array
operations, each of a few microseconds. So each process has an interpreter of its own, and the
arrays lie in memory that all of them see: nothing large is sent.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Generic, TypeVar

import numpy as np

from stbp_edu.training.workers.shared import lay_out, pick_up
from stbp_edu.training.workers.worker import Worker, attempt

J = TypeVar("J")


class Team(Generic[J]):
    """A job done in parts, each in a process that has the job, with its arrays in common.

    The parts are the methods of the job: ``method(i, ...)`` does the i-th. What they write to the
    job's arrays is seen by all; whatever else they change stays with the process that does part i.
    The result depends on ``size`` alone and not on the number of processes: where none can be
    started, such as on a web page or under Windows, the parts are done one after the other.

    Args:
        job: what to work on; it must be picklable. Arrays that are not contiguous are not shared,
            and must not be written to.
        size: the number of parts; with more than one, processes are started.

    Attributes:
        job: the caller's own: a copy whose arrays are shared, or the job itself where nobody else
            works on it.
    """

    def __init__(self, job: J, size: int) -> None:
        self.job, self.size = job, size
        self._workers: list[Worker] = []
        self._closed = False
        processes = min(size, os.cpu_count() or 1)
        if processes > 1 and sys.platform not in ("emscripten", "win32"):
            try:
                self._start(processes)
            except OSError:  # the system has no room for another process, or for its memory
                self._dismiss()
            except BaseException:
                self._dismiss()
                raise

    def _start(self, processes: int) -> None:
        """Put the job's arrays where all see them, and start the other processes."""
        payload, places, file = lay_out(self.job)
        with file:
            number = file.fileno()
            self.job = pick_up(payload, places, number)
            for first in range(1, processes):
                self._workers.append(Worker(number))
                mine = range(first, self.size, processes)
                self._workers[-1].send((payload, places, number, mine))
            for worker in self._workers:  # each has opened the file before we close it
                worker.receive()

    def map(self, method: str, *args: Any) -> list[Any]:
        """Return ``job.method(i, *args)`` for each part i, in order.

        Raises:
            RuntimeError: if a process has ended, as when the system ran out of memory, or the team
                is closed.
            Exception: whatever a part raised, when all have ended.
        """
        if self._closed:
            raise RuntimeError("the team must be open, but is closed; open another")
        processes = 1 + len(self._workers)
        try:
            for worker in self._workers:
                worker.send((method, args))
            own = attempt(self.job, range(0, self.size, processes), method, args)
            replies = [own, *(worker.receive() for worker in self._workers)]
        except BaseException:  # whoever is still at work, or has an answer to give, is out of step
            self.close()
            raise
        done: list[Any] = [None] * self.size
        for k, reply in enumerate(replies):
            if isinstance(reply, Exception):
                raise reply
            done[k::processes] = reply
        return done

    def close(self) -> None:
        """End the other processes."""
        self._closed = True
        self._dismiss()

    def _dismiss(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()
        self._workers = []


@contextmanager
def team(job: J, size: int) -> Iterator[Team[J]]:
    """Open a team, with the BLAS held to one thread while it works."""
    with one_blas_thread():
        crew = Team(job, size)
        del job  # the team may have its own, and this one's arrays need not be kept
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
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed must not end up among the replies
    requests = sys.stdin.buffer
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        payload, places, file, mine = pickle.load(requests)
        job, reply = pick_up(payload, places, file), None
        while True:
            try:
                replies.write(pickle.dumps(reply, protocol=5))
                replies.flush()
                method, args = pickle.load(requests)
            except (BrokenPipeError, EOFError):  # nobody asks any more
                return
            reply = attempt(job, mine, method, args)
            if isinstance(reply, Exception):
                reply.add_note("".join(traceback.format_exception(reply)))
