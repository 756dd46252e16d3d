"""One training step: draw a batch, encode it, run it forward and backward, update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import add_up, clear, tensors, zeros_like
from stbp_edu.checks import Array
from stbp_edu.engine.products import run, run_back, run_to_input
from stbp_edu.engine.workspace import Workspace
from stbp_edu.network import Params, Trace
from stbp_edu.training.data.adversarial import against
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.data.encoders import encode
from stbp_edu.training.loop.batch import Batch, merge, observe
from stbp_edu.training.loop.evaluation import Judge
from stbp_edu.training.loop.state import EPOCH, State, stream
from stbp_edu.training.optim.optimizers import blend
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity.lit import LitPixels, sparse
from stbp_edu.training.sparsity.narrow import Kept, draw_hidden, lit, missed, narrow, only, widen
from stbp_edu.training.workers.parallel import Team


class Stepper:
    """Takes steps through the training images. It is the job of a team: each has some parts.

    Args:
        settings: of the run.
        images: shape (images, rows, columns); with ``shift``, they are padded, so that each shift
            is a window.
        labels: the class of each image.
        state: where to begin; its arrays are changed.
    """

    def __init__(
        self, settings: Settings, images: NDArray[Any], labels: NDArray[Any], state: State
    ) -> None:
        self.settings, self.labels, self.state = settings, labels, state
        self.neuron, self.optimizer = settings.make_neuron(), settings.make_optimizer()
        self.steps = -(-len(labels) // settings.batch)
        self._shape, d = images.shape[1:], settings.shift
        self._padded = np.pad(images, ((0, 0), (d, d), (d, d)))
        self._grads = [zeros_like(state.params) for _ in range(settings.shards)]
        self._work = [Workspace() for _ in range(settings.shards)]

    def epoch(self, crew: Team[Any]) -> Iterator[tuple[int, Batch, State]]:
        """Visit every image once, in an order drawn anew; yield after each step."""
        s, before = self.settings, self.state
        crew.map("begin", before.epoch)
        for step in range(self.steps):
            hidden = draw_hidden(before.params.sizes, s.dropout, self._rng)
            batch = merge([b for b in crew.map("learn", step, hidden) if b])
            done = (before.epoch * self.steps + step) / (s.epochs * self.steps)
            optimizer = self.state.optimizer
            crew.map("update", optimizer.step, s.learning_rate(done))
            after = replace(optimizer, step=optimizer.step + 1)
            self.state = replace(self.state, optimizer=after)
            yield step, batch, self.state

    def begin(self, _: int, epoch: int) -> None:
        """Draw the order of an epoch and its shifts, the same for every part."""
        s, n = self.settings, len(self.labels)
        self._rng = stream(s, EPOCH, epoch)
        self._streams, self._order = self._rng.spawn(s.shards), self._rng.permutation(n)
        self._shifts = self._rng.integers(0, 2 * s.shift + 1, (2, n))

    def learn(self, i: int, step: int, hidden: Kept) -> Batch | None:
        """Write the gradient of the i-th part of a batch; return what the part saw, if anything."""
        s, params = self.settings, self.state.params
        at = np.arange(step * s.batch, min((step + 1) * s.batch, len(self.labels)))
        shards = min(s.shards, len(at))
        if i >= shards:
            clear(self._grads[i])
            return None
        mine = np.array_split(at, shards)[i]
        rows, labels = self._images(mine), self.labels[self._order[mine]]
        columns = self._columns(rows)
        rows = rows if columns is None else np.take(rows, columns, axis=1)
        kept: Kept = [columns, *hidden]
        part = _Part(i, rows, labels, narrow(params, kept), singly=columns is None)
        trace, back = self._pass(part)
        narrowed = part.params is not params
        grads = run_back(*back, S=len(at), binary=True, out=None if narrowed else self._grads[i])
        for name, g in tensors(grads).items():
            checks.check_finite(f"the gradient of {name}", g)
        if narrowed:
            widen(grads, params, kept, self._grads[i])
        return observe(trace, part.targets, labels)

    def _images(self, at: NDArray[np.intp]) -> NDArray[Any]:
        """Return the images at these places of the epoch, shifted, as rows."""
        windows = sliding_window_view(self._padded, self._shape, axis=(1, 2))
        return windows[self._order[at], *self._shifts[:, at]].reshape(len(at), -1)

    def _columns(self, rows: NDArray[Any]) -> NDArray[np.intp] | None:
        """Return the pixels that at least one image lights; None: better go image by image."""
        columns, s = lit(rows), self.settings
        return None if not s.adversarial and sparse(rows, columns, s.T) else columns

    def _pass(self, part: _Part) -> tuple[Trace, Any]:
        """Return the pass of a part's images, and what to go backward with for those that err."""
        if self.settings.adversarial:
            self._nudge(part)
        trace = self._forward(part)
        return trace, self._back(part, trace, part.targets, missed(trace, part.targets))

    def _nudge(self, part: _Part) -> None:
        """Move the images of a part against the network, those that have a way to go."""
        s, trace = self.settings, self._forward(part)
        goal, way = (1 - part.targets, -1) if s.nudge == "others" else (part.targets, 1)
        of = missed(trace, goal)
        uphill = way * run_to_input(*self._back(part, trace, goal, of))
        part.rows[of] = against(part.rows[of], uphill, s.adversarial)

    def _forward(self, part: _Part) -> Trace:
        """Return the pass of a part's images, with spikes drawn anew."""
        return run(self._encode(part), part.params, self.neuron, None, self._work[part.i])

    def _back(self, part: _Part, trace: Trace, targets: Array, of: NDArray[np.intp]) -> Any:
        """Return what to go backward with for these images."""
        seen = only(trace, of), targets[of], part.params
        return *seen, self.neuron, self.settings.rule, self._work[part.i]

    def _encode(self, part: _Part) -> Array | LitPixels:
        """Return the spikes of a part's images, drawn anew."""
        if not part.singly:
            return self._draw(part.rows, part)
        images, columns = part.rows.nonzero()
        spikes = self._draw(part.rows[images, columns][None], part)[:, 0]
        starts = np.searchsorted(images, np.arange(len(part.rows) + 1))
        return LitPixels(spikes, columns, starts, part.rows.shape[1])

    def _draw(self, rows: NDArray[Any], part: _Part) -> Array:
        """Return the spikes of these rows of pixels, as they come for a part."""
        s, rng, dtype = self.settings, self._streams[part.i], part.params.dtype
        out = self._work[part.i].array("spikes", 0, (s.T, *rows.shape), dtype)
        return encode(s.encoder, rows, s.T, rng, out=out)

    def update(self, i: int, k: int, lr: float) -> None:
        """Change the i-th part of the parameters in place, and their average, after k steps."""
        state, part = self.state, (i, self.settings.shards)
        add_up(self._grads, part)
        before = replace(state.optimizer, step=k)
        self.optimizer.update(state.params, self._grads[0], before, lr, part)
        if state.average is not None:
            blend(state.average, state.params, self.settings.averaging, part)


class Lesson(Stepper):
    """What a team works on while it trains: the steps, and the judgement after each epoch."""

    def __init__(self, settings: Settings, data: Dataset, state: State) -> None:
        super().__init__(settings, data.train_images, data.train_labels, state)
        self.judge = Judge(state.kept, data.test_images, settings)

    def answers(self, i: int, streams: list[np.random.Generator]) -> NDArray[np.intp]:
        """Return the answers to the i-th part of the images held out."""
        return self.judge.answers(i, streams)


@dataclass(frozen=True)
class _Part:
    """A part of a batch: its number, images as rows, labels, and the network that sees them.

    ``singly``: go image by image. The rows are overwritten where they are nudged.
    """

    i: int
    rows: NDArray[Any]
    labels: NDArray[Any]
    params: Params
    singly: bool

    @property
    def targets(self) -> Array:
        """Y: 1 for the class of each image, 0 for the others."""
        return np.eye(self.params.sizes[-1], dtype=self.params.dtype)[self.labels]
