"""Optimizers: they change the parameters in place, and keep their state outside of themselves."""

import math
from dataclasses import dataclass

import numpy as np

from stbp_edu import checks
from stbp_edu.arrays import CHUNK, WHOLE, Section, chunks, zeros_like
from stbp_edu.network import Gradients, Params


@dataclass(frozen=True)
class OptimizerState:
    """What an optimizer remembers: steps taken, and its averages, shaped as the parameters."""

    step: int
    slots: tuple[Gradients, ...]


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: m ← μ m + g, then p ← p - η m.

    Args:
        momentum: μ, in [0, 1); 0 is plain gradient descent.
        weight_decay: share of each weight, times η, that is taken off at each step; biases are
            left alone.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> sgd = SGD(momentum=0.0)
    >>> state = sgd.update(p, g, sgd.start(p), lr=0.1)
    >>> p.W[1]
    array([[0.8]])
    """

    momentum: float = 0.9
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Check the constants."""
        _check_rate("momentum", self.momentum)
        _check_decay(self.weight_decay)

    def start(self, params: Params) -> OptimizerState:
        """Return the state before the first step."""
        return OptimizerState(0, (zeros_like(params),))

    def update(
        self,
        params: Params,
        grads: Gradients,
        state: OptimizerState,
        lr: float,
        section: Section = WHOLE,
    ) -> OptimizerState:
        """Take one step of size η = ``lr`` in place; return the state after it."""
        decay = 1 - lr * self.weight_decay
        for is_weight, (p, g, m) in chunks(section, params, grads, *state.slots):
            m *= self.momentum
            m += g
            if is_weight and decay != 1:
                p *= decay
            p -= lr * m  # sgd
        return OptimizerState(state.step + 1, state.slots)


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction.

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both zero at first. After k steps the
    corrected means are m̂ = m / (1 - β₁ᵏ) and v̂ = v / (1 - β₂ᵏ), and p ← p - η m̂ / (√v̂ + ε).

    Args:
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        eps: ε > 0.
        weight_decay: as for :class:`SGD`.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> adam = Adam()
    >>> state = adam.update(p, g, adam.start(p), lr=0.1)
    >>> p.W[1]
    array([[0.9]])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Check the constants."""
        _check_rate("beta1", self.beta1)
        _check_rate("beta2", self.beta2)
        checks.number("eps", self.eps, positive=True)
        _check_decay(self.weight_decay)

    def start(self, params: Params) -> OptimizerState:
        """Return the state before the first step."""
        return OptimizerState(0, (zeros_like(params), zeros_like(params)))

    def update(
        self,
        params: Params,
        grads: Gradients,
        state: OptimizerState,
        lr: float,
        section: Section = WHOLE,
    ) -> OptimizerState:
        """Take one step of size η = ``lr`` in place; return the state after it."""
        k = state.step + 1
        root = math.sqrt(1 - self.beta2**k)  # √v̂ + ε = (√v + root · ε) / root
        size = lr * root / (1 - self.beta1**k)
        decay = 1 - lr * self.weight_decay
        scratch = np.empty((2, CHUNK), params.dtype)
        for is_weight, (p, g, m, v) in chunks(section, params, grads, *state.slots):
            a, b = scratch[:, : len(p)]
            m *= self.beta1
            m += np.multiply(g, 1 - self.beta1, out=a)
            v *= self.beta2
            v += np.multiply(np.multiply(g, g, out=a), 1 - self.beta2, out=a)
            np.sqrt(v, out=b)
            b += self.eps * root
            if is_weight and decay != 1:
                p *= decay
            p -= np.divide(np.multiply(m, size, out=a), b, out=a)  # adam
        return OptimizerState(k, state.slots)


Optimizer = SGD | Adam
"""Any of the optimizers."""

OPTIMIZERS = ("adam", "sgd")
"""Their names."""


def _check_rate(name: str, value: object) -> None:
    """Check that a rate of forgetting is in [0, 1)."""
    if not 0 <= checks.number(name, value) < 1:
        raise ValueError(f"{name} must be in [0, 1), got {value!r}; 0.9 is usual")


def _check_decay(value: object) -> None:
    """Check that the weight decay is >= 0."""
    if checks.number("weight_decay", value) < 0:
        raise ValueError(f"weight_decay must be >= 0, got {value!r}; 0 turns it off")
