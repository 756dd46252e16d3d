"""A run while it trains: its state, and the parts of a step, which the processes of a pool do."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import Workspace, add_up, by_columns, tensors, zeros_like
from stbp_edu.arrows import part_one, with_gain_limit
from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams, init_conv_params
from stbp_edu.engine import Engine
from stbp_edu.network import Params, Trace, init_params
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data import Dataset
from stbp_edu.training.evaluation import BatchStatistics, answer_part, observe
from stbp_edu.training.optim import OptimizerState, start, update, update_average
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity import (
    ACTIVE,
    EVERY,
    WAYS,
    Kept,
    NetworkInput,
    draw_dropout,
    keeps_all,
    read_images,
    samples_with_error,
    scatter,
    select_samples,
    subnetwork,
)

INIT = 0
EPOCH = 1
TEST = 2
"""Streams of random numbers; see :func:`stream`."""


@dataclass(frozen=True)
class State:
    """All that a run needs to continue: a copy, which no step changes.

    Attributes:
        average: the running average of the parameters; None where averaging is off.
        epoch: epochs done.
    """

    params: AnyParams
    average: AnyParams | None
    optimizer: OptimizerState
    epoch: int = 0

    @property
    def kept(self) -> AnyParams:
        """The parameters to evaluate and to save: the average, where there is one."""
        return self.params if self.average is None else self.average


def stream(settings: Settings, which: int, epoch: int = 0) -> np.random.Generator:
    """Return the generator of this stream and epoch.

    Nothing is carried from one epoch's generator to the next, so that a run that continues from
    the end of an epoch draws the same numbers as one that never stopped.
    """
    return np.random.default_rng([settings.seed, which, epoch])


def initial_state(settings: Settings, data: Dataset) -> State:
    """Return the state before the first step: float32 parameters, drawn from the seed."""
    rng = stream(settings, INIT)
    how: dict[str, Any] = {"scheme": settings.init, "scale": settings.init_scale}
    params: AnyParams
    if settings.has_images:
        shape = settings.shape(data.shape, data.classes)
        params = init_conv_params(shape, rng, np.float32, **how)
    else:
        widths = (m for m in settings.hidden if isinstance(m, int))
        sizes = [settings.inputs(data.shape), *widths, data.classes]
        params = by_columns(init_params(sizes, rng, np.float32, **how))
    average = None if settings.averaging == 0 else deepcopy(params)
    return State(params, average, start(settings.make_optimizer(), params))


class TrainingJob:
    """A run that is being trained: the job of a worker pool, whose processes share its arrays.

    A part is a shard of the batch for :meth:`gradient`, a section of each array for
    :meth:`update`, and some of the images held out for :meth:`answers`.

    Args:
        settings: of the run.
        data: images to learn from, and images held out.
        state: where to begin; its arrays are copied.

    Attributes:
        params: the parameters, which :meth:`update` changes in place.
        average: their running average, changed likewise; None where averaging is off.
        slots: the averages of the optimizer, changed likewise.
        steps: steps of an epoch.
        ways: those in which images may be read; see :func:`read_images`.
    """

    def __init__(self, settings: Settings, data: Dataset, state: State) -> None:
        self.params, self.average, self.slots = deepcopy(
            (state.params, state.average, state.optimizer.slots)
        )
        self.settings, self.labels = settings, data.train_labels
        self.neuron, self.optimizer = settings.make_neuron(), settings.make_optimizer()
        self.loss = settings.make_loss()
        self.steps = -(-len(self.labels) // settings.batch)
        self._shape, d = data.train_images.shape[1:], settings.shift
        # Padded, so that each shifted image is a window; binned events are too large to copy.
        images = data.train_images
        self._padded = np.pad(images, ((0, 0), (d, d), (d, d))) if d else images
        self._test_images = data.test_images
        self._engine_knows = settings.rule in RULES + ABLATIONS
        self._limit = settings.gain_limit or None
        self.ways = WAYS if self._engine_knows and not settings.adversarial else (EVERY, ACTIVE)
        self._grads = [zeros_like(self.params) for _ in range(settings.shards)]
        self._work = [Workspace() for _ in range(settings.shards)]

    def snapshot(self, epoch: int, taken: int) -> State:
        """Return a copy of the state after some epochs and steps."""
        params, average, slots = deepcopy((self.params, self.average, self.slots))
        return State(params, average, OptimizerState(taken, slots), epoch)

    def begin_epoch(self, _: int, epoch: int) -> None:
        """Draw the order of an epoch and its shifts, the same in every process."""
        s, n = self.settings, len(self.labels)
        self._rng = stream(s, EPOCH, epoch)
        self._streams, self._order = self._rng.spawn(s.shards), self._rng.permutation(n)
        self._shifts = self._rng.integers(0, 2 * s.shift + 1, (2, n))

    def draw_dropout(self) -> Kept:
        """Return the neurons of layers 1..N that a step keeps; one process draws for all."""
        return draw_dropout(self.params.sizes, self.settings.dropout, self._rng)

    def gradient(self, shard: int, step: int, hidden: Kept) -> BatchStatistics | None:
        """Compute the gradient of one shard of a batch, and keep it for :meth:`update`.

        Args:
            shard: number of the shard.
            step: number of the batch in its epoch.
            hidden: the neurons of layers 1..N that the step keeps.

        Returns:
            Statistics of the forward pass; None where the batch has fewer images than shards.
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
        """Change a section of the parameters and of the averages in place, after some steps."""
        section = (part, self.settings.shards)
        add_up(self._grads, section)
        state = OptimizerState(taken, self.slots)
        update(self.optimizer, self.params, self._grads[0], state, lr, section)
        if self.average is not None:
            update_average(self.average, self.params, self.settings.averaging, section)

    def answers(self, part: int, streams: Sequence[np.random.Generator]) -> NDArray[np.intp]:
        """Return the answer to each image of one part of those held out."""
        kept = self.params if self.average is None else self.average
        return answer_part((kept, self._test_images, self.settings), part, streams)

    def _places(self, step: int) -> NDArray[np.intp]:
        """Return the places of a batch's images in the order of the epoch."""
        start = step * self.settings.batch
        return np.arange(start, min(start + self.settings.batch, len(self.labels)))

    def _take(self, shard: int, places: NDArray[np.intp], hidden: Kept) -> _Shard:
        """Return the images of a shard, with the network that they need."""
        windows = sliding_window_view(self._padded, self._shape, axis=(1, 2))
        shifted = windows[self._order[places], *self._shifts[:, places]]
        read = read_images(shifted, self.settings, self.settings.T, self.ways)
        kept = (read.pixels, *hidden)
        params = subnetwork(self.params, kept)
        rule, work = self.settings.rule, self._work[shard]
        engine = Engine(params, self.neuron, rule, work, self.loss, self._limit)
        targets = np.eye(params.sizes[-1], dtype=params.dtype)[self.labels[self._order[places]]]
        return _Shard(shard, read, targets, kept, engine)

    def _encode(self, images: _Shard) -> Any:
        """Return spikes of the images, drawn anew."""
        shard = images.shard
        return images.read.encode(self._streams[shard], self._work[shard], self.params.dtype)

    def _fgsm(self, images: _Shard) -> _Shard:
        """Return the images moved by the fast gradient sign method; see :func:`perturb`."""
        s, trace = self.settings, images.engine.forward(self._encode(images))
        targeted = s.fgsm == "targeted"
        targets = 1 - images.targets if targeted else images.targets
        samples = samples_with_error(trace, targets, self.loss)
        few = select_samples(trace, samples)
        uphill = images.engine.input_gradient(few, targets[samples])
        moved = images.read.images.copy()
        moved[samples] = perturb(moved[samples], -uphill if targeted else uphill, s.adversarial)
        return replace(images, read=replace(images.read, images=moved))

    def _backward(self, images: _Shard, trace: Trace, S: int) -> None:
        """Compute the gradient of a loss averaged over S images, from those with an error."""
        samples = samples_with_error(trace, images.targets, self.loss)
        few, targets = select_samples(trace, samples), images.targets[samples]
        out = self._grads[images.shard]
        whole = keeps_all(images.kept) and self._engine_knows
        if self._engine_knows:
            grads = images.engine.gradients(few, targets, S=S, out=out if whole else None)
        else:
            params = checks.instance("params", images.engine.params, Params)
            rule = with_gain_limit(self._limit, self.settings.rule)
            grads = part_one.backward(few, targets, params, self.neuron, rule, self.loss, S=S)
        for name, g in tensors(grads).items():
            checks.check_finite(f"the gradient of {name}", g)
        if not whole:
            scatter(grads, self.params, images.kept, out)


@dataclass(frozen=True)
class _Shard:
    """The images of one shard of a batch, and the network that sees them.

    Attributes:
        shard: its number.
        read: the images, and how they are read.
        targets: Y: 1 for the class of each image, 0 for the others.
        kept: the neurons kept of layers 0..N.
        engine: the passes through the network of these.
    """

    shard: int
    read: NetworkInput
    targets: Array
    kept: Kept
    engine: Engine


def perturb(pixels: NDArray[Any], uphill: Array, by: float) -> NDArray[Any]:
    """Move each pixel by ``by`` the way that makes the loss larger: pixels + by · sign(uphill).

    This is the fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015): the network
    learns from the image that it finds harder. The sign is that of one draw of spikes, under the
    surrogate; the network then learns from another draw. An image whose rates are the target has
    no error, and stays where it is, unless the step is targeted (Kurakin, Goodfellow and Bengio,
    2017): then it moves down the loss whose targets are the other answers.

    Args:
        pixels: shape (S, n[0]), floats in [0, 1] or bytes of which 255 is white.
        uphill: the derivative of the loss with respect to each pixel; the same shape.
        by: a share of white; for bytes, it is rounded to whole grey levels, at least one.

    Returns:
        The images, clipped to the range from black to white.

    >>> perturb(np.array([[0, 100, 250]], np.uint8), np.array([[-1.0, 0.0, 1.0]]), by=0.06)
    array([[  0, 100, 255]], dtype=uint8)
    """
    white, size = (255, max(1, round(255 * by))) if pixels.dtype == np.uint8 else (1, by)
    return np.clip(pixels + size * np.sign(uphill), 0, white).astype(pixels.dtype)
