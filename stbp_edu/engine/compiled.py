"""The derived neuron of a layer as compiled loops; it needs Numba."""

from __future__ import annotations

import importlib.util
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from stbp_edu.arrows.lines.program import StepBack
from stbp_edu.checks import Array
from stbp_edu.engine import loops
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.engine.threads import shared

RARE = 0.35
"""The share of spikes above which a matrix product is quicker than a row for each spike."""
WIDE = 64
"""The width of a layer below which a matrix product is quicker."""


def installed() -> bool:
    """Return whether Numba is there."""
    return importlib.util.find_spec("numba") is not None


@dataclass(frozen=True)
class CompiledSteps:
    """The loops of one layer.

    Attributes:
        back: the step back, which knows network, layer and rule.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H stands in place of the spike.
    """

    back: StepBack
    wanted: tuple[str, ...]
    twin: bool = False

    @cached_property
    def source(self) -> LoopSource:
        """Their source."""
        return LoopSource(self.back, self.wanted, self.twin)

    @property
    def text(self) -> str:
        """Their source as text."""
        return self.source.text

    def forward(
        self, x: Array, p: Mapping[str, Array], spikes: Array | None = None
    ) -> dict[str, Array]:
        """Return the states of all steps.

        Args:
            x: what the weights bring, (T, S, m); it becomes a state.
            p: by name, the parameters of the layer, ``"b"`` for each neuron.
            spikes: those below, (T, S, n); then the weights are added here, and x is not read.
        """
        T, S, m = x.shape
        states = {name: np.empty_like(x) if k else x for k, name in enumerate(self.source.states)}
        W = np.zeros((0, m), x.dtype)
        if spikes is None:
            spikes = np.zeros((T, S, 0), x.dtype)
        else:
            W = np.ascontiguousarray(p["W"].T)
        loop = compiled(self.source.text, x.dtype)["forward"]
        shared(loop, S, 10 * x.size, spikes, W, p["b"], *self._given(p, states, forward=True))
        return states

    def backward(
        self, signals: Mapping[str, Array], states: Mapping[str, Array], p: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the adjoints, and the gradients of biases and of what the neuron learns.

        Args:
            signals: what other layers and the loss hand back, (T, S, m) each; written over.
            states: by name, of all steps.
            p: by name, the parameters of the layer.
        """
        some, names = states[self.source.states[0]], self.source.signals
        kept = [np.empty_like(some) for _ in self.wanted]
        if names:
            kept[0] = signals[names[0]]
        learned = ["b", *dict.fromkeys(name for name, _ in self.back.neuron.enters)]
        sums = [np.zeros(some.shape[1:], some.dtype) for _ in learned]
        above = [np.zeros((0, 0, 0), some.dtype) for k in names if self.source.weighted(k)]
        W = [np.zeros((0, 0), some.dtype)] * bool(above)
        loop = compiled(self.source.text, some.dtype)["backward"]
        given = [*above, *W, *self._given(p, states), *(signals[k] for k in names[1:])]
        shared(loop, some.shape[1], 20 * some.size, *given, *kept, *sums)
        return (
            dict(zip(self.wanted, kept, strict=True)),
            {name: g.sum(axis=0) for name, g in zip(learned, sums, strict=True)},
        )

    def _given(
        self, p: Mapping[str, Array], states: Mapping[str, Array], forward: bool = False
    ) -> list[Any]:
        """Return the arguments that both loops take."""
        dtype = next(iter(states.values())).dtype
        own = self.back.lines.constants
        constants = [np.asarray(p.get(name, value), dtype)[()] for name, value in own.items()]
        if self.source.recurrent:
            constants.insert(0, np.ascontiguousarray(p["R"].T if forward else p["R"]))
        return [*constants, *(np.ascontiguousarray(states[s]) for s in self.source.states)]


@cache
def compiled(source: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions of a source, compiled for a dtype when they are called first."""
    space = dict(_functions(dtype))
    exec(compile(source, "<stbp_edu loops>", "exec"), space)
    return space


def are_rare(spikes: Array) -> bool:
    """Return whether an array (T, S, n) holds 0 and 1 alone, and few of the latter."""
    found = np.zeros((spikes.shape[1], 2), np.int64)
    shared(kernel("census"), len(found), spikes.size, spikes, found)
    active, other = found.sum(axis=0)
    return bool(other == 0 and active < RARE * spikes.size)


def correlated(spikes: Array, epsilon: Array) -> Array:
    """Return the gradient of W, Σ ε oᵀ, from spikes (T, S, n) and ε (T, S, m)."""
    out = np.empty((spikes.shape[2], epsilon.shape[2]), epsilon.dtype)
    work = float(spikes.size) * epsilon.shape[2] / 8
    shared(kernel("correlate"), len(out), work, spikes, epsilon.reshape(-1, epsilon.shape[2]), out)
    return out.T


@cache
def kernel(name: str) -> Callable[..., Any]:
    """Return a function of :mod:`stbp_edu.engine.loops`, compiled when it is called first."""
    function: Callable[..., Any] = _functions(np.dtype(np.float32))[name]
    return function


@cache
def _functions(dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what a source may call."""
    import numba

    jit = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy")
    space: dict[str, Any] = {name: getattr(math, name) for name in ("exp", "log", "tanh", "sqrt")}
    space |= {"np": np, "F": dtype.type, "jit": jit, "erf": math.erf}
    space["reached"] = jit(lambda a, b: dtype.type(1) if a >= b else dtype.type(0))
    space["minimum"] = jit(lambda a, b: a if b >= a else b)
    space["maximum"] = jit(lambda a, b: a if a >= b else b)
    floor = dtype.type(loops.FLOOR if dtype == np.float32 else 0)
    space["settled"] = jit(lambda d: (d + floor) - floor)
    if dtype == np.float32:
        space["exp"] = jit(loops.quick_exp)
    own: dict[str, Any] = {"np": np}
    for name in ("spikes_in", "add_rows", "add_scaled_rows", "correlate", "census"):
        function = getattr(loops, name)
        copy = types.FunctionType(function.__code__, own, name)  # it calls the compiled ones
        space[name] = own[name] = jit(copy)
    return space
