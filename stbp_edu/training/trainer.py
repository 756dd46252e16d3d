"""Training: the loop over epochs and steps, and what a step does.

The loop is a generator of events: it prints nothing and writes nothing.
"""

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stbp_edu._support import checks
from stbp_edu._support.checks import Array, NotFiniteError
from stbp_edu.parameters import LayerArrays
from stbp_edu.program.machine import one_blas_thread
from stbp_edu.program.weights import mean_of
from stbp_edu.training import evaluation, model
from stbp_edu.training.data import Dataset
from stbp_edu.training.evaluation import Advice, Step
from stbp_edu.training.model import NetworkOf, network_for
from stbp_edu.training.optimiser import (
    State,
    adam,
    clip,
    gradient_norm,
    sgd,
    sign,
    start,
    update_average,
)
from stbp_edu.training.settings import Settings

EARLY = 20  # steps before the first look at the firing rates
INIT, EPOCH, TEST = range(3)
"""Streams of random numbers; see :func:`stream`."""


@dataclass(frozen=True)
class Epoch:
    """One epoch done: means over its steps, and the accuracy on the images held out.

    Attributes:
        epoch: epochs done, this one included.
        test: accuracy of the parameters to be kept (the average, where there is one).
        seconds: that this epoch took, the evaluation included.
        state: a copy, to save or to go on from.
    """

    epoch: int
    loss: float
    accuracy: float
    rates: tuple[float, ...]
    test: float
    seconds: float
    state: State


Event = Step | Epoch | Advice
"""What training yields."""


def stream(settings: Settings, which: int, epoch: int = 0) -> np.random.Generator:
    """Return the generator of this stream and epoch.

    Each epoch has its own, so a run that goes on draws what one that never stopped draws.
    """
    return np.random.default_rng([settings.seed, which, epoch])


def initial_state(settings: Settings, data: Dataset) -> State:
    """Return the state before the first step: float32 parameters, drawn from the seed.

    Biases are zero, and constants that are learned at their value.

    Raises:
        TypeError, ValueError: if an argument is of another type, the layers do not fit the images,
            or the rule reaches none of them.
    """
    checks.instance("settings", settings, Settings)
    checks.instance("data", data, Dataset)
    net = model.network_of(settings, settings.shape(data.shape, data.classes))
    settings.make_rule().check(net.table)
    rng = stream(settings, INIT)
    params = net.init(rng, np.float32, scheme="uniform", scale=settings.init_scale)
    return start(params, averaging=settings.averaging > 0)


def train(
    settings: Settings,
    data: Dataset,
    state: State | None = None,
    network: NetworkOf = network_for,
) -> Iterator[Event]:
    """Train, and yield a :class:`Step`, an :class:`Epoch` or an :class:`Advice` as each comes.

    Args:
        settings: all that decides the run.
        data: images to learn from, and images held out, on which each epoch is evaluated.
        state: where to go on from, which is left as it is; a new start where None.
        network: makes what the passes go through, from parameters and settings.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if a gradient ceases to be finite, or the data does not fit the parameters.

    >>> from stbp_edu.training.data import load_digits
    >>> events = train(Settings(hidden=(32,), T=5, epochs=1), load_digits())
    >>> [event.epoch for event in events if isinstance(event, Epoch)]
    [1]
    """
    checks.instance("settings", settings, Settings)
    checks.instance("data", data, Dataset)
    state = initial_state(settings, data) if state is None else state
    checks.instance("state", state, State)
    model.check_fit(state.params, settings, data.shape, data.classes)
    told: set[tuple[str, str]] = set()

    def news(steps: list[Step]) -> Iterator[Advice]:
        """Yield the advice on some steps that was not given before."""
        for advice in evaluation.diagnose(steps, settings):
            if (about := (advice.where, advice.kind)) not in told:
                told.add(about)
                yield advice

    with one_blas_thread():
        job = TrainingJob(settings, data, state, network)
        for epoch in range(state.epoch, settings.epochs):
            steps: list[Step] = []
            started = time.perf_counter()
            for step in job.epoch(epoch):
                steps.append(step)
                yield step
                if len(steps) == EARLY:
                    yield from news(steps)
            summary = job.summary(steps, started)
            yield from news(steps[len(steps) // 2 :])
            yield summary


class TrainingJob:
    """A run that is being trained, from a copy of a state; an epoch has ``steps``."""

    def __init__(
        self,
        settings: Settings,
        data: Dataset,
        state: State,
        network: NetworkOf = network_for,
    ) -> None:
        self.settings, self.data = settings, data
        self.state = deepcopy(state)
        self.net = network(self.state.params, settings)
        self.rule = settings.make_rule()
        self.steps = -(-len(data.train_labels) // settings.batch)
        d = settings.shift
        # Padded, so each shifted image is a window; binned events are too large to copy.
        images = data.train_images
        self._padded = np.pad(images, ((0, 0), (d, d), (d, d))) if d else images

    def epoch(self, epoch: int) -> Iterator[Step]:
        """Take the steps of an epoch, counted from 0.

        Each image is seen once, in a newly drawn order. A gradient that is not finite ends the run.
        """
        self.begin_epoch(epoch)
        for number in range(self.steps):
            lr = self.settings.learning_rate(self.done(number))
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    step = self.step(number, lr)
            except NotFiniteError as error:
                if (
                    self.state.step == 0
                ):  # no update has been made: lr has no part in it
                    raise
                raise ValueError(
                    f"the run diverged in epoch {epoch + 1} ({error}): start again with a smaller "
                    "learning rate (lr)"
                ) from error
            yield step

    def begin_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0, and its shifts."""
        n = len(self.data.train_labels)
        self._epoch = epoch
        self._rng = stream(self.settings, EPOCH, epoch)
        (self._spikes,) = self._rng.spawn(1)
        self._order = self._rng.permutation(n)
        self._shifts = self._rng.integers(0, 2 * self.settings.shift + 1, (2, n))

    def done(self, number: int) -> float:
        """Return the share of the run that is done after so many steps of the epoch."""
        return (self._epoch * self.steps + number) / (self.settings.epochs * self.steps)

    def step(self, number: int, lr: float) -> Step:
        """Learn from one batch of the epoch, counted from 0."""
        spikes, targets = self.batch(number)
        params = self.state.params
        trace = self.net.forward(spikes, params)
        self.update(self.net.backward(trace, targets, params, self.rule), lr)
        loss = self.settings.make_loss()
        right = loss.scores(trace).argmax(axis=1) == targets.argmax(axis=1)
        return Step(
            epoch=self._epoch + 1,
            step=number + 1,
            done=self.done(number + 1),
            size=len(targets),
            right=int(right.sum()),
            loss=loss.value(trace, targets),
            rates=tuple(mean_of(o.reshape(*o.shape[:2], -1)) for o in trace.O),
        )

    def summary(self, steps: list[Step], started: float) -> Epoch:
        """Return the event of the epoch, with the accuracy on the images held out."""
        epoch, settings, seen = self._epoch + 1, self.settings, evaluation.mean(steps)
        state = replace(deepcopy(self.state), epoch=epoch)
        (rng,) = stream(settings, TEST, epoch).spawn(1)
        answers = evaluation.answers_to(
            self.data.test_images, state.kept, settings, rng
        )
        return Epoch(
            epoch=epoch,
            loss=seen.loss,
            accuracy=seen.accuracy,
            rates=seen.rates,
            test=float((answers == self.data.test_labels).mean()),
            seconds=time.perf_counter() - started,
            state=state,
        )

    def update(self, grads: LayerArrays, lr: float) -> None:
        """Change the parameters and the averages in place.

        Raises:
            NotFiniteError: if an entry of the gradient is not finite.
        """
        s, state = self.settings, self.state
        gradient_norm(grads)  # which raises where an entry is not finite
        if s.gradient_sign:
            sign(grads)
        if s.clip_norm:
            clip(grads, s.clip_norm)
        if s.optimiser == "adam":
            adam(state, grads, lr, momentum=s.momentum, beta2=s.beta2)
        else:
            sgd(state, grads, lr, momentum=s.momentum)
        if state.average is not None:
            update_average(state.average, state.params, s.averaging)

    def batch(self, number: int) -> tuple[Array, Array]:
        """Return the newly drawn spikes of a batch of the epoch, and its targets."""
        s, params = self.settings, self.state.params
        part = slice(number * s.batch, (number + 1) * s.batch)
        chosen = self._order[part]
        down, right = self._shifts[:, part]
        windows = sliding_window_view(self._padded, self.data.shape, axis=(1, 2))
        images = windows[chosen, down, right]
        spikes = model.encode_images(images, s, s.T, self._spikes, params.dtype)
        answers = np.eye(params.sizes[-1], dtype=params.dtype)
        return spikes, answers[self.data.train_labels[chosen]]
