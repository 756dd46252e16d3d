"""The training loop, as a generator of events: it prints nothing and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from stbp_edu.checks import NotFiniteError
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.loop.batch import Batch
from stbp_edu.training.loop.diagnosis import (
    Advice,
    diagnose_layers,
    diagnose_learning,
    diagnose_outputs,
)
from stbp_edu.training.loop.evaluation import confusion
from stbp_edu.training.loop.state import TEST, State, begin, stream
from stbp_edu.training.loop.stepper import Lesson
from stbp_edu.training.settings import Settings
from stbp_edu.training.workers.parallel import Team, team

T = TypeVar("T")
EARLY = 20  # steps before the first look at the firing rates
SETTLED = 300  # steps before an output neuron that is silent is taken to stay so


@dataclass(frozen=True)
class Step:
    """One step done: its loss, accuracy, and firing rates of layers 0..N.

    Attributes:
        done: share of the whole run that is done.
        left: seconds to come, at the pace so far.
    """

    epoch: int
    step: int
    done: float
    loss: float
    accuracy: float
    rates: tuple[float, ...]
    left: float


@dataclass(frozen=True)
class Epoch:
    """One epoch done: means over its steps, and the accuracy on the images held out.

    Attributes:
        epoch: epochs done, this one included.
        outputs: mean firing rate of each output neuron.
        test: accuracy of the parameters to be kept (the average, where there is one).
        seconds: that this epoch took, the look at the images held out included.
        state: to save at once if at all, since the next step changes its arrays.
    """

    epoch: int
    loss: float
    accuracy: float
    rates: tuple[float, ...]
    outputs: tuple[float, ...]
    test: float
    seconds: float
    state: State


Event = Step | Epoch | Advice
"""What training yields."""


def train(settings: Settings, data: Dataset, state: State | None = None) -> Iterator[Event]:
    """Train, and yield a :class:`Step`, an :class:`Epoch` or an :class:`Advice` as each comes.

    Args:
        settings: all that decides the run.
        data: images to learn from, and images held out, on which each epoch is judged.
        state: where to go on from, which is left as it is; a new start where None.

    Raises:
        ValueError: if a gradient ceases to be finite, or the data does not fit the parameters.

    >>> from stbp_edu.training.data.datasets import load_digits
    >>> events = train(Settings(hidden=(32,), T=5, epochs=1), load_digits())
    >>> [event.epoch for event in events if isinstance(event, Epoch)]
    [1]
    """
    state = begin(settings, data) if state is None else deepcopy(state)
    _check_fit(state, data)
    given: set[tuple[str, str]] = set()
    with team(Lesson(settings, data, state), settings.shards) as crew:
        stepper = crew.job
        clock = _Clock(time.perf_counter(), stepper.steps, state.epoch, settings.epochs)
        for epoch in range(state.epoch, settings.epochs):
            tally: list[Batch] = []
            dawn = time.perf_counter()
            for step, batch, after in _finite(stepper.epoch(crew), epoch):
                state = after
                tally.append(batch)
                yield clock.event(epoch, step, batch)
                if step + 1 == EARLY:
                    yield from _new(diagnose_layers(_rates(tally), settings.v_th), given)
            state = stepper.state = replace(state, epoch=epoch + 1)
            summary = _judge(data, tally, crew, dawn)
            settled = epoch + 1 == settings.epochs or (epoch + 1) * stepper.steps >= SETTLED
            yield from _new(_diagnose(tally[len(tally) // 2 :], settings, settled), given)
            yield summary


def _finite(steps: Iterator[T], epoch: int) -> Iterator[T]:
    """Hand on the steps; where numbers cease to be finite, say what to do."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield from steps
    except NotFiniteError as error:
        raise ValueError(
            f"the run diverged in epoch {epoch + 1} ({error}): begin anew with a smaller lr"
        ) from error


@dataclass(frozen=True)
class _Clock:
    """Knows how far a run is: when it began, its steps an epoch, and its first and last epoch."""

    began: float
    steps: int
    first: int
    epochs: int

    def event(self, epoch: int, step: int, b: Batch) -> Step:
        """Return the event of a step, with the time left at the pace so far."""
        done, total = epoch * self.steps + step + 1, self.epochs * self.steps
        pace = (time.perf_counter() - self.began) / (done - self.first * self.steps)
        left = pace * (total - done)
        share, accuracy = done / total, b.right / b.size
        return Step(epoch + 1, step + 1, share, b.loss, accuracy, b.rates, left)


def _check_fit(state: State, data: Dataset) -> None:
    """Check that the network has an input for each pixel and an output for each class."""
    got = (state.params.sizes[0], state.params.sizes[-1])
    want = (data.pixels, int(max(data.train_labels.max(), data.test_labels.max())) + 1)
    if got[0] != want[0] or got[1] < want[1]:
        raise ValueError(
            f"state must be of a network with {want[0]} inputs and {want[1]} outputs for this "
            f"data, got {got[0]} and {got[1]}; give the data that it was trained on"
        )


def _judge(data: Dataset, tally: list[Batch], crew: Team[Lesson], dawn: float) -> Epoch:
    """Sum up an epoch, and measure the accuracy on the images held out."""
    sizes, state = [b.size for b in tally], crew.job.state
    rng = stream(crew.job.settings, TEST, state.epoch)
    table = confusion(crew, data.test_labels, state.params.sizes[-1], rng)
    if state.epoch == crew.job.settings.epochs:  # who keeps it does not keep the team's memory
        state = deepcopy(state)
    return Epoch(
        state.epoch,
        float(np.average([b.loss for b in tally], weights=sizes)),
        sum(b.right for b in tally) / sum(sizes),
        _rates(tally),
        tuple(np.average([b.outputs for b in tally], axis=0, weights=sizes).tolist()),
        float(np.trace(table)) / len(data.test_labels),
        time.perf_counter() - dawn,
        state,
    )


def _rates(tally: list[Batch]) -> tuple[float, ...]:
    """Return the mean firing rate of each layer."""
    mean = np.average([b.rates for b in tally], axis=0, weights=[b.size for b in tally])
    return tuple(mean.tolist())


def _diagnose(recent: list[Batch], settings: Settings, settled: bool) -> list[Advice]:
    """Look at the latest steps: first the layers, then, if they are fine, the single outputs."""
    found = diagnose_layers(_rates(recent), settings.v_th)
    if found or not settled:
        return found
    sizes = [b.size for b in recent]
    outputs = np.average([b.outputs for b in recent], axis=0, weights=sizes).tolist()
    loss = float(np.average([b.loss for b in recent], weights=sizes))
    accuracy = sum(b.right for b in recent) / sum(sizes)
    return diagnose_outputs(outputs, loss) + diagnose_learning(accuracy, len(outputs))


def _new(found: list[Advice], given: set[tuple[str, str]]) -> Iterator[Advice]:
    """Yield the findings that were not given before."""
    for advice in found:
        if (advice.where, advice.kind) not in given:
            given.add((advice.where, advice.kind))
            yield advice
