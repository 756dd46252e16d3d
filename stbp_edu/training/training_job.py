"""A run while it trains: its state, and what a step does."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import DerivedParams, Tensors, Trained, Workspace, by_layer, tensors
from stbp_edu.arrows import part_one
from stbp_edu.checks import Array
from stbp_edu.network import Params, Trace
from stbp_edu.training.data import Dataset
from stbp_edu.training.evaluation import BatchStatistics, observe
from stbp_edu.training.model import encode_images, initial_params, passes
from stbp_edu.training.optim import OptimizerState, start, update, update_average
from stbp_edu.training.settings import Settings

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

    params: Trained
    average: Trained | None
    optimizer: OptimizerState
    epoch: int = 0

    @property
    def kept(self) -> Trained:
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
    checks.instance("settings", settings, Settings)
    checks.instance("data", data, Dataset)
    params = initial_params(settings, data.shape, data.classes, stream(settings, INIT))
    average = None if settings.averaging == 0 else deepcopy(params)
    return State(params, average, start(settings.make_optimizer(), params))


class TrainingJob:
    """A run that is being trained.

    Args:
        settings: of the run.
        data: images to learn from, and images held out.
        state: where to begin; its arrays are copied.

    Attributes:
        params: the parameters, which each step changes in place.
        average: their running average, changed likewise; None where averaging is off.
        optimizer: the state of the optimizer, changed likewise.
        steps: steps of an epoch.
    """

    def __init__(self, settings: Settings, data: Dataset, state: State) -> None:
        self.params, self.average, self.optimizer = deepcopy(
            (state.params, state.average, state.optimizer)
        )
        self.settings, self._data = settings, data
        self._loss = settings.make_loss()
        self.steps = -(-len(data.train_labels) // settings.batch)
        d = settings.shift
        # Padded, so that each shifted image is a window; binned events are too large to copy.
        images = data.train_images
        self._padded = np.pad(images, ((0, 0), (d, d), (d, d))) if d else images
        self._work = Workspace()

    def snapshot(self, epoch: int) -> State:
        """Return a copy of the state after some epochs."""
        return State(*deepcopy((self.params, self.average, self.optimizer)), epoch)

    def begin_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch and its shifts."""
        n = len(self._data.train_labels)
        self._rng = stream(self.settings, EPOCH, epoch)
        (self._spikes,) = self._rng.spawn(1)
        self._order = self._rng.permutation(n)
        self._shifts = self._rng.integers(0, 2 * self.settings.shift + 1, (2, n))

    def step(self, number: int, lr: float) -> BatchStatistics:
        """Learn from one batch of the epoch; return the statistics of its forward pass.

        Raises:
            NotFiniteError: if the gradient is not finite.
        """
        images, targets = self._batch(number)
        factors = draw_dropout(self.params.sizes, self.settings.dropout, self._rng)
        params = with_dropout(self.params, factors) if factors else self.params
        run = passes(params, self.settings, self._work)
        if self.settings.adversarial:
            images = self._fgsm(run, images, targets)
        trace = run.forward(self.encode(images))
        grads = run.gradients(trace, targets)
        self.update(drop(grads, factors) if factors else grads, lr)
        return observe(trace, targets, self._loss)

    def update(self, grads: Tensors, lr: float) -> None:
        """Change the parameters and the averages in place."""
        for name, g in tensors(grads).items():
            checks.check_finite(f"the gradient of {name}", g)
        update(self.settings.make_optimizer(), self.params, grads, self.optimizer, lr)
        if self.average is not None:
            update_average(self.average, self.params, self.settings.averaging)

    def encode(self, images: NDArray[Any]) -> Array:
        """Return spikes of images, drawn anew."""
        s = self.settings
        return encode_images(images, s, s.T, self._spikes, self._work, self.params.dtype)

    def _batch(self, number: int) -> tuple[NDArray[Any], Array]:
        """Return the images of a batch, shifted, and their targets."""
        start, shape = number * self.settings.batch, self._data.shape
        places = np.arange(start, min(start + self.settings.batch, len(self._order)))
        windows = sliding_window_view(self._padded, shape, axis=(1, 2))
        shifted = windows[self._order[places], *self._shifts[:, places]]
        answers = np.eye(self.params.sizes[-1], dtype=self.params.dtype)
        return shifted, answers[self._data.train_labels[self._order[places]]]

    def _fgsm(self, run: Any, images: NDArray[Any], targets: Array) -> NDArray[Any]:
        """Return the images moved by the fast gradient sign method; see :func:`perturb`."""
        trace: Trace = run.forward(self.encode(images))
        targeted = self.settings.fgsm == "targeted"
        uphill = run.input_gradient(trace, 1 - targets if targeted else targets)
        by = self.settings.adversarial
        return perturb(images, (-uphill if targeted else uphill).reshape(images.shape), by)


Factors = Sequence[Array]
"""For each of the layers 1..N - 1 the factor on what leaves each neuron; none without dropout."""


def draw_dropout(sizes: Sequence[int], dropout: float, rng: np.random.Generator) -> Factors:
    """Return 0 for the hidden neurons that a step leaves out, and 1 / (share kept) for the others.

    So the input of the next layer keeps its mean.

    >>> draw_dropout([2, 4, 1], 0.5, np.random.default_rng(0))[0]
    array([2., 0., 2., 0.])
    """
    factors = []
    for m in sizes[1:-1] if dropout else ():
        kept = rng.permutation(m)[: max(1, round((1 - dropout) * m))]
        factors.append(np.zeros(m))
        factors[-1][kept] = m / len(kept)
    return factors


def drop(arrays: Tensors, factors: Factors) -> list[Any]:
    """Return arrays by layer, the weights that leave each neuron times its factor."""
    layers: list[Any] = [None, *(dict(layer) for layer in by_layer(arrays)[1:])]
    for n, factor in enumerate(factors, 1):
        for name, layer in (("R", layers[n]), ("W", layers[n + 1])):
            if name in layer:
                layer[name] = layer[name] * factor.astype(layer[name].dtype)
    return layers


def with_dropout(params: Trained, factors: Factors) -> Trained:
    """Return the parameters of a step that leaves neurons out."""
    layers = drop(params, factors)
    if isinstance(params, DerivedParams):
        return replace(params, layers=layers)
    return Params(**part_one.by_name(layers))


def perturb(pixels: NDArray[Any], uphill: Array, by: float) -> NDArray[Any]:
    """Move each pixel by ``by`` the way that makes the loss larger: pixels + by · sign(uphill).

    This is the fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015): the network
    learns from the image that it finds harder. The sign is that of one draw of spikes, under the
    surrogate; the network then learns from another draw. An image whose rates are the target has
    no error, and stays where it is, unless the step is targeted (Kurakin, Goodfellow and Bengio,
    2017): then it moves down the loss whose targets are the other answers.

    Args:
        pixels: floats in [0, 1] or bytes of which 255 is white.
        uphill: the derivative of the loss with respect to each pixel; the same shape.
        by: a share of white; for bytes, it is rounded to whole grey levels, at least one.

    Returns:
        The images, clipped to the range from black to white.

    >>> perturb(np.array([[0, 100, 250]], np.uint8), np.array([[-1.0, 0.0, 1.0]]), by=0.06)
    array([[  0, 100, 255]], dtype=uint8)
    """
    white, size = (255, max(1, round(255 * by))) if pixels.dtype == np.uint8 else (1, by)
    return np.clip(pixels + size * np.sign(uphill), 0, white).astype(pixels.dtype)
