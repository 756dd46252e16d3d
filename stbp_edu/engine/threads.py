"""Parts of a loop in several threads, whose number never changes a result."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.checks import Array

LEAST = 200_000
"""Operations below which a loop is not shared: waking another thread takes as long."""

ROWS = 256
"""Rows of a matrix product in one block."""

_limit = [0]


def limit_threads(count: int) -> None:
    """Let compiled loops run in so many threads; 0: in as many as there are processors."""
    _limit[0] = count


def threads() -> int:
    """Return in how many threads compiled loops run."""
    if sys.platform == "emscripten":  # a web page can start none
        return 1
    free = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    return _limit[0] or len(free(0))


def shared(loop: Callable[..., Any], size: int, work: float, *args: Any) -> None:
    """Call ``loop(first, last, *args)`` for parts of ``range(size)``, side by side.

    ``work`` is how many operations the whole takes. Each part runs under the caller's ``errstate``.
    """
    parts = max(1, min(threads(), size)) if work > LEAST else 1
    edges = [size * k // parts for k in range(parts + 1)]
    waiting = [
        _pool(parts).submit(copy_context().run, loop, *edges[k : k + 2], *args)
        for k in range(1, parts)
    ]
    loop(edges[0], edges[1], *args)
    for one in waiting:
        one.result()


def multiply(a: Array, b: Array, out: Array) -> None:
    """Write the matrix product of a and b to ``out``, always in the same blocks of rows."""
    blocks = -(-len(a) // ROWS)

    def loop(first: int, last: int) -> None:
        """Do some blocks."""
        for rows in (slice(k * ROWS, (k + 1) * ROWS) for k in range(first, last)):
            np.matmul(a[rows], b, out=out[rows])

    shared(loop, blocks, a.size * b.shape[1] / 16)  # which a matrix library does at once


def one_blas_thread() -> AbstractContextManager[Any]:
    """Return a context in which the matrix library has one thread.

    Its own threads wait for work in a loop, and would take the processors from ours.
    """
    controller = _controller()
    return controller.limit(limits=1, user_api="blas") if controller else nullcontext()


@cache
def _controller() -> Any:
    """Return what sets the number of the matrix library's threads; None on a web page."""
    try:
        return importlib.import_module("threadpoolctl").ThreadpoolController()
    except ImportError:
        return None


@cache
def _pool(parts: int) -> ThreadPoolExecutor:
    """Return the threads beside this one."""
    return ThreadPoolExecutor(max(1, parts - 1), "stbp_edu")


if hasattr(os, "register_at_fork"):  # a child has none of these threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
