"""The training loop, as a generator of events: it prints nothing and writes nothing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import NotFiniteError
from stbp_edu.engine.threads import one_blas_thread
from stbp_edu.training.data import Dataset
from stbp_edu.training.diagnosis import (
    Advice,
    diagnose_layers,
    diagnose_learning,
    diagnose_outputs,
)
from stbp_edu.training.evaluation import BatchStatistics, answers_to, merge
from stbp_edu.training.model import check_fit
from stbp_edu.training.settings import Settings
from stbp_edu.training.training_job import TEST, State, TrainingJob, initial_state, stream

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
        seconds: that this epoch took, the evaluation on the images held out included.
        state: a copy, to save or to go on from.
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
        data: images to learn from, and images held out, on which each epoch is evaluated.
        state: where to go on from, which is left as it is; a new start where None.

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
    if state is not None:
        checks.instance("state", state, State)
    state = initial_state(settings, data) if state is None else state
    _check_fit(state, settings, data)
    given: set[tuple[str, str]] = set()
    with one_blas_thread():
        job = TrainingJob(settings, data, state)
        steps = job.steps
        begun, first, total = time.perf_counter(), state.epoch * steps, settings.epochs * steps
        for epoch in range(state.epoch, settings.epochs):
            batches: list[BatchStatistics] = []
            started = time.perf_counter()
            for batch in train_epoch(job, epoch):
                batches.append(batch)
                done = epoch * steps + len(batches)
                left = (time.perf_counter() - begun) / (done - first) * (total - done)
                where = epoch + 1, len(batches), done / total
                yield Step(*where, batch.loss, batch.accuracy, batch.rates, left)
                if len(batches) == EARLY:
                    yield from _new(_diagnose(merge(batches), settings, False), given)
            summary = _summarize(settings, job.snapshot(epoch + 1), merge(batches), data, started)
            settled = epoch + 1 == settings.epochs or (epoch + 1) * steps >= SETTLED
            recent = merge(batches[len(batches) // 2 :])
            yield from _new(_diagnose(recent, settings, settled), given)
            yield summary


def train_epoch(job: TrainingJob, epoch: int) -> Iterator[BatchStatistics]:
    """Take the steps of an epoch, counted from 0; yield the statistics of each batch.

    Each image is seen once, in an order drawn anew.

    Raises:
        ValueError: if a gradient ceases to be finite.
    """
    job.begin_epoch(epoch)
    for step in range(job.steps):
        done = (epoch * job.steps + step) / (job.settings.epochs * job.steps)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                batch = job.step(step, job.settings.learning_rate(done))
        except NotFiniteError as error:
            raise ValueError(
                f"the run diverged in epoch {epoch + 1} ({error}): begin anew with a smaller lr"
            ) from error
        yield batch


def _check_fit(state: State, settings: Settings, data: Dataset) -> None:
    """Check that the network has the inputs that images make, and an output for each class."""
    check_fit(state.params, settings)
    got = (state.params.sizes[0], state.params.sizes[-1])
    want = (settings.inputs(data.shape), data.classes)
    if got[0] != want[0] or got[1] < want[1]:
        raise ValueError(
            f"state must be of a network with {want[0]} inputs and {want[1]} outputs for this "
            f"data, got {got[0]} and {got[1]}; give the data that it was trained on"
        )


def _summarize(
    settings: Settings, state: State, seen: BatchStatistics, data: Dataset, started: float
) -> Epoch:
    """Return the event of an epoch, with the accuracy on the images held out."""
    rng = stream(settings, TEST, state.epoch)
    answers = answers_to(data.test_images, state.kept, settings, rng.spawn(1)[0])
    outputs, test = tuple(seen.outputs.tolist()), float((answers == data.test_labels).mean())
    seconds = time.perf_counter() - started
    return Epoch(state.epoch, seen.loss, seen.accuracy, seen.rates, outputs, test, seconds, state)


def _diagnose(recent: BatchStatistics, settings: Settings, settled: bool) -> list[Advice]:
    """Return advice on the layers; if there is none, on the outputs and on the accuracy."""
    advice, outputs = diagnose_layers(recent.rates, settings.v_th), recent.outputs.tolist()
    learning = diagnose_learning(recent.accuracy, len(outputs))
    if not settings.has_output_spikes or settings.loss == "membrane":  # spikes are not read
        advice = [a for a in advice if a.where != f"layer {len(recent.rates) - 1}"]
        return advice or learning * settled
    return advice or (diagnose_outputs(outputs, recent.loss) + learning) * settled


def _new(advice: list[Advice], given: set[tuple[str, str]]) -> Iterator[Advice]:
    """Yield the advice that was not given before."""
    for a in advice:
        if (a.where, a.kind) not in given:
            given.add((a.where, a.kind))
            yield a
