"""The losses written once more, for the oracles that run the network themselves.

They share no line with :mod:`stbp_edu.losses`, and take plain NumPy or autograd's, so that
``finite_difference`` measures their slopes and ``autodiff`` derives them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.losses import (
    CrossEntropy,
    Direct,
    LastSteps,
    LossLike,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.network import Trace

Outputs = Sequence[tuple[Any, Any]]
"""The spikes and potentials of the output layer, each (S, n[N]), step by step."""


def loss_value(loss: LossLike, outputs: Outputs, targets: Any, xp: Any = np) -> Any:
    """Return the loss of these outputs.

    A direct term d is that of the loss Σ d · o, which is linear. A loss of your own is asked for
    its value; that works on numbers, and not within autograd.

    >>> ones = np.ones((1, 1))
    >>> float(loss_value(Rate(), [(ones, ones), (0 * ones, ones)], ones))
    0.125
    """
    o, u = zip(*outputs, strict=True)
    T, S = len(o), len(targets)
    match loss:
        case Rate():
            return _squares(targets - sum(o) / T) / (2 * S)
        case LastSteps(k):
            return _squares(targets - sum(o[-k:]) / k) / (2 * S)
        case Membrane(k):
            return _squares(targets - sum(u[-(k or T) :]) / (k or T)) / (2 * S)
        case CrossEntropy(counts):
            return _cross_entropy(sum(o) if counts else sum(o) / T, targets, xp) / S
        case StepCrossEntropy():
            return sum(_cross_entropy(z, targets, xp) for z in o) / (T * S)
        case Direct():
            return _linear(loss.o, o) + _linear(loss.u, u)
        case np.ndarray():
            return _linear(loss, o)
    if xp is not np:
        raise TypeError(
            f"loss must be one of stbp_edu.losses for automatic differentiation, got {loss!r}; "
            "let finite_difference measure it, or pass its direct term"
        )
    spikes, potentials = (np.stack(steps) for steps in (o, u))
    return loss.value(Trace(U=[None, potentials], O=[spikes, spikes]), targets)


def _squares(misses: Any) -> Any:
    """Return the sum of the squares."""
    return (misses * misses).sum()


def _cross_entropy(z: Any, targets: Any, xp: Any) -> Any:
    """Return -Σ y (z - log Σ e^z), over samples and neurons; spikes need no care for overflow."""
    return -(targets * (z - xp.log(xp.exp(z).sum(axis=1, keepdims=True)))).sum()


def _linear(slopes: Array | None, states: Sequence[Any]) -> Any:
    """Return Σ slope · state, over steps, samples and neurons; 0 where there are no slopes."""
    if slopes is None:
        return 0.0
    return sum((d * state).sum() for d, state in zip(slopes, states, strict=True))
