"""A pool of processes: a part of the work for each, and one BLAS thread in each.

Threads of one process would wait for the interpreter's lock: a training step is hundreds of array
operations, each of a few microseconds. So each process has an interpreter of its own, and the
arrays lie in memory that all of them see: nothing large is sent.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar, TypeVarTuple, cast

from stbp_edu.training.workers.process import (
    WorkerProcess,
    attach,
    do_parts,
    one_blas_thread,
    share,
)

J = TypeVar("J")
R = TypeVar("R")
Args = TypeVarTuple("Args")


class WorkerPool(Generic[J]):
    """Processes that each hold the same job, with its arrays in common, and do parts of it.

    What a part writes to the job's arrays is seen by all; whatever else it changes stays with the
    process that does it. The result depends on ``size`` alone and not on the number of processes:
    where none can be started, such as on a web page or under Windows, the parts are done one after
    the other.

    Args:
        job: what to work on; it must be picklable. Arrays that are not contiguous are not shared,
            and must not be written to.
        size: the number of parts; with more than one, processes are started.

    Attributes:
        job: the caller's own: a copy whose arrays are shared, or the job itself where there is no
            other process.
    """

    def __init__(self, job: J, size: int) -> None:
        self.job, self.size = job, size
        self._workers: list[WorkerProcess] = []
        self._closed = False
        processes = min(size, os.cpu_count() or 1)
        if processes > 1 and sys.platform not in ("emscripten", "win32"):
            try:
                self._start(processes)
            except BaseException as error:
                self._end_workers()
                if not isinstance(error, OSError):  # the system has no room for it: do without
                    raise

    def _start(self, processes: int) -> None:
        """Move the job's arrays to shared memory, and start the other processes."""
        shared, file = share(self.job)
        with file:
            self.job = attach(shared)
            for first in range(1, processes):
                self._workers.append(WorkerProcess(file.fileno()))
                self._workers[-1].send((shared, range(first, self.size, processes)))
            for worker in self._workers:  # each has opened the file before we close it
                worker.receive()

    def map(self, function: Callable[[J, int, *Args], R], *args: *Args) -> list[R]:
        """Return ``function(job, i, *args)`` for each part i, in order.

        Args:
            function: a method of the job's class, or another function that a module defines.
            *args: what can be pickled.

        Raises:
            RuntimeError: if a process has ended, as when the system ran out of memory, or the pool
                is closed.
            Exception: whatever a part raised, when all have ended.
        """
        if self._closed:
            raise RuntimeError("the pool must be open, but is closed; open another")
        processes = 1 + len(self._workers)
        try:
            for worker in self._workers:
                worker.send((function, args))
            own = do_parts(self.job, range(0, self.size, processes), function, args)
            replies = [own, *(worker.receive() for worker in self._workers)]
        except BaseException:  # a worker that is still at work has a reply that nobody would read
            self.close()
            raise
        done: list[R | None] = [None] * self.size
        for k, reply in enumerate(replies):
            if isinstance(reply, Exception):
                raise reply
            done[k::processes] = reply
        return cast("list[R]", done)

    def close(self) -> None:
        """End the other processes."""
        self._closed = True
        self._end_workers()

    def _end_workers(self) -> None:
        while self._workers:
            self._workers.pop().end()


@contextmanager
def worker_pool(job: J, size: int) -> Iterator[WorkerPool[J]]:
    """Open a pool, with the BLAS limited to one thread while it is open."""
    with one_blas_thread():
        pool = WorkerPool(job, size)
        del job  # the pool may have its own, and this one's arrays need not be kept
        try:
            yield pool
        finally:
            pool.close()
