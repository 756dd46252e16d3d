"""Losses: each has a value, and a direct term, its derivative by the output's own states.

- ``formulas``: :class:`Rate`, the loss of the course; :class:`LastSteps`; :class:`Membrane`;
  :class:`CrossEntropy`, of rates or counts; :class:`StepCrossEntropy`.
- ``of_states``: what a loss is, so you can write your own, and :class:`Direct`.

Of the five cases only the direct term knows the loss: case 1, and the first term of case 3.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace
from stbp_edu.losses.formulas import (
    RATE,
    CrossEntropy,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.losses.of_states import (
    Built,
    Direct,
    LossFunction,
    check_targets,
    read_loss,
)

LossLike: TypeAlias = LossFunction | Direct | Array
"""What the backward passes take: a loss, or its direct term."""
AnyLoss: TypeAlias = LossFunction | str
"""A loss, or its name in :data:`LOSSES`."""

LOSSES: dict[str, type[Built]] = {
    "rate": Rate,
    "last-steps": LastSteps,
    "cross-entropy": CrossEntropy,
    "step-cross-entropy": StepCrossEntropy,
    "membrane": Membrane,
}
"""The losses by name."""

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


def loss_named(name: str, k: int | None = None) -> Built:
    """Return the loss of this name, which reads the last k steps, where it has that choice.

    Args:
        name: a name in :data:`LOSSES`.
        k: how many steps ``"last-steps"`` and ``"membrane"`` read; None for all.

    Raises:
        ValueError: if there is no loss of this name.

    >>> loss_named("membrane"), loss_named("membrane", k=2), loss_named("rate")
    (Membrane(k=None), Membrane(k=2), Rate())
    """
    made: Any = LOSSES[checks.choice("loss", name, LOSSES)]
    found: Built = made(k) if hasattr(made, "k") else made()
    return found


def as_loss(loss: Any, method: str = "direct") -> Any:
    """Return a loss that is given by its name or as it is, or a direct term as it is.

    A name means what it means in the settings of a run: every step is read.

    Args:
        loss: a name in :data:`LOSSES`, a loss of this package or your own, or a direct term.
        method: the method that it must have: ``"direct"`` or ``"value"``.

    Raises:
        TypeError, ValueError: if it is none of these.
    """
    if isinstance(loss, str):
        return loss_named(loss)
    if method == "direct" and isinstance(loss, Direct | np.ndarray):
        return loss
    return read_loss(loss, method)
