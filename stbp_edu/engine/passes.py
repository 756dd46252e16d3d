"""The passes through a network: each layer's weights for all steps at once, and its steps.

Weights are linear maps, :class:`Dense` or with convolution and average pooling. Each takes arrays
(T, S, m) and writes to one: ``forward`` carries spikes up, ``transpose`` carries errors down, and
``gradient`` is the sum over all arrows that share a weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import LOSS
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import CompiledSteps
from stbp_edu.engine.spike_places import SpikePlaces, rare_spikes
from stbp_edu.engine.threads import run_in_parts
from stbp_edu.engine.workspace import Workspace

PRODUCT_ROWS, PRODUCT_COLUMNS = 256, 400
"""The most rows of a matrix product in one block, and the most columns where it has few rows."""
States = list[Any]
"""By layer, the states of all steps by name, (T, S, n[n]) each; layer 0 has only the input."""


def flat(a: Array) -> Array:
    """Return an array as a matrix with its last axis for columns, without a copy."""
    columns = a.shape[-1]
    return a.reshape(-1, columns)


def multiply(a: Array, b: Array, out: Array) -> None:
    """Write the matrix product of a and b to ``out``, in blocks of rows or of columns."""
    by_rows = len(a) > PRODUCT_ROWS
    size = len(a) if by_rows else b.shape[1]
    most = PRODUCT_ROWS if by_rows else PRODUCT_COLUMNS
    blocks = math.ceil(size / most)
    each = math.ceil(size / blocks)
    width = 8 * math.ceil(each / 8)  # eight are computed at a time

    def loop(first: int, last: int) -> None:
        """Do some blocks."""
        for k in range(first, last):
            start = k * width
            some = slice(start, start + width)
            if by_rows:
                np.matmul(a[some], b, out=out[some])
            else:
                np.matmul(a, b[:, some], out=out[:, some])

    multiplications = a.size * b.shape[1]
    work = multiplications / 16  # so many are done at once
    run_in_parts(loop, blocks, work)


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: one product for all steps and samples."""

    W: Array

    def forward(self, below: Array, out: Array) -> None:
        """Write W o, for every step and sample."""
        rows = flat(below)
        multiply(rows, self.W.T, flat(out))  # fwd-x

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err."""
        rows = flat(signal)
        multiply(rows, self.W, flat(out))

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε oᵀ over steps and samples."""
        errors = flat(epsilon)
        outputs = flat(below)
        multiply(errors.T, outputs, out)  # c5-w

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
            copies = self.weights[n].copies
            b = np.repeat(p["b"], copies)
            T, S, _ = below.shape
            shape = T, S, len(b)
            own: dict[str, Array] = {}
            for name in steps.states:
                own[name] = self.work.array(f"state {name}", n, shape, b.dtype)
            first = steps.states[0]
            self._drive(n, below, own[first])
            steps.forward(own, {**p, "b": b})
            states.append(own)
        return states

    def _drive(self, n: int, below: Array, out: Array) -> None:
        """Write the weighted input of layer n, of all steps at once (fwd-x)."""
        places = self._places(n, below)
        self.work.keep_places(n, below, places)
        if places is not None:
            W = self.params[n]["W"]
            nothing = np.zeros(len(W), W.dtype)  # steps add the bias
            places.weigh(W, nothing, out)
            return
        distinct = distinct_steps(below)
        many = len(distinct)
        self.weights[n].forward(distinct, out[:many])
        out[many:] = out[0]

    def output(self, states: States, n: int) -> Array:
        """Return the layer's output."""
        name = "o"
        if n > 0:
            neuron = self.layers[n].program.neuron
            name = neuron.output
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
        last = len(self.layers) - 1
        for n in range(last, 0, -1):
            steps = self.layers[n]
            output = self.output(states, n)
            like = n, output.shape, output.dtype
            errors: dict[str, Array] = {}
            for name in steps.wanted:
                errors[name] = self.work.array(f"adjoint {name}", *like)
            first = steps.wanted[0]
            signals: dict[str, Array] = {}
            for name in steps.program.signals:
                out = errors[first]  # has the place of the first signal
                if signals:
                    out = self.work.array(f"signal {name}", *like)
                self._signal(n, name, above, direct, out)
                signals[name] = out
            p = self.params[n]
            sums = steps.backward(errors, states[n], p, signals)
            yield n, errors, sums
            above = errors

    def gradients(self, states: States, direct: Mapping[str, Array]) -> list[Any]:
        """Return the gradients by layer; those of the weights live in the buffers."""
        result: list[Any] = [None] * len(self.layers)
        for n, errors, sums in self.down(states, direct):
            epsilon, *_ = errors.values()  # what the parameters enter
            p = self.params[n]
            found: dict[str, Array] = {}
            for name, g in sums.items():
                over_samples = g.sum(axis=0)
                shape = p[name].shape
                sharing = over_samples.reshape(*shape, -1)
                summed = sharing.sum(axis=-1)  # over who share an entry: c5-b
                found[name] = np.asarray(summed)
            if "R" in p:
                output = self.output(states, n)
                later = flat(epsilon[1:])
                earlier = flat(output[:-1])
                found["R"] = later.T @ earlier
            below = self.output(states, n - 1)
            found["W"] = self._of_weights(n, epsilon, below, sums["b"])
            result[n] = found
        return result

    def _of_weights(self, n: int, epsilon: Array, below: Array, summed: Array) -> Array:
        """Return the gradient of the weights of a layer; ``summed`` is the sum of ε over steps."""
        W = self.params[n]["W"]
        places = self.work.take_places(n, below, lambda: self._places(n, below))
        if places is not None:
            # Transposed: a row for each neuron below, to which a spike adds.
            shape = W.shape[::-1]
            by_neuron_below = self.work.array("W", n, shape, W.dtype)
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
        m = len(self.params[n]["b"])

        def room(entries: int) -> Array:
            """Return a buffer: memory given back to the system costs time when asked for again."""
            return self.work.array("places", n, (entries,), np.dtype(np.int32))

        return rare_spikes(below, m, room)

    def _signal(
        self,
        n: int,
        name: str,
        errors: Mapping[str, Array],
        direct: Mapping[str, Array],
        out: Array,
    ) -> None:
        """Write the errors that layer n receives from the loss and the layer above."""
        program = self.layers[n].program
        for arrow, q in program.signals[name]:
            if arrow.layer:
                above = self.layers[n + 1].program
                error = errors[above.name(arrow.target, q)]
                self.weights[n + 1].transpose(error, out)
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
