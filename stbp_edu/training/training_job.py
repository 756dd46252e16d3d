"""The parts of a training step: the gradient of a shard of the batch, and the update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import Workspace, add_up, tensors, zeros_like
from stbp_edu.arrows import part_one
from stbp_edu.checks import Array
from stbp_edu.engine import Engine, SparseInput, is_sparse
from stbp_edu.network import Params, Trace
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.data.encoders import TIMED, encode, shown
from stbp_edu.training.data.fgsm import perturb
from stbp_edu.training.evaluation import BatchStatistics, Evaluator, observe
from stbp_edu.training.optim import update_average
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity import (
    Kept,
    active_pixels,
    draw_dropout,
    keeps_all,
    samples_with_error,
    scatter,
    select_samples,
    subnetwork,
)
from stbp_edu.training.state import EPOCH, State, stream


class TrainingJob:
    """The arrays of a run and the parts of its work: the job of a worker pool.

    A part is a shard of the batch for :meth:`gradient`, a section of each array for
    :meth:`update`, and some of the images held out for :meth:`answers`.

    Args:
        settings: of the run.
        data: images to learn from, and images held out.
        state: where to begin; its arrays are changed.

    Attributes:
        state: with the arrays as they are now; the counts are those of the start.
        steps: steps of an epoch.
    """

    def __init__(self, settings: Settings, data: Dataset, state: State) -> None:
        self.settings, self.labels, self.state = settings, data.train_labels, state
        self.neuron, self.optimizer = settings.make_neuron(), settings.make_optimizer()
        self.loss = settings.make_loss()
        self.steps = -(-len(self.labels) // settings.batch)
        self._shape, d = data.train_images.shape[1:], settings.shift
        # Padded, so that each shifted image is a window; binned events are too large to copy.
        images = data.train_images
        self._padded = np.pad(images, ((0, 0), (d, d), (d, d))) if d else images
        self._test_images = data.test_images
        self._engine_knows = settings.rule in RULES + ABLATIONS
        self._grads = [zeros_like(state.params) for _ in range(settings.shards)]
        self._work = [Workspace() for _ in range(settings.shards)]

    def begin_epoch(self, _: int, epoch: int) -> None:
        """Draw the order of an epoch and its shifts, the same in every process."""
        s, n = self.settings, len(self.labels)
        self._rng = stream(s, EPOCH, epoch)
        self._streams, self._order = self._rng.spawn(s.shards), self._rng.permutation(n)
        self._shifts = self._rng.integers(0, 2 * s.shift + 1, (2, n))

    def draw_dropout(self) -> Kept:
        """Return the neurons of layers 1..N that a step keeps; one process draws for all."""
        return draw_dropout(self.state.params.sizes, self.settings.dropout, self._rng)

    def gradient(self, shard: int, step: int, hidden: Kept) -> BatchStatistics | None:
        """Compute the gradient of one shard of a batch, and keep it for :meth:`update`.

        Args:
            shard: number of the shard.
            step: number of the batch in its epoch.
            hidden: the neurons of layers 1..N that the step keeps.

        Returns:
            What the forward pass saw; None where the batch has fewer images than shards.
        """
        places = self._places(step)
        shards = min(self.settings.shards, len(places))
        if shard >= shards:
            for array in tensors(self._grads[shard]).values():
                array[...] = 0
            return None
        images = self._take(shard, np.array_split(places, shards)[shard], hidden)
        if self.settings.adversarial:
            images = self._fgsm(images)
        trace = images.engine.forward(self._encode(images))
        self._backward(images, trace, S=len(places))
        return observe(trace, images.targets, self.loss)

    def update(self, part: int, taken: int, lr: float) -> None:
        """Update a section of the parameters and of their average in place, after some steps."""
        state, section = self.state, (part, self.settings.shards)
        add_up(self._grads, section)
        before = replace(state.optimizer, step=taken)
        self.optimizer.update(state.params, self._grads[0], before, lr, section)
        if state.average is not None:
            update_average(state.average, state.params, self.settings.averaging, section)

    def answers(self, part: int, streams: Sequence[np.random.Generator]) -> NDArray[np.intp]:
        """Return the answer to each image of one part of those held out."""
        return Evaluator(self.state.kept, self._test_images, self.settings).answers(part, streams)

    def _places(self, step: int) -> NDArray[np.intp]:
        """Return the places of a batch's images in the order of the epoch."""
        start = step * self.settings.batch
        return np.arange(start, min(start + self.settings.batch, len(self.labels)))

    def _take(self, shard: int, places: NDArray[np.intp], hidden: Kept) -> _Images:
        """Return the images of a shard, with the network that they need."""
        rows, s = self._rows(places), self.settings
        columns = self._columns(rows)
        rows = rows if columns is None else np.take(rows, columns, axis=1)
        kept = (columns, *hidden)
        params = subnetwork(self.state.params, kept)
        engine = Engine(params, self.neuron, s.rule, self._work[shard], self.loss)
        targets = np.eye(params.sizes[-1], dtype=params.dtype)[self.labels[self._order[places]]]
        return _Images(shard, rows, targets, kept, engine)

    def _rows(self, places: NDArray[np.intp]) -> NDArray[Any]:
        """Return the images at these places of the epoch, shifted, as rows."""
        windows = sliding_window_view(self._padded, self._shape, axis=(1, 2))
        return windows[self._order[places], *self._shifts[:, places]].reshape(len(places), -1)

    def _columns(self, rows: NDArray[Any]) -> NDArray[np.intp] | None:
        """Return the pixels active in any image; None where going image by image pays."""
        s = self.settings
        if s.encoder in TIMED or s.has_images:
            return None
        columns = active_pixels(rows)
        sparse = not s.adversarial and self._engine_knows and is_sparse(rows, columns, s.T)
        return None if sparse else columns

    def _encode(self, images: _Images) -> Array | SparseInput:
        """Return spikes of the images, drawn anew."""
        s, shard, dtype = self.settings, images.shard, self.state.params.dtype
        if s.encoder in TIMED:
            seen = images.rows.reshape(-1, *self._shape)
            return encode(s.encoder, seen, s.T, self._streams[shard], hold=s.hold)
        one_by_one = images.kept[0] is None and not s.has_images
        active = images.rows.nonzero() if one_by_one else None
        grey = images.rows if active is None else images.rows[active][None]
        steps = 1 if s.encoder == "direct" else s.T
        out = self._work[shard].array("spikes", 0, (steps, *grey.shape), dtype)
        spikes = shown(s.encoder, grey, s.T, self._streams[shard], out=out)
        if active is None:
            return spikes
        return SparseInput(spikes[:, 0], active[0], active[1], images.rows.shape)

    def _fgsm(self, images: _Images) -> _Images:
        """Return the images moved by the fast gradient sign method."""
        s, trace = self.settings, images.engine.forward(self._encode(images))
        targeted = s.fgsm == "targeted"
        targets = 1 - images.targets if targeted else images.targets
        samples = samples_with_error(trace, targets, self.loss)
        few = select_samples(trace, samples)
        uphill = images.engine.input_gradient(few, targets[samples])
        rows = images.rows.copy()
        rows[samples] = perturb(rows[samples], -uphill if targeted else uphill, s.adversarial)
        return replace(images, rows=rows)

    def _backward(self, images: _Images, trace: Trace, S: int) -> None:
        """Compute the gradient of a loss averaged over S images, from those with an error."""
        samples = samples_with_error(trace, images.targets, self.loss)
        few, targets = select_samples(trace, samples), images.targets[samples]
        out = self._grads[images.shard]
        whole = keeps_all(images.kept) and self._engine_knows
        if self._engine_knows:
            grads = images.engine.gradients(few, targets, S=S, out=out if whole else None)
        else:
            params = checks.instance("params", images.engine.params, Params)
            rule = self.settings.rule
            grads = part_one.backward(few, targets, params, self.neuron, rule, self.loss, S=S)
        for name, g in tensors(grads).items():
            checks.check_finite(f"the gradient of {name}", g)
        if not whole:
            scatter(grads, self.state.params, images.kept, out)


@dataclass(frozen=True)
class _Images:
    """The images of one shard of a batch, and the network that sees them.

    Attributes:
        rows: the images, with the pixels that are kept.
        targets: Y: 1 for the class of each image, 0 for the others.
        kept: the pixels and neurons kept; where all pixels are, the images go one by one.
        engine: the passes through the network of these.
    """

    shard: int
    rows: NDArray[Any]
    targets: Array
    kept: Kept
    engine: Engine
