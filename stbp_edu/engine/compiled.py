"""The derived neuron of a layer as compiled loops, which need Numba, and the threads they run in.

The number of threads never changes a result.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.lines.expressions import ops_in
from stbp_edu.arrows.lines.layer_program import LayerProgram
from stbp_edu.arrows.models import Network
from stbp_edu.engine.array_program import Arrays
from stbp_edu.engine.array_steps import ArraySteps, constants_of
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.engine.machine_code import compiled, interpreted
from stbp_edu.surrogates import is_curve

LEAST = 200_000
"""Operations below which a loop is not shared: waking another thread takes as long."""
FORWARD_WORK, BACKWARD_WORK = 10.0, 20.0
"""About how many operations a neuron takes in a step."""
PRODUCT_ROWS = 256
"""Rows of a matrix product in one block."""


def installed() -> bool:
    """Return whether Numba is there."""
    return importlib.util.find_spec("numba") is not None


def chosen(backend: str, net: Network) -> str:
    """Return the backend that is used where one is asked for.

    Raises:
        ImportError: if ``"compiled"`` is asked for and Numba is missing.
        TypeError: if it is asked for a surrogate that is not of this package.
    """
    if checks.choice("backend", backend, ("auto", "numpy", "compiled")) == "numpy":
        return backend
    odd = own_surrogates(net)
    if backend == "compiled":
        if not installed():
            raise ImportError(
                "backend='compiled' needs Numba, which is not installed: "
                "pip install 'stbp-edu[fast]', or use backend='numpy'"
            )
        if odd:
            raise TypeError(
                f"the surrogate of layer {odd[0]} cannot be compiled: it is not a Curve with "
                "methods h and twin; use backend='numpy'"
            )
    return "compiled" if installed() and not odd else "numpy"


def own_surrogates(net: Network) -> list[int]:
    """Return the layers whose surrogate is not a curve that can be compiled."""
    layers = list(enumerate(net.layers))[1:]
    return [n for n, layer in layers if not is_curve(layer.neuron.surrogate)]


@dataclass(frozen=True)
class CompiledSteps:
    """The steps of one layer as compiled loops: see :class:`.array_steps.ArraySteps`.

    Attributes:
        program: the layer's program.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H takes the place of the spike.
        by_python: whether Python runs the loops, slowly, as a check of what they say.
    """

    program: LayerProgram
    wanted: tuple[str, ...]
    twin: bool = False
    by_python: bool = False

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.program.neuron.order

    @cached_property
    def source(self) -> str:
        """The source of the loops."""
        return LoopSource(self.program, self.wanted, self.twin).text

    def forward(self, states: Arrays, p: Arrays) -> None:
        """Fill the states of all steps, by name, (T, S, m) each, with a layer's parameters ``p``.

        The first state holds the weighted input; there is a bias for each neuron.
        """
        first = states[self.states[0]]
        R = p["R"].T if "R" in p else None
        given = self._given(p, states, R)
        loop = self._loops(first.dtype)["forward"]
        S = first.shape[1]
        run_in_parts(loop, S, FORWARD_WORK * first.size, p["b"], *given)

    def backward(
        self, adjoints: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients of b and of what the neuron learns."""
        if self.on_arrays is not None:
            return self.on_arrays.backward(adjoints, states, p, signals)
        sums = self.fill_adjoints(adjoints, states, p, signals)
        return {name: g.sum(axis=0) for name, g in sums.items()}

    def fill_adjoints(
        self, adjoints: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients by sample and neuron, (S, m) each."""
        like = states[self.states[0]]
        _, S, m = like.shape
        learned = ["b", *self.program.neuron.learned]
        sums = {name: np.zeros((S, m), like.dtype) for name in learned}
        given = self._given(p, states, p.get("R"))
        # The first adjoint starts out holding the first signal: see Passes.down.
        given += [*signals.values()][1:]
        found = [*adjoints.values(), *sums.values()]
        loop = self._loops(like.dtype)["backward"]
        run_in_parts(loop, S, BACKWARD_WORK * like.size, *given, *found)
        return sums

    def _loops(self, dtype: np.dtype[Any]) -> dict[str, Any]:
        """Return the loops, by name."""
        made = interpreted if self.by_python else compiled
        return made(self.source, dtype)

    @cached_property
    def on_arrays(self) -> ArraySteps | None:
        """The steps on arrays, where a gain limit asks for singular values."""
        for line in self.program.backward.lines:
            factors = [factor for factor, _ in line.terms]
            if "norm" in ops_in(*factors):
                return ArraySteps(self.program, self.wanted, self.twin)
        return None

    def _given(self, p: Arrays, states: Arrays, R: Array | None) -> list[Any]:
        """Return the arguments that both loops take."""
        dtype = states[self.states[0]].dtype
        given = []
        if R is not None:
            given.append(np.ascontiguousarray(R))
        given += constants_of(self.program, p, dtype)
        given += [np.ascontiguousarray(states[name]) for name in self.states]
        return given


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
    parts = 1
    if work > LEAST:
        parts = max(1, min(threads(), size))
    edges = [size * k // parts for k in range(parts + 1)]
    (first, last), *others = pairwise(edges)
    waiting = [
        _pool(parts).submit(copy_context().run, loop, *part, *args) for part in others
    ]
    loop(first, last, *args)
    for one in waiting:
        one.result()


def multiply(a: Array, b: Array, out: Array) -> None:
    """Write the matrix product of a and b to ``out``, always in the same blocks of rows.

    Where ``out`` has more columns than rows, they are blocks of columns.
    """
    if out.shape[1] > out.shape[0]:
        a, b, out = b.T, a.T, out.T
    blocks = -(-len(a) // PRODUCT_ROWS)

    def loop(first: int, last: int) -> None:
        """Do some blocks."""
        for k in range(first, last):
            rows = slice(k * PRODUCT_ROWS, (k + 1) * PRODUCT_ROWS)
            np.matmul(a[rows], b, out=out[rows])

    work = a.size * b.shape[1] / 16  # 16 multiplications are done at once
    run_in_parts(loop, blocks, work)


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
    """Return the function that sets the matrix library's threads; None on a web page."""
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController()


@cache
def _pool(parts: int) -> ThreadPoolExecutor:
    """Return the threads beside this one."""
    return ThreadPoolExecutor(max(1, parts - 1), "stbp_edu")


if hasattr(os, "register_at_fork"):  # a child has none of these threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
