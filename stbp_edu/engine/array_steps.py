"""The derived neuron of a layer on whole arrays, step by step, in NumPy.

A step works on a few samples at a time: they do not depend on each other, and a small block stays
in the processor's cache, its temporaries too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.arrows.lines.program import StepBack
from stbp_edu.checks import Array
from stbp_edu.engine.array_source import ArraySource
from stbp_edu.engine.linear_steps import Arrays, LinearSteps
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.surrogates import Surrogate

BLOCK = 40_960
"""Entries of one step that are worked on at a time: 160 KB in float32."""


@dataclass(frozen=True)
class ArraySteps:
    """The steps of one layer.

    Attributes:
        back: the step back, which knows network, layer and rule.
        wanted: the adjoints to keep, that of what the parameters enter first.
        twin: whether the smooth twin H stands in place of the spike, or outputs may be any numbers.
        fires: another function in place of the spike, where one is given.
    """

    back: StepBack
    wanted: tuple[str, ...]
    twin: bool = False
    fires: Callable[[Any], Any] | None = None

    @cached_property
    def steps(self) -> LinearSteps:
        """A step forward and a step back."""
        heads = {self.back.name(*node): self.back.signal(*node) for node in self.back.nodes}
        outside = {node: name for node, name in heads.items() if name}
        fires = self.curve.antiderivative if self.twin else lambda v: _at_least(v, 0)
        functions = {**NUMPY, "h": self.curve.derivative, "spike": self.fires or fires}
        return LinearSteps(ArraySource(self.back, self.wanted, outside, self.twin), functions)

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
        drive = states[self.states[0]]
        constants = self.constants(p, drive.dtype)
        first, R = self.states[0], p["R"].T if "R" in p else None
        for s in _blocks(drive):
            here = {name: array[:, s] for name, array in states.items()}
            x = here[first] if first == self.back.neuron.input else here[first].copy()
            self.steps.forward(x, here, constants, R, p["b"])

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
        constants = self.constants(p, some.dtype)
        for s in _blocks(some):
            parts = [{k: a[:, s] for k, a in of.items()} for of in (states, given, found)]
            with np.errstate(all="ignore"):
                learned = self.steps.backward(parts[0], parts[1], parts[2], constants, p.get("R"))
            for name, g in learned.items():
                sums[name] += np.broadcast_to(g, some[0, s].shape).sum(axis=0)
        return {"b": kept[0].sum(axis=(0, 1)), **sums}

    def constants(self, p: Arrays, dtype: Any) -> list[Any]:
        """Return the constants, those that are learned from the parameters."""
        own = self.back.lines.constants.items()
        values = (np.asarray(p.get(name, value), dtype) for name, value in own)
        return [value.reshape(-1) if value.ndim else value[()] for value in values]


def _at_least(a: Any, b: Any) -> Any:
    """Return 1 where a >= b, else 0, as a number of their dtype."""
    return (a >= b).astype(getattr(a if np.ndim(a) else b, "dtype", float))


NUMPY: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "tanh", "sqrt", "minimum", "maximum")},
    **{f"_{name}": getattr(np, name) for name in ("add", "subtract", "multiply", "divide")},
    "_at_least": _at_least,
    "_reached": np.greater_equal,
    "_written": np.positive,
}
"""What a source calls, beside the curves of the neuron."""


def _blocks(a: Array) -> Iterator[slice]:
    """Yield slices of samples, each of about BLOCK entries a step."""
    _, S, m = a.shape
    size = max(1, BLOCK // m)
    return (slice(s, s + size) for s in range(0, S, size))
