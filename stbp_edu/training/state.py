"""The state of a run, its start, and the streams of random numbers that the run draws from."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu.arrays import by_columns
from stbp_edu.convolution import AnyParams, init_conv_params
from stbp_edu.network import init_params
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.optim import OptimizerState
from stbp_edu.training.settings import Settings

INIT = 0
EPOCH = 1
TEST = 2
"""Streams of random numbers; see :func:`stream`."""


@dataclass(frozen=True)
class State:
    """All that a run needs to continue. Its arrays are changed in place by the steps that follow.

    Attributes:
        average: the running average of the parameters; None where averaging is off.
        epoch: epochs done.
    """

    params: AnyParams
    average: AnyParams | None
    optimizer: OptimizerState
    epoch: int = 0

    @property
    def kept(self) -> AnyParams:
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
    rng = stream(settings, INIT)
    how: dict[str, Any] = {"scheme": settings.init, "scale": settings.init_scale}
    params: AnyParams
    if settings.has_images:
        shape = settings.shape(data.shape, data.classes)
        params = init_conv_params(shape, rng, np.float32, **how)
    else:
        widths = (m for m in settings.hidden if isinstance(m, int))
        sizes = [settings.inputs(data.shape), *widths, data.classes]
        params = by_columns(init_params(sizes, rng, np.float32, **how))
    average = None if settings.averaging == 0 else deepcopy(params)
    return State(params, average, settings.make_optimizer().start(params))
