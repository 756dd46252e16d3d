"""What passes use of a machine: its threads, and memory that is used again.

How many threads loops run in never changes a result.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array

LEAST = 200_000
"""Operations below which a loop is not shared: waking another thread takes as long."""
LINE = 64
"""Bytes of a line of the cache: sums of rows that begin with one take a fifth less time."""
SMALL = 2**16
"""Bytes below which an array is new each time."""

_limit = [0]


def limit_threads(count: int) -> None:
    """Let compiled loops run in so many threads; 0: in as many as there are processors."""
    _limit[0] = count


def threads() -> int:
    """Return in how many threads compiled loops run."""
    if sys.platform == "emscripten":  # a web page can start none
        return 1
    if _limit[0]:
        return _limit[0]
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_parts(loop: Callable[..., Any], size: int, work: float, *args: Any) -> None:
    """Call ``loop(first, last, *args)`` for parts of ``range(size)``, side by side.

    ``work`` is how many operations the whole takes. Each part runs under the caller's ``errstate``.
    """
    parts = max(1, min(threads(), size)) if work > LEAST else 1
    edges = [size * k // parts for k in range(parts + 1)]
    own, *others = pairwise(edges)
    ended = [
        _pool(parts - 1).submit(copy_context().run, loop, *part, *args)
        for part in others
    ]
    try:
        loop(*own, *args)
    finally:
        errors = [one.exception() for one in ended]  # which waits for them
    for error in errors:
        if error is not None:
            raise error


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return so many threads beside this one."""
    return ThreadPoolExecutor(threads, "stbp_edu")


if hasattr(os, "register_at_fork"):  # a child has none of these threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def one_blas_thread(wanted: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which the matrix library has one thread, where that is wanted.

    Its own threads wait for work in a loop, and would take the processors from ours.
    """
    if not wanted or _controller() is None:
        return nullcontext()
    return _controller().limit(limits=1, user_api="blas")


def blas_kernels() -> str:
    """Return for which processor the matrix library computes, such as "SkylakeX", or "unknown".

    Two processors round sums in different orders, and so may one with other kernels.
    """
    if _controller() is None:
        return "unknown"
    libraries = _controller().info()
    names = {one["architecture"] for one in libraries if "architecture" in one}
    return ", ".join(sorted(names)) or "unknown"


@cache
def _controller() -> Any:
    """Return what sets the matrix library's threads; None on a web page."""
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController()


class Memory:
    """Arrays on memory that none else reads; when an array is gone, its memory is used again.

    New pages from the system may take as long as the pass: 54 in place of 34 ms with convolutions.
    """

    def __init__(self) -> None:
        self._sizes: Any = None
        self._free: dict[int, list[Any]] = {}
        self._spikes: tuple[Any, Any] = (None, None)

    def begin(self, *sizes: Any) -> None:
        """Begin a pass of these sizes, and forget memory of others."""
        if sizes != self._sizes:
            self._sizes, self._free = sizes, {}

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return an array with any entries, which begins with a line of the cache."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size < SMALL:
            return np.empty(shape, dtype)
        free = self._free.setdefault(size, [])
        try:
            room = free.pop()
        except IndexError:
            room = aligned((size,), np.uint8)
        return np.asarray(_Lent(room, free)).view(dtype).reshape(shape)

    def keep_spikes(self, inputs: Array, spikes: Any) -> None:
        """Keep where the spikes of an input are, if nobody can change it."""
        if not inputs.flags.writeable:
            self._spikes = weakref.ref(inputs), spikes

    def spikes_of(self, inputs: Array) -> Any:
        """Return where the spikes of an input are; None if that is not known."""
        of, spikes = self._spikes
        return spikes if of is not None and of() is inputs else None


class _Lent:
    """Memory of an array, which goes to the free ones when the array is gone."""

    def __init__(self, room: Any, free: list[Any]) -> None:
        self.room, self.free = room, free
        self.__array_interface__ = room.__array_interface__

    def __del__(self) -> None:
        self.free.append(self.room)


def aligned(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array with any entries, which begins with a line of the cache."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(dtype).reshape(shape)
