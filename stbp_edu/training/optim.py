"""Optimizers, and the running average of the parameters: both change arrays in place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stbp_edu import checks
from stbp_edu.arrays import CHUNK, Tensors, Trained, check_params, chunks, zeros_like
from stbp_edu.checks import Array


@dataclass
class OptimizerState:
    """What an optimizer remembers, and changes in place at each step.

    Attributes:
        step: steps taken.
        slots: its averages, each in the shape of the parameters.
    """

    step: int
    slots: tuple[Tensors, ...]


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: m ← μ m + g, then p ← p - η m.

    Args:
        momentum: μ, in [0, 1); 0 is plain gradient descent.
        weight_decay: share of each weight, times η, that is taken off at each step; biases are
            left alone.

    >>> from stbp_edu import Gradients, Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> sgd = SGD(momentum=0.0)
    >>> update(sgd, p, g, start(sgd, p), lr=0.1)
    >>> p.W[1]
    array([[0.8]])
    """

    SLOTS: ClassVar[int] = 1  # averages that it keeps of each array
    momentum: float = 0.9
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Check the constants."""
        _check(self, "momentum")

    def step(self, _: int, lr: float, __: Array, arrays: Sequence[Array]) -> None:
        """Take a step of a chunk: parameters, gradients and m."""
        p, g, m = arrays
        m *= self.momentum
        m += g
        p -= lr * m  # sgd


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction.

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both zero at first. After k steps the
    corrected means are m̂ = m / (1 - β₁ᵏ) and v̂ = v / (1 - β₂ᵏ), and p ← p - η m̂ / (√v̂ + ε).

    Args:
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        eps: ε > 0.
        weight_decay: as in :class:`SGD`.

    >>> from stbp_edu import Gradients, Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> adam = Adam()
    >>> update(adam, p, g, start(adam, p), lr=0.1)
    >>> p.W[1]
    array([[0.9]])
    """

    SLOTS: ClassVar[int] = 2
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Check the constants."""
        _check(self, "beta1", "beta2")
        checks.number("eps", self.eps, positive=True)

    def step(self, k: int, lr: float, scratch: Array, arrays: Sequence[Array]) -> None:
        """Take step k, from 1, of a chunk: parameters, gradients, m and v."""
        (p, g, m, v), (a, b) = arrays, scratch
        root = math.sqrt(1 - self.beta2**k)  # √v̂ + ε = (√v + root · ε) / root
        m *= self.beta1
        m += np.multiply(g, 1 - self.beta1, out=a)
        v *= self.beta2
        v += np.multiply(np.multiply(g, g, out=a), 1 - self.beta2, out=a)
        np.sqrt(v, out=b)
        b += self.eps * root
        size = lr * root / (1 - self.beta1**k)
        p -= np.divide(np.multiply(m, size, out=a), b, out=a)  # adam


Optimizer = SGD | Adam
"""An optimizer holds constants, and no state."""


def _check(optimizer: Optimizer, *rates: str) -> None:
    """Check the constants that optimizers have in common: rates in [0, 1), and the decay."""
    for name in rates:
        if not 0 <= checks.number(name, value := getattr(optimizer, name)) < 1:
            raise ValueError(f"{name} must be in [0, 1), got {value!r}; 0.9 is usual")
    if checks.number("weight_decay", decay := optimizer.weight_decay) < 0:
        raise ValueError(f"weight_decay must be >= 0, got {decay!r}; 0 turns it off")


def start(optimizer: Optimizer, params: Trained) -> OptimizerState:
    """Return the state before the first step."""
    if not isinstance(optimizer, SGD | Adam):
        raise TypeError(
            f"optimizer must be SGD or Adam, got {checks.brief(optimizer)}; pass Adam()"
        )
    check_params(params)
    return OptimizerState(0, tuple(zeros_like(params) for _ in range(optimizer.SLOTS)))


def update(
    optimizer: Optimizer, params: Trained, grads: Tensors, state: OptimizerState, lr: float
) -> None:
    """Take one step of size η = ``lr``: change the parameters and the state in place."""
    scratch = np.empty((2, CHUNK), params.dtype)
    for is_weight, (p, *others) in chunks(params, grads, *state.slots):
        if is_weight and optimizer.weight_decay:
            p *= 1 - lr * optimizer.weight_decay
        optimizer.step(state.step + 1, lr, scratch[:, : len(p)], [p, *others])
    state.step += 1


def update_average(average: Trained, params: Trained, decay: float) -> None:
    """Average the weights, in place: average ← decay · average + (1 - decay) · params."""
    for _, (mean, p) in chunks(average, params):
        mean += (1 - decay) * (p - mean)  # ema
