"""Threads beside the BLAS: a part of the batch for each thread, and one thread for each product.

NumPy's products and loops let go of the interpreter's lock, so that Python threads do run side
by side. A BLAS that starts threads of its own beside them would only get in the way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import TypeVar

from stbp_edu.engine import Workspace

R = TypeVar("R")


class Team:
    """Parts of the work, each with buffers of its own: one for the caller, the rest for threads.

    The result of :meth:`map` depends on ``size`` alone and not on the number of threads: where
    none can be started, such as on a web page, the parts are worked on one after the other. While
    they compute potentials step by step, threads take turns.

    Args:
        size: the number of parts; with more than one, threads are started.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        turn = Lock()
        self.workspaces = [Workspace(turn) for _ in range(size)]
        threads = 0 if sys.platform == "emscripten" else min(size, os.cpu_count() or 1) - 1
        self._pool = ThreadPoolExecutor(threads) if threads else None

    def map(self, task: Callable[[int, Workspace], R]) -> list[R]:
        """Return ``task(i, workspaces[i])`` for each i, in order."""
        (_, own), *rest = work = list(enumerate(self.workspaces))
        if self._pool is None:
            return [task(i, w) for i, w in work]
        given = [(self._pool.submit(task, i, w), i, w) for i, w in rest]
        try:
            done = [task(0, own)]
            for part, i, w in reversed(given):  # those that nobody has begun are ours, too
                done.insert(1, task(i, w) if part.cancel() else part.result())
            return done
        finally:  # if one failed, the others end before anybody uses their buffers again
            for part, *_ in given:
                part.cancel()
            wait([part for part, *_ in given])

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown()


@contextmanager
def team(size: int) -> Iterator[Team]:
    """Open a team, with the BLAS held to one thread while it works."""
    with one_blas_thread():
        crew = Team(size)
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
