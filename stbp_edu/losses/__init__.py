"""Losses: each has a value, and a direct term, its derivative by the output's own states.

- ``formulas``: :class:`Rate`, the loss of the course; :class:`LastSteps`; :class:`Membrane`;
  :class:`CrossEntropy`, of rates or counts; :class:`StepCrossEntropy`.
- ``of_states``: what a loss is, so you can write your own, and :class:`Direct`.

Of the five cases only the direct term knows the loss: case 1, and the first term of case 3.
"""

from typing import TypeAlias

from numpy.typing import ArrayLike

from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace
from stbp_edu.losses.formulas import (
    LOSSES,
    RATE,
    CrossEntropy,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
    as_loss,
    loss_named,
)
from stbp_edu.losses.of_states import (
    Direct,
    LossFunction,
    check_targets,
    read_loss,
)

LossLike: TypeAlias = LossFunction | Direct | Array
"""What the backward passes take: a loss, or its direct term."""
AnyLoss: TypeAlias = LossFunction | str
"""A loss, or its name in :data:`LOSSES`."""

__all__ = [
    "LOSSES",
    "RATE",
    "AnyLoss",
    "CrossEntropy",
    "Direct",
    "LastSteps",
    "LossFunction",
    "LossLike",
    "Membrane",
    "Rate",
    "StepCrossEntropy",
    "as_loss",
    "check_targets",
    "loss",
    "loss_named",
    "read_loss",
]


def loss(trace: Trace, targets: ArrayLike, loss: LossFunction = RATE) -> float:
    """Return the loss of a forward pass; the rate loss (id ``loss``) where no other is given.

    Args:
        trace: a forward pass; only the output layer is read.
        targets: Y, shape (S, n[N]), in the dtype of the trace.
        loss: a loss of this package, or one of your own.

    Raises:
        TypeError, ValueError: if ``targets`` or the outputs have the wrong shape or dtype, are
            not finite, or are not what the loss asks for; or if ``loss`` is none.

    >>> import numpy as np
    >>> out = np.array([[[1.0]], [[0.0]]])  # one neuron: a spike, then none
    >>> trace = Trace(U=[None, out], O=[out, out])
    >>> loss(trace, np.array([[1.0]])), loss(trace, np.array([[1.0]]), LastSteps(1))
    (0.125, 0.5)
    """
    read = read_loss(loss, "value")
    return float(read.value(trace, targets))
