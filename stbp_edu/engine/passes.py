"""The passes through a network: each layer's weights for all steps at once, and its steps.

Weights are linear maps, fully connected or with convolution and average pooling. Each takes arrays
(T, S, m) and writes to one: ``forward`` carries spikes up, ``transpose`` carries errors down, and
``gradient`` is the sum over all arrows that share a weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stbp_edu._support.checks import Array
from stbp_edu.arrows.link import AveragePool, Link, Patches
from stbp_edu.arrows.table import LOSS
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import (
    CompiledSteps,
    are_rare,
    correlate,
    multiply,
    weigh,
)
from stbp_edu.engine.workspace import Workspace

States = list[Any]
"""By layer, the states of all steps by name, (T, S, n[n]) each; layer 0 has only the input."""
PATCHES = 2**19
"""Numbers in the patches that are cut out at a time: 2 MB in float32, which stay in the cache."""


def flat(a: Array) -> Array:
    """Return an array as a matrix with its last axis for columns, without a copy."""
    return a.reshape(-1, a.shape[-1])


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
class Linked:
    """A convolution, or weights behind pooling: a matrix product for the patches of a few images.

    These lie side by side on the last axis, so what is added up is long pieces of memory.
    """

    W: Array
    link: Link

    @property
    def copies(self) -> int:
        """How many neurons share a bias: those of a channel, which lie side by side."""
        return math.prod(self.link.shape[1:])

    def forward(self, below: Array, out: Array) -> None:
        """Write W on each patch."""
        x, y = flat(below), flat(out)
        for some in self._blocks(len(x)):
            of_patches = self._matrix @ self._patches(
                x[some]
            )  # p2-conv-x, p2-conv-image-x
            y[some] = of_patches.reshape(y.shape[1], -1).T

    def transpose(self, signal: Array, out: Array) -> None:
        """Add what each patch gets where it was cut out."""
        error, back = flat(signal), flat(out)
        for some in self._blocks(len(error)):
            image = self._images(
                self._matrix.T @ self._by_channel(error[some]), len(back[some])
            )
            back[some] = image.reshape(back.shape[1], -1).T

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε patchᵀ over positions, steps and samples."""
        error, x, found = flat(epsilon), flat(below), out.reshape(self._matrix.shape)
        found[...] = 0
        for some in self._blocks(len(x)):  # p2-conv-w, p2-conv-image-w
            found += self._by_channel(error[some]) @ self._patches(x[some]).T

    @cached_property
    def _matrix(self) -> Array:
        """A row of weights for each channel or neuron."""
        return self.W.reshape(len(self.W), -1)

    def _by_channel(self, rows: Array) -> Array:
        """Return the values of some images, (images, m), with a row for each channel."""
        return np.ascontiguousarray(rows.T).reshape(self.link.units, -1)

    def _patches(self, rows: Array) -> Array:
        """Return the patches of some images: a row for each weight of a neuron."""
        image = np.ascontiguousarray(rows.T).reshape(*self.link.source, -1)
        for one in self.link.maps:
            if isinstance(one, AveragePool):
                blocks = (
                    image[:, a :: one.k, b :: one.k]
                    for a, b in np.ndindex(one.k, one.k)
                )
                image = sum(blocks, np.zeros((), image.dtype)) * (
                    1 / one.k**2
                )  # p2-pool-x
            elif isinstance(one, Patches):
                windows = sliding_window_view(image, (one.k, one.k), (1, 2))
                image = np.moveaxis(windows, (-2, -1), (1, 2))
        return image.reshape(self._matrix.shape[1], -1)

    def _images(self, patches: Array, images: int) -> Array:
        """Return the errors of some images, from those of their patches."""
        error = patches
        maps = [*zip(self.link.maps, self.link.shapes, strict=False)]
        for one, shape in reversed(maps):
            below = np.zeros((*shape, images), patches.dtype)
            if isinstance(one, Patches):
                C, H, W = shape
                k, h, w = one.k, H - one.k + 1, W - one.k + 1
                error = error.reshape(C, k, k, h, w, images)
                for a, b in np.ndindex(k, k):  # p2-conv-delta, p2-conv-image-delta
                    below[:, a : a + h, b : b + w] += error[:, a, b]
            elif isinstance(one, AveragePool):
                for a, b in np.ndindex(one.k, one.k):  # p2-pool-delta
                    below[:, a :: one.k, b :: one.k] = error * (1 / one.k**2)
            else:
                below = error.reshape(below.shape)
            error = below
        return error

    def _blocks(self, images: int) -> Iterator[slice]:
        """Yield slices of images whose patches stay in the cache."""
        size = max(1, PATCHES // max(map(math.prod, self.link.shapes)))
        return (slice(s, s + size) for s in range(0, images, size))


Weights = Dense | Linked
"""The linear map from one layer to the next, and its transpose."""


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
    weights: Sequence[Weights | Any]
    params: Sequence[Any]
    work: Workspace
    _rare: dict[int, tuple[Array, bool]] = field(
        default_factory=dict, init=False, repr=False
    )

    def forward(self, inputs: Array) -> States:
        """Return the states of every layer, from the input (T, S, n[0])."""
        states: States = [{"o": inputs}]
        for n, steps in enumerate(self.layers[1:], 1):
            below, p = self.output(states, n - 1), self.params[n]
            b = np.repeat(p["b"], self.weights[n].copies)
            shape = (*below.shape[:2], len(b))
            own = {
                name: self.work.array(f"state {name}", n, shape, b.dtype)
                for name in steps.states
            }
            self._drive(n, below, own[steps.states[0]])
            steps.forward(own, {**p, "b": b})
            states.append(own)
        return states

    def _drive(self, n: int, below: Array, out: Array) -> None:
        """Write the weighted input of layer n, of all steps at once (fwd-x)."""
        if self.go_one_by_one(n, below):
            weigh(below, self.params[n]["W"], out)
            return
        distinct = distinct_steps(below)
        self.weights[n].forward(distinct, out[: len(distinct)])
        out[len(distinct) :] = out[0]

    def output(self, states: States, n: int) -> Array:
        """Return the layer's output."""
        found: Array = states[n][self.layers[n].program.neuron.output if n else "o"]
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
            errors = {
                name: self.work.array(f"adjoint {name}", *like) for name in steps.wanted
            }
            first = errors[steps.wanted[0]]  # takes the place of the first signal
            signals = {
                name: self.work.array(f"signal {name}", *like) if k else first
                for k, name in enumerate(steps.program.signals)
            }
            for name, out in signals.items():
                self._signal(n, name, above, direct, out)
            yield n, errors, steps.backward(errors, states[n], self.params[n], signals)
            above = errors

    def gradients(self, states: States, direct: Mapping[str, Array]) -> list[Any]:
        """Return the gradients by layer; those of the weights live in the buffers."""
        result: list[Any] = [None] * len(self.layers)
        for n, errors, sums in self.down(states, direct):
            epsilon, p = next(iter(errors.values())), self.params[n]
            below, output = self.output(states, n - 1), self.output(states, n)
            found: dict[str, Array] = {}
            for name, g in sums.items():  # over the neurons that share it: c5-b
                found[name] = np.asarray(g.reshape(*p[name].shape, -1).sum(axis=-1))
            if "R" in p:
                found["R"] = flat(epsilon[1:]).T @ flat(output[:-1])
            found["W"] = self._of_weights(n, epsilon, below)
            result[n] = found
        return result

    def _of_weights(self, n: int, epsilon: Array, below: Array) -> Array:
        """Return the gradient of the weights of a layer."""
        W = self.params[n]["W"]
        if self.go_one_by_one(n, below):
            # Transposed: a row for each neuron below, to which a spike adds.
            by_neuron_below = self.work.array("W", n, W.shape[::-1], W.dtype)
            correlate(below, epsilon, by_neuron_below)  # c5-w
            return by_neuron_below.T
        out = self.work.array("W", n, W.shape, W.dtype)
        distinct = distinct_steps(below)
        if len(distinct) < len(epsilon):
            epsilon = epsilon.sum(axis=0, keepdims=True)
        self.weights[n].gradient(epsilon, distinct, out)  # c5-w
        return out

    def go_one_by_one(self, n: int, below: Array) -> bool:
        """Return whether layer n goes through the spikes below one by one."""
        dense = type(self.weights[n]) is Dense
        if not (dense and isinstance(self.layers[n], CompiledSteps)):
            return False
        known = self._rare.get(n)
        if known is None or known[0] is not below:
            m = len(self.params[n]["b"])
            rare = below.flags.c_contiguous and are_rare(below, m)
            self._rare[n] = known = below, rare
        return known[1]

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
    return (
        below[:1] if isinstance(below, np.ndarray) and below.strides[0] == 0 else below
    )
