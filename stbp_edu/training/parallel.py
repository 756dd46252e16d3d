"""Threads beside the BLAS: a part of the batch for each thread, and one thread for each product.

NumPy's products and loops let go of the interpreter's lock, so that Python threads do run side
by side. A BLAS that starts threads of its own beside them would only get in the way.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from stbp_edu.engine import Workspace

R = TypeVar("R")
PREFIXES = ("scipy_openblas", "openblas")
SUFFIXES = ("64_", "")


class Team:
    """``size`` workers, each with buffers of its own; at elementwise work they take turns.

    The result of :meth:`map` depends on ``size`` alone and not on the number of processors: where
    no thread can be started, such as on a web page, the parts are worked on one after the other.
    """

    def __init__(self, size: int) -> None:
        """Make the buffers, and the threads if there is more than one part."""
        self.size = size
        turn = Lock()
        self.workspaces = [Workspace(turn) for _ in range(size)]
        threaded = size > 1 and sys.platform != "emscripten"
        self._pool = ThreadPoolExecutor(size) if threaded else None

    def map(self, task: Callable[[int, Workspace], R]) -> list[R]:
        """Return ``task(i, workspaces[i])`` for each i, in order."""
        work = list(enumerate(self.workspaces))
        if self._pool is None:
            return [task(i, w) for i, w in work]
        return list(self._pool.map(lambda pair: task(*pair), work))

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


@contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Hold NumPy's OpenBLAS to one thread, as it was afterwards; yield whether it was found.

    Elsewhere (another BLAS) nothing changes: the results are right, and perhaps slower.
    """
    found = _openblas()
    if found is None:
        yield False
        return
    get, set_ = found
    before = get()
    set_(1)
    try:
        yield True
    finally:
        set_(before)


def _openblas() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """Return the functions that read and set the number of threads of NumPy's OpenBLAS."""
    home = Path(np.__file__).parent
    folders = (home.parent / "numpy.libs", home / ".dylibs")
    for path in (p for folder in folders for p in sorted(folder.glob("*openblas*"))):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix in PREFIXES:
            for suffix in SUFFIXES:
                get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                set_ = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                if get is not None and set_ is not None:
                    return get, set_
    return None
