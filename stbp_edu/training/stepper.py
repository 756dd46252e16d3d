"""One training step: draw a batch, encode it, run it forward and backward, update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.engine import Workspace, backward, forward
from stbp_edu.losses import loss
from stbp_edu.network import Gradients, Params, Trace
from stbp_edu.training.encoders import encode
from stbp_edu.training.narrow import Kept, draw_hidden, lit, narrow, widen
from stbp_edu.training.optimizers import OptimizerState, blend, tensors, zeros_like
from stbp_edu.training.parallel import Team
from stbp_edu.training.settings import Settings
from stbp_edu.training.state import EPOCH, State, stream


@dataclass(frozen=True)
class Batch:
    """What one step saw.

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
    """Takes steps through the training images. It owns buffers, and no state of the run."""

    def __init__(
        self, settings: Settings, images: NDArray[Any], labels: NDArray[Any], crew: Team
    ) -> None:
        """Prepare the images: with ``shift``, pad them, so that each shift is a window."""
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
            batch, grads = self._gradient(
                state.params, rows, self.labels[order[at]], [lit(rows), *hidden], streams
            )
            done = (state.epoch * self.steps + step) / (s.epochs * self.steps)
            state = self._update(state, grads, s.learning_rate(done))
            yield step, batch, state

    def _gradient(
        self,
        params: Params,
        rows: NDArray[Any],
        labels: NDArray[Any],
        kept: Kept,
        streams: list[np.random.Generator],
    ) -> tuple[Batch, Gradients]:
        """Return what the batch saw, and the gradient: each shard's, weighted by its images."""
        small = narrow(params, kept)
        rows = np.take(rows, kept[0], axis=1)  # type: ignore[arg-type]
        shards = min(self.crew.size, len(rows))

        def part(i: int, work: Workspace) -> tuple[Batch, Gradients] | None:
            if i >= shards:
                return None
            r, y = (np.array_split(a, shards)[i] for a in (rows, labels))
            return self._shard(small, r, y, streams[i], work)

        parts = [p for p in self.crew.map(part) if p is not None]
        batches, grads = zip(*parts, strict=True)
        shares = [b.size / len(rows) for b in batches]
        if self._grads is None:
            self._grads = zeros_like(params)
        total = _weighted_sum(grads, shares)
        return _merge(batches, shares), widen(total, params, kept, self._grads)

    def _shard(
        self,
        params: Params,
        rows: NDArray[Any],
        labels: NDArray[Any],
        rng: np.random.Generator,
        work: Workspace,
    ) -> tuple[Batch, Gradients]:
        """Return what one part of the batch saw, and its gradient, which lives in ``work``."""
        s = self.settings
        shape = (s.T, *rows.shape)
        out = work.array("spikes", 0, shape, params.dtype)
        spikes = encode(s.encoder, rows, s.T, rng, out=out)
        targets = np.eye(params.sizes[-1], dtype=params.dtype)[labels]
        trace = forward(spikes, params, self.neuron, workspace=work)
        grads = backward(trace, targets, params, self.neuron, s.rule, workspace=work)
        return _observe(trace, targets, labels), grads

    def _update(self, state: State, grads: Gradients, lr: float) -> State:
        """Change the parameters in place, and their average."""

        def part(i: int, _: Workspace) -> OptimizerState:
            share = (i, self.crew.size)
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
        tuple(float(o.mean()) for o in trace.O),
        counts.mean(axis=0),
    )


def _merge(batches: tuple[Batch, ...], shares: list[float]) -> Batch:
    """Join what the shards saw."""
    rates = np.average([b.rates for b in batches], axis=0, weights=shares)
    return Batch(
        sum(b.size for b in batches),
        float(np.average([b.loss for b in batches], weights=shares)),
        sum(b.right for b in batches),
        tuple(float(r) for r in rates),
        np.average([b.outputs for b in batches], axis=0, weights=shares),
    )


def _weighted_sum(grads: tuple[Gradients, ...], shares: list[float]) -> Gradients:
    """Return Σ share · gradient, in the arrays of the first."""
    named = [tensors(g) for g in grads]
    for name, total in named[0].items():
        if len(named) > 1:
            total *= shares[0]
        for other, share in zip(named[1:], shares[1:], strict=True):
            total += np.multiply(other[name], share, out=other[name])
        checks.check_finite(f"the gradient of {name}", total)
    return grads[0]
