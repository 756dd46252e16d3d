"""The trainer's training step, with the spikes of the first step used again and again."""

from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import stbp_edu
from benchmarks.frameworks.candidate import Arrays, Candidate
from benchmarks.frameworks.problem import LR, NEURON, Problem
from stbp_edu.arrays import tensors
from stbp_edu.checks import Array
from stbp_edu.engine.compiled import one_blas_thread
from stbp_edu.training.data import Dataset
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import EPOCH, State, TrainingJob, start, stream

with suppress(ImportError):
    import numba  # noqa: F401 - imported beforehand, as PyTorch is by those who use it

Job = TypeVar("Job", bound=TrainingJob)
OPEN = ExitStack()  # the limit stays as long as the process


def settings(problem: Problem, backend: str = "auto") -> Settings:
    """Return settings that make the trainer take this step."""
    size = problem.size
    return Settings(
        hidden=(size.width,) * size.hidden, T=size.T, batch=size.batch, backend=backend,
        tau=NEURON.tau, v_th=NEURON.v_th, gate=NEURON.gate,
        surrogate="gaussian", a=NEURON.surrogate.a, lr=LR, schedule="constant", averaging=0.0,
    )  # fmt: skip


class Remembered(TrainingJob):
    """The trainer's step over one batch, the same each time, its spikes drawn once."""

    spikes: Array | None = None

    def _batch(self, _: int) -> tuple[NDArray[Any], Array]:
        return super()._batch(0)

    def encode(self, images: NDArray[Any]) -> Array:
        """Return the spikes of the first step."""
        if self.spikes is None:
            self.spikes = super().encode(images).copy()
        return self.spikes


def build(problem: Problem, backend: str = "auto") -> Candidate:
    """Return the trainer's step over a training set that is one batch, the same each time."""
    chosen = settings(problem, backend)
    job = _job(Remembered, problem, chosen, problem.pixels, problem.labels)
    OPEN.enter_context(one_blas_thread())
    job.begin_epoch(0)

    def step() -> None:
        job.step(0, chosen.lr)

    def gradients() -> Arrays:
        step()
        mean = job.optimizer.slots[0]  # Adam's m after its first step: (1 - β₁) g
        return [a / 0.1 for a in tensors(mean).values()]

    def reference() -> Arrays:
        order = stream(chosen, EPOCH, 0).permutation(len(problem.labels))
        trace = stbp_edu.forward(job.encode(problem.pixels), problem.params, NEURON)
        grads = stbp_edu.backward(trace, problem.targets[order], problem.params, NEURON)
        return [*tensors(grads).values()]

    return Candidate(step, gradients, reference)


def _job(kind: type[Job], problem: Problem, chosen: Settings, rows: Array, labels: Array) -> Job:
    """Return the job of training the problem's network on images (rows); none are held out."""
    images = rows.reshape(len(rows), 1, -1)
    W = [None, *map(np.asfortranarray, problem.params.W[1:])]  # as training lays them
    params = stbp_edu.Params(W, problem.params.b)
    state = State(params, None, start(params))
    return kind(chosen, Dataset(images, labels, images[:1], labels[:1]), state)
