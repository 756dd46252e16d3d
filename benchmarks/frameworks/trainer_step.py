"""The trainer's training step, with the spikes of the first step used again and again."""

from contextlib import ExitStack
from dataclasses import replace
from typing import TypeVar

import numpy as np
from tqdm import tqdm

import stbp_edu
from benchmarks.frameworks.candidate import Arrays, Candidate
from benchmarks.frameworks.fixed_spikes import AllPixels, Remembered
from benchmarks.frameworks.problem import LR, NEURON, Problem, everything
from stbp_edu.arrays import by_columns
from stbp_edu.checks import Array
from stbp_edu.network import Gradients
from stbp_edu.training.data import Dataset
from stbp_edu.training.optim import start
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import train_epoch
from stbp_edu.training.training_job import EPOCH, State, TrainingJob, stream
from stbp_edu.training.workers import worker_pool

Job = TypeVar("Job", bound=TrainingJob)
PROCESSES = 2
OPEN = ExitStack()  # the pool stays open as long as the process


def settings(problem: Problem) -> Settings:
    """Return settings that make the trainer take this step."""
    size = problem.size
    return Settings(
        hidden=(size.width,), T=size.T, tau=NEURON.tau, v_th=NEURON.v_th, gate=NEURON.gate,
        surrogate="gaussian", a=NEURON.surrogate.a, lr=LR, schedule="constant", averaging=0.0,
        batch=size.batch, shards=PROCESSES,
    )  # fmt: skip


def learned(problem: Problem) -> Problem:
    """Return the problem with the parameters after one epoch over all training images."""
    rows, labels, _ = everything()
    job = _job(TrainingJob, problem, replace(settings(problem), lr=1e-3), rows, labels)
    with worker_pool(job, PROCESSES) as pool:
        steps = train_epoch(pool, epoch=0, taken=0)
        for _ in tqdm(steps, "an epoch", pool.job.steps, leave=False):
            pass
    return replace(problem, params=pool.job.params)


def perfect(problem: Problem) -> int:
    """Return how many images of the batch have rates that are the target, in one draw of spikes."""
    trace = stbp_edu.forward(problem.spikes, problem.params, NEURON)
    return int((trace.O[-1].mean(axis=0) == problem.targets).all(axis=1).sum())


def build(problem: Problem, all_pixels: bool = False) -> Candidate:
    """Return the trainer's step over a training set that is one batch, the same each time.

    With ``all_pixels`` it is told that every pixel is active.
    """
    chosen, kind = settings(problem), AllPixels if all_pixels else Remembered
    job = _job(kind, problem, chosen, problem.pixels, problem.labels)
    pool = OPEN.enter_context(worker_pool(job, PROCESSES))
    steps = train_epoch(pool, epoch=0, taken=0)

    def step() -> None:
        next(steps)

    def gradients() -> Arrays:
        step()
        mean = pool.job.slots[0]  # Adam's m after its first step: (1 - β₁) g
        return [a / 0.1 for a in _flat(mean)]

    def reference() -> Arrays:
        return _whole(problem, pool.map(kind.drawn), chosen)

    return Candidate(step, gradients, reference)


def _job(kind: type[Job], problem: Problem, chosen: Settings, rows: Array, labels: Array) -> Job:
    """Return the job of training the problem's network on images (rows); none are held out."""
    images = rows.reshape(len(rows), 1, -1)
    params = by_columns(problem.params)
    state = State(params, None, start(chosen.make_optimizer(), params))
    return kind(chosen, Dataset(images, labels, images[:1], labels[:1]), state)


def _whole(problem: Problem, shards: list[Array], chosen: Settings) -> Arrays:
    """Return the gradient of the whole batch at once, for the spikes that were drawn."""
    rng = stream(chosen, EPOCH, 0)
    rng.spawn(chosen.shards)
    order = rng.permutation(len(problem.labels))
    spikes = np.zeros_like(problem.spikes)
    for i, images in enumerate(np.array_split(order, chosen.shards)):
        drawn = shards[i]
        # The trainer keeps all pixels, those active in the batch, or those active in this shard.
        seen = (problem.pixels[images], problem.pixels)
        choices = [*(np.flatnonzero(p.any(axis=0)) for p in seen), np.arange(spikes.shape[2])]
        kept = next(k for k in choices if len(k) == drawn.shape[2])
        spikes[:, images[:, None], kept] = drawn
    trace = stbp_edu.forward(spikes, problem.params, NEURON)
    return _flat(stbp_edu.backward(trace, problem.targets, problem.params, NEURON))


def _flat(grads: Gradients) -> Arrays:
    """Return dL/dW1, dL/db1, dL/dW2, dL/db2."""
    return [a for n in (1, 2) for a in (grads.W[n], grads.b[n])]
