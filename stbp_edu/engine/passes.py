"""The passes through a network: each layer's weights for all steps at once, and its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stbp_edu.arrays import Workspace
from stbp_edu.arrows.table import LOSS
from stbp_edu.checks import Array
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import WIDE, CompiledSteps, are_rare, correlate
from stbp_edu.engine.threads import one_blas_thread
from stbp_edu.engine.weights import Dense, Weights

States = list[Any]
"""By layer, the states of all steps by name, (T, S, n[n]) each; layer 0 has the input alone."""


@dataclass(frozen=True)
class Passes:
    """The passes through the layers of a network, for a caller that has checked the arguments.

    Attributes:
        layers: the steps of each layer, None first.
        weights: the linear map into each layer, None first.
        params: the arrays of each layer by name, all of one dtype, None first.
        work: the buffers in which states and gradients live.
    """

    layers: Sequence[ArraySteps | Any]
    weights: Sequence[Weights | Any]
    params: Sequence[Any]
    work: Workspace
    _rare: dict[int, tuple[Array, bool]] = field(default_factory=dict, init=False, repr=False)

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.layers) - 1

    def forward(self, inputs: Array) -> States:
        """Return the states of every layer, from the input (T, S, n[0])."""
        states: States = [{"o": inputs}]
        with one_blas_thread():  # several would be in the way of ours
            for n in range(1, self.N + 1):
                states.append(self._layer(n, self.output(states, n - 1)))
        return states

    def _layer(self, n: int, below: Array) -> dict[str, Array]:
        """Return the states of a layer."""
        p, steps = self.params[n], self.layers[n]
        b = np.repeat(p["b"], self.weights[n].copies)
        shape = (*below.shape[:2], len(b))
        states = {name: self.work.array(name, n, shape, b.dtype) for name in steps.states}
        rare = self.go_one_by_one(n, below)
        if not rare:
            drive, distinct = states[steps.states[0]], distinct_steps(below)
            self.weights[n].forward(distinct, drive[: len(distinct)])  # fwd-x, all steps at once
            drive[len(distinct) :] = drive[0]
        steps.forward(states, {**p, "b": b}, below if rare else None)
        return states

    def output(self, states: States, n: int) -> Array:
        """Return what a layer hands on."""
        found: Array = states[n][self.layers[n].back.neuron.output if n else "o"]
        return found

    def down(
        self, states: States, direct: Mapping[str, Array]
    ) -> Iterator[tuple[int, dict[str, Array], dict[str, Array]]]:
        """Yield n, the adjoints and the sums of each layer, from the last to the first.

        Args:
            states: those of a forward pass.
            direct: by state of the last layer, the direct term, (T, S, n[N]).
        """
        errors: dict[str, Array] = {}
        for n in range(self.N, 0, -1):
            steps, output = self.layers[n], self.output(states, n)
            kept = [
                self.work.array(f"E {name}", n, output.shape, output.dtype) for name in steps.wanted
            ]
            signals = dict(zip(steps.signals[:1], kept, strict=False))
            for name in steps.signals:
                if name not in signals:
                    signals[name] = self.work.array(name, n, output.shape, output.dtype)
                self._signal(n, name, errors, direct, signals[name])
            sums = steps.backward(kept, states[n], self.params[n], signals)
            errors = dict(zip(steps.wanted, kept, strict=True))
            yield n, errors, sums

    def gradients(self, states: States, direct: Mapping[str, Array]) -> list[Any]:
        """Return the gradients by layer; those of the weights live in the buffers."""
        result: list[Any] = [None] * (self.N + 1)
        with one_blas_thread():  # several would be in the way of ours
            for n, errors, sums in self.down(states, direct):
                epsilon = next(iter(errors.values()))
                below, output = self.output(states, n - 1), self.output(states, n)
                p = self.params[n]
                found = {k: _shaped(g, p[k]) for k, g in sums.items() if k != "b"}
                found["b"] = sums["b"].reshape(-1, self.weights[n].copies).sum(axis=1)  # c5-b
                if "R" in p:
                    m = epsilon.shape[2]
                    found["R"] = epsilon[1:].reshape(-1, m).T @ output[:-1].reshape(-1, m)
                found["W"] = self._of_weights(n, epsilon, below)
                result[n] = found
        return result

    def _of_weights(self, n: int, epsilon: Array, below: Array) -> Array:
        """Return the gradient of the weights of a layer."""
        W = self.params[n]["W"]
        if self.go_one_by_one(n, below):
            out = self.work.array("W", n, W.shape[::-1], W.dtype).T  # a neuron below after another
            correlate(below, epsilon, out)  # c5-w
            return out
        out, distinct = self.work.array("W", n, W.shape, W.dtype), distinct_steps(below)
        if len(distinct) < len(epsilon):
            epsilon = epsilon.sum(axis=0, keepdims=True)
        self.weights[n].gradient(epsilon, distinct, out)  # c5-w
        return out

    def go_one_by_one(self, n: int, below: Array) -> bool:
        """Return whether layer n goes through the spikes below one by one."""
        dense = type(self.weights[n]) is Dense and len(self.params[n]["b"]) >= WIDE
        if not (dense and isinstance(self.layers[n], CompiledSteps)):
            return False
        known = self._rare.get(n)
        if known is None or known[0] is not below:
            self._rare[n] = known = below, below.flags.c_contiguous and are_rare(below)
        return known[1]

    def _signal(
        self,
        n: int,
        name: str,
        errors: Mapping[str, Array],
        direct: Mapping[str, Array],
        out: Array,
    ) -> None:
        """Write what the loss and the layer above hand back to layer n."""
        for arrow, q in self.layers[n].back.signals[name]:
            if arrow.layer:
                above = self.layers[n + 1].back.name(arrow.target, q)
                self.weights[n + 1].transpose(errors[above], out)
                return
            if arrow.target == LOSS and arrow.source in direct:
                out[...] = direct[arrow.source]
                return
        out[...] = 0


def distinct_steps(below: Any) -> Any:
    """Return what a layer reads, cut to one step where all steps share the same memory."""
    return below[:1] if isinstance(below, np.ndarray) and below.strides[0] == 0 else below


def _shaped(g: Array, like: Array) -> Array:
    """Return a gradient by neuron in the shape of what is learned; a layer shares a number."""
    return g.reshape(like.shape) if like.ndim else np.asarray(g.sum())
