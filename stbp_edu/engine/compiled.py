"""The derived neuron of a layer as compiled loops; it needs Numba."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import inspect
import math
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.models import Network
from stbp_edu.checks import Array
from stbp_edu.engine import loops
from stbp_edu.engine.array_steps import Arrays, ArraySteps
from stbp_edu.engine.loop_source import holds_alone
from stbp_edu.engine.threads import shared
from stbp_edu.surrogates import is_curve

RARE = 0.35
"""The share of spikes above which a matrix product is quicker than a row for each spike."""
WIDE = 64
"""The width of a layer below which a matrix product is quicker."""


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
    odd = [n for n, layer in enumerate(net.layers) if n and not is_curve(layer.neuron.surrogate)]
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


@dataclass(frozen=True)
class CompiledSteps(ArraySteps):
    """The loops of one layer."""

    def forward(self, states: Arrays, p: Arrays, spikes: Array | None = None) -> None:
        """Fill the states of all steps: see :class:`ArraySteps`."""
        first = states[self.states[0]]
        T, S, m = first.shape
        work, W = 10.0 * first.size, np.zeros((0, m), first.dtype)
        if spikes is None:
            spikes = np.zeros((T, S, 0), first.dtype)
        else:
            W = np.ascontiguousarray(p["W"].T)
            work += spikes.size * m / 8
        loop = compiled(self.loops.text, first.dtype)["forward"]
        shared(loop, S, work, spikes, W, p["b"], *self._given(p, states, forward=True))

    def backward(
        self, found: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep, and return the other gradients: see :class:`ArraySteps`."""
        if not holds_alone(self.back):
            return super().backward(found, states, p, signals)
        some = states[self.states[0]]
        learned = ["b", *self.back.neuron.learned]
        sums = [np.zeros(some.shape[1:], some.dtype) for _ in learned]
        loop = compiled(self.loops.text, some.dtype)["backward"]
        given = [*self._given(p, states), *[*signals.values()][1:], *found.values()]
        shared(loop, some.shape[1], 20.0 * some.size, *given, *sums)
        return {name: g.sum(axis=0) for name, g in zip(learned, sums, strict=True)}

    def _given(self, p: Arrays, states: Arrays, forward: bool = False) -> list[Any]:
        """Return the arguments that both loops take."""
        dtype = next(iter(states.values())).dtype
        constants = self.constants(p, dtype)
        if self.loops.recurrent:
            constants.insert(0, np.ascontiguousarray(p["R"].T if forward else p["R"]))
        return [*constants, *(np.ascontiguousarray(states[s]) for s in self.states)]


@cache
def compiled(source: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions of a source, compiled for a dtype when they are called first.

    Where the user's cache can be written to, what is compiled is kept there for other processes:
    the file's name tells all that it was made from.
    """
    from stbp_edu.files import write_whole  # with what no other user of the engine needs

    space = dict(_functions(dtype))
    made_of = (
        source,
        dtype.name,
        inspect.getsource(loops),
        importlib.metadata.version("numba"),
        sys.version,
    )
    path = _folder() / f"loops_{hashlib.sha256(repr(made_of).encode()).hexdigest()[:20]}.py"
    try:
        if not path.exists():
            write_whole(path, lambda file: file.write(source.encode()))
        space["jit"] = _jit(cache=True)
    except OSError:
        pass
    exec(compile(source, str(path), "exec"), space)
    return space


def _folder() -> Path:
    """Return the folder of what is compiled in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "stbp_edu"


def are_rare(spikes: Array) -> bool:
    """Return whether an array (T, S, n) holds 0 and 1 alone, and few of the latter."""
    found = np.zeros((spikes.shape[1], 2), np.int64)
    shared(kernel("census"), len(found), spikes.size, spikes, found)
    active, other = found.sum(axis=0)
    return bool(other == 0 and active < RARE * spikes.size)


def weigh(spikes: Array, W: Array, out: Array) -> None:
    """Write what weights (m, n) bring, W o, to ``out`` (T, S, m), from spikes (T, S, n)."""
    rows, across = out.reshape(-1, out.shape[2]), np.ascontiguousarray(W.T)
    below = spikes.reshape(len(rows), -1)
    shared(kernel("weigh"), len(rows), spikes.size * len(W) / 8, below, across, rows)


def correlate(spikes: Array, epsilon: Array, out: Array) -> None:
    """Write the gradient of W, Σ ε oᵀ, to ``out``, from spikes (T, S, n) and ε (T, S, m)."""
    by_columns = out.T.flags.c_contiguous
    across = out.T if by_columns else np.empty(out.T.shape, out.dtype)
    work = float(spikes.size) * epsilon.shape[2] / 8
    rows = epsilon.reshape(-1, epsilon.shape[2])
    shared(kernel("correlate"), len(across), work, spikes, rows, across)
    if not by_columns:
        out[...] = across.T


@cache
def kernel(name: str) -> Callable[..., Any]:
    """Return a function of :mod:`stbp_edu.engine.loops`, compiled when it is called first."""
    function: Callable[..., Any] = _functions(np.dtype(np.float32))[name]
    return function


def _jit(**more: Any) -> Any:
    """Return the compiler's decorator; without fastmath each operation is done as in NumPy."""
    return importlib.import_module("numba").njit(nogil=True, error_model="numpy", **more)


@cache
def _functions(dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what a source may call."""
    jit = _jit()
    space: dict[str, Any] = {name: getattr(math, name) for name in ("exp", "log", "tanh", "sqrt")}
    space |= {"np": np, "F": dtype.type, "jit": jit, "erf": math.erf}
    space["reached"] = jit(lambda a, b: dtype.type(1) if a >= b else dtype.type(0))
    space["minimum"] = jit(lambda a, b: a if b >= a else b)
    space["maximum"] = jit(lambda a, b: a if a >= b else b)
    space["where"] = jit(lambda reached, a, b: a if reached > 0 else b)
    floor = dtype.type(loops.FLOOR if dtype == np.float32 else 0)
    space["settled"] = jit(lambda d: (d + floor) - floor)
    if dtype == np.float32:
        space["exp"] = jit(loops.quick_exp)
    own: dict[str, Any] = {"np": np, "__name__": loops.__name__}
    space["__name__"] = loops.__name__  # which what is kept on the disk is read back into
    for name in ("spikes_in", "add_rows", "add_scaled_rows", "weigh", "correlate", "census"):
        function = getattr(loops, name)
        copy = types.FunctionType(function.__code__, own, name)  # it calls the compiled ones
        space[name] = own[name] = _jit(cache=True)(copy)
    return space
