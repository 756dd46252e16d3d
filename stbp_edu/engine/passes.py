"""The passes through a network: each layer's weights for all steps at once, and its steps.

Weights are linear maps, :class:`Dense` or with convolution and average pooling. Each takes arrays
(T, S, m) and writes to one: ``forward`` carries spikes up, ``transpose`` carries errors down, and
``gradient`` is the sum over all arrows that share a weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.table import LOSS
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import CompiledSteps
from stbp_edu.engine.spike_places import SpikePlaces, rare_spikes
from stbp_edu.engine.threads import run_in_parts
from stbp_edu.engine.workspace import Workspace

PRODUCT_ROWS = 256
"""The most rows of a matrix product in one block."""
States = list[Any]
"""By layer, the states of all steps by name, (T, S, n[n]) each; layer 0 has only the input."""


def flat(a: Array) -> Array:
    """Return an array as a matrix with its last axis for columns, without a copy."""
    return a.reshape(-1, a.shape[-1])


def multiply(a: Array, b: Array, out: Array) -> None:
    """Write the matrix product of a and b to ``out``, in blocks of rows that are about alike."""
    blocks = -(-len(a) // PRODUCT_ROWS)
    height = 8 * -(-len(a) // (8 * blocks))  # rows are computed eight at a time

    def loop(first: int, last: int) -> None:
        """Do some blocks."""
        for k in range(first, last):
            rows = slice(k * height, (k + 1) * height)
            np.matmul(a[rows], b, out=out[rows])

    work = a.size * b.shape[1] / 16  # 16 multiplications are done at once
    run_in_parts(loop, blocks, work)


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: one product for all steps and samples."""

    W: Array

    def forward(self, below: Array, out: Array) -> None:
        """Write W o, for every step and sample."""
        multiply(flat(below), self.W.T, flat(out))  # fwd-x

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err."""
        multiply(flat(signal), self.W, flat(out))

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε oᵀ over steps and samples."""
        multiply(flat(epsilon).T, flat(below), out)  # c5-w

    copies = 1


@dataclass(frozen=True)
class Passes:
    """The passes through the layers of a network.

    The caller has checked the arguments, and runs compiled ones in ``one_blas_thread``.

    Attributes:
        layers: the steps of each layer, None first.
        weights: the linear map into each layer, None first.
        params: the arrays of each layer by name, all of one dtype, None first.
        work: the buffers in which states and gradients live.
    """

    layers: Sequence[ArraySteps | CompiledSteps | Any]
    weights: Sequence[Any]
    params: Sequence[Any]
    work: Workspace

    def forward(self, inputs: Array) -> States:
        """Return the states of every layer, from the input (T, S, n[0])."""
        states: States = [{"o": inputs}]
        for n, steps in enumerate(self.layers[1:], 1):
            below = self.output(states, n - 1)
            p = self.params[n]
            b = np.repeat(p["b"], self.weights[n].copies)
            T, S, _ = below.shape
            like = n, (T, S, len(b)), b.dtype
            own = {s: self.work.array(f"state {s}", *like) for s in steps.states}
            self._drive(n, below, own[steps.states[0]])
            steps.forward(own, {**p, "b": b})
            states.append(own)
        return states

    def _drive(self, n: int, below: Array, out: Array) -> None:
        """Write the weighted input of layer n, of all steps at once (fwd-x)."""
        places = self._places(n, below)
        self.work.keep_places(n, below, places)
        if places is not None:
            W = self.params[n]["W"]
            places.weigh(W, np.zeros(len(W), W.dtype), out)  # steps add the bias
            return
        distinct = distinct_steps(below)
        many = len(distinct)
        self.weights[n].forward(distinct, out[:many])
        out[many:] = out[0]

    def output(self, states: States, n: int) -> Array:
        """Return the layer's output."""
        name = self.layers[n].program.neuron.output if n else "o"
        found: Array = states[n][name]
        return found

    def down(
        self, states: States, direct: Mapping[str, Array]
    ) -> Iterator[tuple[int, dict[str, Array], dict[str, Array]]]:
        """Yield n, the adjoints and the sums of each layer, from the last to the first.

        Args:
            states: those of a forward pass.
            direct: by state of the last layer, the direct term, (T, S, n[N]).
        """
        above: dict[str, Array] = {}
        for n in range(len(self.layers) - 1, 0, -1):
            steps, output = self.layers[n], self.output(states, n)
            like = n, output.shape, output.dtype
            errors = {d: self.work.array(f"adjoint {d}", *like) for d in steps.wanted}
            signals: dict[str, Array] = {}
            for name in steps.program.signals:
                if signals:
                    out = self.work.array(f"signal {name}", *like)
                else:
                    out = errors[steps.wanted[0]]  # has the place of the first signal
                self._signal(n, name, above, direct, out)
                signals[name] = out
            sums = steps.backward(errors, states[n], self.params[n], signals)
            yield n, errors, sums
            above = errors

    def gradients(self, states: States, direct: Mapping[str, Array]) -> list[Any]:
        """Return the gradients by layer; those of the weights live in the buffers."""
        result: list[Any] = [None] * len(self.layers)
        for n, errors, sums in self.down(states, direct):
            epsilon, *_ = errors.values()
            p = self.params[n]
            found: dict[str, Array] = {}
            for name, g in sums.items():
                by_neuron = g.sum(axis=0).reshape(*p[name].shape, -1)
                found[name] = np.asarray(by_neuron.sum(axis=-1))  # who share it: c5-b
            if "R" in p:
                output = self.output(states, n)
                found["R"] = flat(epsilon[1:]).T @ flat(output[:-1])
            below = self.output(states, n - 1)
            found["W"] = self._of_weights(n, epsilon, below, sums["b"])
            result[n] = found
        return result

    def input_gradient(self, states: States, direct: Mapping[str, Array]) -> Array:
        """Return the derivative by an input that all steps share, (S, n[0])."""
        *_, (_, errors, _) = self.down(states, direct)
        *_, err = errors.values()
        summed = err.sum(axis=0, keepdims=True)
        _, S, inputs = states[0]["o"].shape
        delta = np.empty((1, S, inputs), err.dtype)
        self.weights[1].transpose(summed, delta)  # c2-delta
        return np.asarray(delta[0])

    def _of_weights(self, n: int, epsilon: Array, below: Array, summed: Array) -> Array:
        """Return the gradient of the weights of a layer; ``summed`` is the sum of ε over steps."""
        W = self.params[n]["W"]
        if self.work.has_places(n, below):
            places = self.work.take_places(n)
        else:
            places = self._places(n, below)
        if places is not None:
            # Transposed: a row for each neuron below, to which a spike adds.
            by_neuron_below = self.work.array("W", n, W.shape[::-1], W.dtype)
            places.correlate(epsilon, by_neuron_below)
            return by_neuron_below.T
        out = self.work.array("W", n, W.shape, W.dtype)
        distinct = distinct_steps(below)
        if len(distinct) < len(epsilon):
            epsilon = summed[None]
        self.weights[n].gradient(epsilon, distinct, out)  # c5-w
        return out

    def _places(self, n: int, below: Array) -> SpikePlaces | None:
        """Return where the spikes below layer n are, if it goes through them one by one."""
        if not isinstance(self.weights[n], Dense):
            return None
        if not isinstance(self.layers[n], CompiledSteps):
            return None
        return rare_spikes(below, len(self.params[n]["b"]))

    def _signal(
        self,
        n: int,
        name: str,
        errors: Mapping[str, Array],
        direct: Mapping[str, Array],
        out: Array,
    ) -> None:
        """Write the errors that layer n receives from the loss and the layer above."""
        for arrow, q in self.layers[n].program.signals[name]:
            if arrow.layer:
                above = self.layers[n + 1].program.name(arrow.target, q)
                self.weights[n + 1].transpose(errors[above], out)
                return
            if arrow.target == LOSS and arrow.source in direct:
                out[...] = direct[arrow.source]
                return
        out[...] = 0


def distinct_steps(below: Any) -> Any:
    """Return a layer's input, cut to one step where all steps share the same memory."""
    if isinstance(below, np.ndarray) and below.strides[0] == 0:
        return below[:1]
    return below
