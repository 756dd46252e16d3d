"""One training step: draw a batch, encode it, run it forward and backward, update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.engine import Workspace, run, run_back, run_to_input
from stbp_edu.losses import loss
from stbp_edu.network import Gradients, Params, Trace
from stbp_edu.training.adversarial import against
from stbp_edu.training.encoders import encode
from stbp_edu.training.narrow import Kept, add_up, draw_hidden, lit, missed, narrow, only
from stbp_edu.training.optimizers import OptimizerState, blend
from stbp_edu.training.parallel import Team
from stbp_edu.training.settings import Settings
from stbp_edu.training.state import EPOCH, State, stream
from stbp_edu.training.tensors import tensors, zeros_like


@dataclass(frozen=True)
class Batch:
    """What one step saw, with images as it saw them: shifted, and nudged against the network.

    Attributes:
        size: images in the batch.
        loss: the loss before the update.
        right: images answered rightly.
        rates: mean firing rate of each layer 0..N.
        outputs: mean firing rate of each output neuron.
    """

    size: int
    loss: float
    right: int
    rates: tuple[float, ...]
    outputs: Array


class Stepper:
    """Takes steps through the training images. It owns buffers, and no state of the run.

    Args:
        settings: of the run.
        images: shape (images, rows, columns); with ``shift``, they are padded, so that each shift
            is a window.
        labels: the class of each image.
        crew: who works on the shards of a batch.
    """

    def __init__(
        self, settings: Settings, images: NDArray[Any], labels: NDArray[Any], crew: Team
    ) -> None:
        self.settings, self.labels, self.crew = settings, labels, crew
        self.neuron, self.optimizer = settings.make_neuron(), settings.make_optimizer()
        self.steps = -(-len(labels) // settings.batch)
        d = settings.shift
        padded = np.pad(images, ((0, 0), (d, d), (d, d)))
        self._windows = sliding_window_view(padded, images.shape[1:], axis=(1, 2))
        self._grads: Gradients | None = None

    def epoch(self, state: State) -> Iterator[tuple[int, Batch, State]]:
        """Visit every image once, in an order drawn anew; yield after each step."""
        s, n = self.settings, len(self.labels)
        rng = stream(s, EPOCH, state.epoch)
        streams, order = rng.spawn(s.shards), rng.permutation(n)
        shifts = rng.integers(0, 2 * s.shift + 1, (2, n))
        for step in range(self.steps):
            at = slice(step * s.batch, (step + 1) * s.batch)
            rows = self._windows[order[at], *shifts[:, at]].reshape(len(order[at]), -1)
            hidden = draw_hidden(state.params.sizes, s.dropout, rng)
            labels = self.labels[order[at]]
            batch, shards = self._gradients(state.params, rows, labels, hidden, streams)
            done = (state.epoch * self.steps + step) / (s.epochs * self.steps)
            state = self._update(state, shards, s.learning_rate(done))
            yield step, batch, state

    def _gradients(
        self,
        params: Params,
        rows: NDArray[Any],
        labels: NDArray[Any],
        hidden: Kept,
        streams: list[np.random.Generator],
    ) -> tuple[Batch, list[tuple[Kept, Gradients]]]:
        """Return what the batch saw, and each shard's gradient, with the neurons that it is of."""
        shards = min(self.crew.size, len(rows))
        images, answers = np.array_split(rows, shards), np.array_split(labels, shards)
        pixels = [lit(part) for part in images]
        kept: list[Kept] = [[columns, *hidden] for columns in pixels]

        def part(i: int, work: Workspace) -> tuple[Batch, Gradients] | None:
            if i >= shards:
                return None
            small = narrow(params, kept[i])
            shard = np.take(images[i], pixels[i], axis=1)
            return self._shard(small, shard, answers[i], streams[i], work, len(rows))

        batches, grads = zip(*[p for p in self.crew.map(part) if p], strict=True)
        return _merge(batches), list(zip(kept, grads, strict=True))

    def _shard(
        self,
        params: Params,
        rows: NDArray[Any],
        labels: NDArray[Any],
        rng: np.random.Generator,
        work: Workspace,
        whole: int,
    ) -> tuple[Batch, Gradients]:
        """Return what one part of a batch of ``whole`` images saw, and what it adds.

        ``rows`` are overwritten where they are nudged.
        """
        s = self.settings
        targets = np.eye(params.sizes[-1], dtype=params.dtype)[labels]
        if s.adversarial:
            _, of, back = self._pass(params, rows, targets, rng, work)
            rows[of] = against(rows[of], run_to_input(*back), s.adversarial)
        trace, _, back = self._pass(params, rows, targets, rng, work)
        grads = run_back(*back, S=whole, binary=True)
        for name, g in tensors(grads).items():
            checks.check_finite(f"the gradient of {name}", g)
        return _observe(trace, targets, labels), grads

    def _pass(
        self,
        params: Params,
        rows: NDArray[Any],
        targets: Array,
        rng: np.random.Generator,
        work: Workspace,
    ) -> tuple[Trace, NDArray[np.intp], Any]:
        """Return the pass of images, those that err, and what to go backward with for them."""
        s = self.settings
        out = work.array("spikes", 0, (s.T, *rows.shape), params.dtype)
        spikes = encode(s.encoder, rows, s.T, rng, out=out)
        trace = run(spikes, params, self.neuron, None, work)
        of = missed(trace, targets)
        return trace, of, (only(trace, of), targets[of], params, self.neuron, s.rule, work)

    def _update(self, state: State, shards: list[tuple[Kept, Gradients]], lr: float) -> State:
        """Change the parameters in place, and their average."""
        grads = self._grads = self._grads or zeros_like(state.params)

        def part(i: int, _: Workspace) -> OptimizerState:
            share = (i, self.crew.size)
            add_up(shards, state.params, grads, share)
            after = self.optimizer.update(state.params, grads, state.optimizer, lr, share)
            if state.average is not state.params:
                blend(state.average, state.params, self.settings.averaging, share)
            return after

        return replace(state, optimizer=self.crew.map(part)[0])


def _observe(trace: Trace, targets: Array, labels: NDArray[Any]) -> Batch:
    """Sum up a forward pass."""
    counts = trace.O[-1].mean(axis=0)
    return Batch(
        len(labels),
        loss(trace, targets),
        int((counts.argmax(axis=1) == labels).sum()),
        tuple(map(_rate, trace.O)),
        counts.mean(axis=0),
    )


def _rate(o: Array) -> float:
    """Return the mean of all spikes, by a product: faster than adding them up."""
    rows = o.reshape(-1, o.shape[-1])
    return float((np.full(len(rows), 1 / len(rows), o.dtype) @ rows).mean())


def _merge(batches: Sequence[Batch]) -> Batch:
    """Join what the shards saw."""
    sizes = [b.size for b in batches]
    rates = np.average([b.rates for b in batches], axis=0, weights=sizes)
    return Batch(
        sum(sizes),
        float(np.average([b.loss for b in batches], weights=sizes)),
        sum(b.right for b in batches),
        tuple(float(r) for r in rates),
        np.average([b.outputs for b in batches], axis=0, weights=sizes),
    )
