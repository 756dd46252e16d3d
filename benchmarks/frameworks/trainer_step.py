"""The trainer's training step, with the spikes of the first step used again and again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
from tqdm import tqdm

import stbp_edu
from benchmarks.frameworks.candidate import Arrays, Candidate
from benchmarks.frameworks.fixed_spikes import AllPixels, Remembered
from benchmarks.frameworks.problem import LR, NEURON, Problem, everything
from stbp_edu.checks import Array
from stbp_edu.network import Gradients
from stbp_edu.training.loop.state import EPOCH, State, by_columns, copy, stream
from stbp_edu.training.loop.stepper import Stepper
from stbp_edu.training.settings import Settings
from stbp_edu.training.workers.parallel import team

PROCESSES = 2
OPEN = ExitStack()  # the team stays together as long as the process


def lit_pixels(problem: Problem) -> Candidate:
    """Return the step as it is."""
    return _build(problem, Remembered)


def all_pixels(problem: Problem) -> Candidate:
    """Return the step that is told that every pixel is lit."""
    return _build(problem, AllPixels)


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
    chosen = replace(settings(problem), lr=1e-3)
    params = by_columns(copy(problem.params))
    state = State(params, params, chosen.make_optimizer().start(params))
    with team(Stepper(chosen, rows[:, None], labels, state), PROCESSES) as crew:
        stepper = crew.job
        for _ in tqdm(stepper.epoch(crew), "an epoch", stepper.steps, leave=False):
            pass
    return replace(problem, params=stepper.state.params)


def perfect(problem: Problem) -> int:
    """Return how many images of the batch have rates that are the target, in one draw of spikes."""
    trace = stbp_edu.forward(problem.spikes, problem.params, NEURON)
    return int((trace.O[-1].mean(axis=0) == problem.targets).all(axis=1).sum())


def _build(problem: Problem, kind: type[Remembered]) -> Candidate:
    """Return the trainer's step over a training set that is one batch, the same each time."""
    chosen = settings(problem)
    images = problem.pixels.reshape(len(problem.labels), 1, -1)
    params = by_columns(copy(problem.params))
    state = State(params, params, chosen.make_optimizer().start(params))
    crew = OPEN.enter_context(team(kind(chosen, images, problem.labels, state), PROCESSES))

    steps = crew.job.epoch(crew)

    def step() -> None:
        next(steps)

    def gradients() -> Arrays:
        step()
        mean = crew.job.state.optimizer.slots[0]  # Adam's m after its first step: (1 - β₁) g
        return [a / 0.1 for a in _flat(mean)]

    def reference() -> Arrays:
        return _whole(problem, crew.map("drawn"), chosen)

    return Candidate(step, gradients, reference)


def _whole(problem: Problem, parts: list[Array], chosen: Settings) -> Arrays:
    """Return the gradient of the whole batch at once, for the spikes that were drawn."""
    rng = stream(chosen, EPOCH, 0)
    rng.spawn(chosen.shards)
    order = rng.permutation(len(problem.labels))
    spikes = np.zeros_like(problem.spikes)
    for i, images in enumerate(np.array_split(order, chosen.shards)):
        drawn = parts[i]
        # The trainer keeps all pixels, those lit in the batch, or those lit in this part of it.
        seen = (problem.pixels[images], problem.pixels)
        choices = [*(np.flatnonzero(p.any(axis=0)) for p in seen), np.arange(spikes.shape[2])]
        kept = next(k for k in choices if len(k) == drawn.shape[2])
        spikes[:, images[:, None], kept] = drawn
    trace = stbp_edu.forward(spikes, problem.params, NEURON)
    return _flat(stbp_edu.backward(trace, problem.targets, problem.params, NEURON))


def _flat(grads: Gradients) -> Arrays:
    """Return dL/dW1, dL/db1, dL/dW2, dL/db2."""
    return [a for n in (1, 2) for a in (grads.W[n], grads.b[n])]
