"""The trainer's training step, on the spikes that every candidate is given."""

from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.frameworks.candidate import Candidate, GradientList
from benchmarks.frameworks.problem import LR, NEURON, A, SizedProblem
from stbp_edu import Params
from stbp_edu.program.machine import one_blas_thread
from stbp_edu.training.data import Dataset
from stbp_edu.training.optimiser import start
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import TrainingJob

with suppress(ImportError):
    import numba  # noqa: F401 - imported beforehand, as PyTorch is by those who use it

OPEN = ExitStack()  # the limit stays as long as the process


def build(problem: SizedProblem, backend: str = "auto") -> Candidate:
    """Return the trainer's step over the problem's batch, whose spikes are drawn already."""

    class Job(TrainingJob):
        def batch(self, _: int) -> tuple[NDArray[Any], NDArray[Any]]:
            return problem.spikes, problem.targets

    size = problem.size
    settings = Settings(
        hidden=(size.width,) * size.hidden, T=size.T, batch=size.batch, backend=backend,
        tau=NEURON.tau, v_th=NEURON.v_th, gate=NEURON.gate,
        surrogate="gaussian", a=A, lr=LR, schedule="constant", averaging=0.0,
    )  # fmt: skip
    images, labels = problem.pixels[:, None], problem.targets.argmax(1)
    W = [None, *map(np.asfortranarray, problem.params.W[1:])]  # as training lays them
    data = Dataset(images, labels, images[:1], labels[:1])
    job = Job(settings, data, start(Params(W, problem.params.b)))
    OPEN.enter_context(one_blas_thread())
    job.begin_epoch(0)

    def step() -> None:
        job.step(0, LR)

    def gradients() -> GradientList:
        step()
        # Adam's m after its first step is (1 - β₁) g.
        return [a / 0.1 for a in job.state.m.values()]

    return Candidate(step, gradients)
