"""The step that the trainer takes, with the encoding remembered instead of drawn anew."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
from tqdm import tqdm

import stbp_edu
from benchmarks.frameworks.candidate import Arrays, Candidate
from benchmarks.frameworks.problem import LR, NEURON, Problem, everything
from stbp_edu.checks import Array
from stbp_edu.network import Gradients
from stbp_edu.training.encoders import encode
from stbp_edu.training.parallel import team
from stbp_edu.training.settings import Settings
from stbp_edu.training.state import EPOCH, State, by_columns, copy, stream
from stbp_edu.training.stepper import Stepper

THREADS = 2
OPEN = ExitStack()  # the team stays together as long as the process


class Remembered:
    """Stands for ``encode``: draws each part of the batch once, by the stream it is drawn from."""

    def __init__(self) -> None:
        self.parts: dict[tuple[int, ...], Array] = {}

    def __call__(
        self, encoder: str, pixels: Any, T: int, rng: np.random.Generator, **_: Any
    ) -> Array:
        """Return the spikes of this part."""
        sequence: Any = rng.bit_generator.seed_seq
        key = tuple(sequence.spawn_key)
        if key not in self.parts:
            self.parts[key] = encode(encoder, pixels, T, rng)
        return self.parts[key]


def lit_pixels(problem: Problem) -> Candidate:
    """Return the step as it is."""
    return _build(problem, {})


def all_pixels(problem: Problem) -> Candidate:
    """Return the step that is told that every pixel is lit."""
    return _build(problem, {"lit": lambda rows: np.arange(rows.shape[1])})


def settings(problem: Problem) -> Settings:
    """Return settings that make the trainer take this step."""
    cell = problem.cell
    return Settings(
        hidden=(cell.width,), T=cell.T, tau=NEURON.tau, v_th=NEURON.v_th, gate=NEURON.gate,
        surrogate="gaussian", a=NEURON.surrogate.a, lr=LR, schedule="constant", averaging=0.0,
        batch=cell.batch, shards=THREADS,
    )  # fmt: skip


def learned(problem: Problem) -> Problem:
    """Return the problem with the parameters after one epoch over all training images."""
    rows, labels, _ = everything()
    chosen = replace(settings(problem), lr=1e-3)
    params = by_columns(copy(problem.params))
    state = State(params, params, chosen.make_optimizer().start(params))
    with team(THREADS) as crew:
        stepper = Stepper(chosen, rows[:, None], labels, crew)
        for _, _, after in tqdm(stepper.epoch(state), "an epoch", stepper.steps, leave=False):
            state = after
    return replace(problem, params=state.params)


def perfect(problem: Problem) -> int:
    """Return how many images of the batch have rates that are the target, in one draw of spikes."""
    trace = stbp_edu.forward(problem.spikes, problem.params, NEURON)
    return int((trace.O[-1].mean(axis=0) == problem.targets).all(axis=1).sum())


def _build(problem: Problem, changes: dict[str, Any]) -> Candidate:
    """Return the trainer's step over a training set that is one batch, the same each time."""
    chosen, remembered = settings(problem), Remembered()
    crew = OPEN.enter_context(team(THREADS))
    for name, value in {"encode": remembered, **changes}.items():
        patch(f"stbp_edu.training.stepper.{name}", value).start()
    images = problem.pixels.reshape(len(problem.labels), 1, -1)
    stepper = Stepper(chosen, images, problem.labels, crew)
    params = by_columns(copy(problem.params))
    states = [State(params, params, chosen.make_optimizer().start(params))]

    def step() -> None:
        for _, _, after in stepper.epoch(states[0]):
            states[0] = after

    def gradients() -> Arrays:
        step()
        mean = states[0].optimizer.slots[0]  # Adam's m after its first step: (1 - β₁) g
        return [a / 0.1 for a in _flat(mean)]

    def reference() -> Arrays:
        return _whole(problem, remembered, chosen)

    return Candidate(step, gradients, reference)


def _whole(problem: Problem, remembered: Remembered, chosen: Settings) -> Arrays:
    """Return the gradient of the whole batch at once, for the spikes that were drawn."""
    rng = stream(chosen, EPOCH, 0)
    rng.spawn(chosen.shards)
    order = rng.permutation(len(problem.labels))
    spikes = np.zeros_like(problem.spikes)
    for i, images in enumerate(np.array_split(order, chosen.shards)):
        drawn = next(v for k, v in remembered.parts.items() if k[-1] == i)
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
