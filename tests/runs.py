"""Runs for tests to compare."""

import numpy as np

from stbp_edu import Params
from stbp_edu.parameters import named_arrays
from stbp_edu.training import Dataset, Epoch, Settings, State, initial_state, train
from stbp_edu.training.trainer import TrainingJob


def epochs(
    settings: Settings, data: Dataset, state: State | None = None
) -> list[Epoch]:
    return [e for e in train(settings, data, state) if isinstance(e, Epoch)]


def bits(params: Params) -> bytes:
    return b"".join(a.tobytes() for a in named_arrays(params).values())


def first_step(
    settings: Settings, data: Dataset, state: State | None = None
) -> tuple[dict[str, np.ndarray], TrainingJob]:
    """Return the gradient of a run's first step, and the job that took it."""
    job, taken = TrainingJob(settings, data, state or initial_state(settings, data)), []
    job.update = lambda grads, lr: taken.append(named_arrays(grads))  # type: ignore[method-assign]
    job.begin_epoch(0)
    job.step(0, 0.0)
    return taken[0], job
