"""What changes the parameters.

- ``optimizers``: stochastic gradient descent and Adam.
- ``schedules``: the learning rate over a run.
- ``averaging``: the running average of the parameters.
"""

from stbp_edu.training.optim.averaging import update_average
from stbp_edu.training.optim.optimizers import OPTIMIZERS, SGD, Adam, Optimizer, OptimizerState
from stbp_edu.training.optim.schedules import SCHEDULES, learning_rate

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "Optimizer",
    "OptimizerState",
    "learning_rate",
    "update_average",
]
