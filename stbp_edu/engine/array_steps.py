"""The derived neuron of a layer on whole arrays, step by step, in NumPy.

A step works on a few samples at a time: they do not depend on each other, and a small block stays
in the processor's cache, its temporaries too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.arrows.lines.program import StepBack, StepFunctions, step_functions
from stbp_edu.checks import Array
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.surrogates import Surrogate

BLOCK = 40_960
"""Entries of one step that are worked on at a time: 160 KB in float32."""

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class ArraySteps:
    """The steps of one layer.

    Attributes:
        back: the step back, which knows network, layer and rule.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H stands in place of the spike.
    """

    back: StepBack
    wanted: tuple[str, ...]
    twin: bool = False

    @cached_property
    def step(self) -> StepFunctions:
        """One step, forward and back."""
        curve = self.curve
        functions = {name: getattr(np, name) for name in ("exp", "log", "tanh", "sqrt")}
        functions |= {name: getattr(np, name) for name in ("minimum", "maximum")}
        spike = curve.antiderivative if self.twin else lambda v: (v >= 0).astype(v.dtype)
        functions |= {"spike": spike, "h": curve.derivative}
        return step_functions(self.back.net, self.back.n, self.back.rule, functions)

    @property
    def curve(self) -> Surrogate:
        """What stands in for the derivative of the spike."""
        return self.back.neuron.surrogate

    @cached_property
    def loops(self) -> LoopSource:
        """The source of the loops that do the same."""
        return LoopSource(self.back, self.wanted, self.twin)

    @property
    def text(self) -> str:
        """Their source."""
        return self.back.source()

    @property
    def holds_gains(self) -> bool:
        """Whether a step back holds gains within the rule's limit, if it has one."""
        return self.back.rule.gain_limit is None

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.back.neuron.order

    @property
    def signals(self) -> list[str]:
        """The signals that a step back reads."""
        return list(self.back.signals)

    def forward(self, states: Arrays, p: Arrays, spikes: Array | None = None) -> None:
        """Fill the states of all steps.

        Args:
            states: by name, (T, S, m) each; the first one holds what the weights bring.
            p: by name, the parameters of the layer, ``"b"`` for each neuron.
            spikes: those below, where the steps themselves have to weigh them; compiled ones can.
        """
        first, output = self.states[0], self.back.neuron.output
        constants = self._constants(p, states[first].dtype)
        for s in _blocks(states[first]):
            last = {name: np.zeros_like(states[name][0, s]) for name in self.back.lines.lines}
            for t, drive in enumerate(states[first][:, s]):
                x = drive + p["b"]
                if "R" in p and t:
                    x += last[output] @ p["R"].T
                found = self.step.forward(*last.values(), x, *constants)
                for name, value in zip(("x", *last), (x, *found), strict=True):
                    if name in states:
                        states[name][t, s] = value
                        last[name] = states[name][t, s]
                last.pop("x", None)

    def backward(
        self, kept: Sequence[Array], states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients of b and of what the neuron learns.

        Args:
            kept: where they go, (T, S, m) each; the first one holds the first signal.
            states: by name, of all steps.
            p: by name, the parameters of the layer.
            signals: the other signals: what other layers and the loss hand back.
        """
        some = states[self.states[0]]
        sums = {name: np.zeros(some.shape[2], some.dtype) for name in self.back.neuron.learned}
        given = {**dict(zip(self.signals[:1], kept, strict=False)), **signals}
        found = dict(zip(self.wanted, kept, strict=True))
        for s in _blocks(some):
            here = [{k: a[:, s] for k, a in of.items()} for of in (given, states, found)]
            for name, g in self._back(here[0], here[1], here[2], p).items():
                sums[name] += np.broadcast_to(g, some[0, s].shape).sum(axis=0)
        return {"b": kept[0].sum(axis=(0, 1)), **sums}

    def _back(self, signals: Arrays, states: Arrays, found: Arrays, p: Arrays) -> dict[str, Any]:
        """Fill the adjoints of a block of samples; return what is learned, by sample and neuron."""
        back, some = self.back, next(iter(states.values()))
        T, zero = len(some), np.zeros_like(some[0])
        constants = self._constants(p, some.dtype)
        learned = dict.fromkeys(back.neuron.learned, 0.0)
        later: dict[str, Any] = {}
        for t in reversed(range(T)):
            if back.rule.block and (t + 1) % back.rule.block == 0:
                later = {}

            def value(name: str, t: int = t, later: Arrays = later) -> Any:
                """Return what a step back reads."""
                if name.startswith("signal"):
                    return self._signal(name, signals[name][t], later, p)
                if name.startswith("d_"):
                    return later.get(name.removesuffix("_next"), zero)
                if name.endswith("_last"):
                    return states[name.removesuffix("_last")][t - 1] if t else zero
                return states[name.removesuffix("_next")][min(t + name.endswith("_next"), T - 1)]

            given = [*map(value, back.arguments), *constants]
            with np.errstate(all="ignore"):
                results = self.step.backward(*given)
            later = {k: zero + v for k, v in zip(back.results, results, strict=True)}
            for name, array in found.items():
                array[t] = later[name]
            learned = {name: g + later[f"g_{name}"] for name, g in learned.items()}
        return learned

    def _signal(self, name: str, above: Any, later: Arrays, p: Arrays) -> Any:
        """Return a signal, with what the layer's own next step hands back."""
        for arrow, head in self.back.signals[name]:
            if arrow.step:
                adjoint = later.get(self.back.name(self.back.neuron.input, head))
                above = above if adjoint is None else above + adjoint @ p["R"]
        return above

    def _constants(self, p: Arrays, dtype: Any) -> list[Any]:
        """Return the constants, those that are learned from the parameters."""
        own = self.back.lines.constants
        return [np.asarray(p.get(name, value), dtype)[()] for name, value in own.items()]


def _blocks(a: Array) -> Iterator[slice]:
    """Yield slices of samples, each of about BLOCK entries a step."""
    _, S, m = a.shape
    size = max(1, BLOCK // m)
    return (slice(s, s + size) for s in range(0, S, size))
