"""Optimizers, and the running average of the parameters: both change arrays in place."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from stbp_edu import checks
from stbp_edu.arrays import CHUNK, WHOLE, Section, chunks, zeros_like
from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams
from stbp_edu.network import Gradients


@dataclass
class OptimizerState:
    """What an optimizer remembers, and changes in place at each step.

    Attributes:
        step: steps taken.
        slots: its averages, each in the shape of the parameters.
    """

    step: int
    slots: tuple[Gradients, ...]


@dataclass(frozen=True)
class Optimizer(ABC):
    """What the optimizers have in common: an optimizer holds constants, and no state.

    Args:
        weight_decay: share of each weight, times η, that is taken off at each step; biases are
            left alone.
    """

    SLOTS: ClassVar[int]  # averages that it keeps of each array
    RATES: ClassVar[tuple[str, ...]]  # its constants that lie in [0, 1)
    weight_decay: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check the constants."""
        for name in self.RATES:
            if not 0 <= checks.number(name, value := getattr(self, name)) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {value!r}; 0.9 is usual")
        if checks.number("weight_decay", self.weight_decay) < 0:
            raise ValueError(
                f"weight_decay must be >= 0, got {self.weight_decay!r}; 0 turns it off"
            )

    def start(self, params: AnyParams) -> OptimizerState:
        """Return the state before the first step."""
        return OptimizerState(0, tuple(zeros_like(params) for _ in range(self.SLOTS)))

    def update(
        self,
        params: AnyParams,
        grads: Gradients,
        state: OptimizerState,
        lr: float,
        section: Section = WHOLE,
    ) -> None:
        """Take one step of size η = ``lr``: change the parameters and the state in place."""
        scratch = np.empty((2, CHUNK), params.dtype)
        for is_weight, (p, *others) in chunks(section, params, grads, *state.slots):
            if is_weight and self.weight_decay:
                p *= 1 - lr * self.weight_decay
            self._step(state.step + 1, lr, scratch[:, : len(p)], p, *others)
        state.step += 1

    @abstractmethod
    def _step(self, k: int, lr: float, scratch: Array, *arrays: Array) -> None:
        """Take step k, from 1, of a chunk: parameters, gradients, and the averages of each."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with momentum: m ← μ m + g, then p ← p - η m.

    Args:
        momentum: μ, in [0, 1); 0 is plain gradient descent.

    >>> from stbp_edu import Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> sgd = SGD(momentum=0.0)
    >>> sgd.update(p, g, sgd.start(p), lr=0.1)
    >>> p.W[1]
    array([[0.8]])
    """

    SLOTS, RATES = 1, ("momentum",)
    momentum: float = 0.9

    def _step(self, _: int, lr: float, __: Array, *arrays: Array) -> None:
        p, g, m = arrays
        m *= self.momentum
        m += g
        p -= lr * m  # sgd


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam with bias correction.

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both zero at first. After k steps the
    corrected means are m̂ = m / (1 - β₁ᵏ) and v̂ = v / (1 - β₂ᵏ), and p ← p - η m̂ / (√v̂ + ε).

    Args:
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        eps: ε > 0.

    >>> from stbp_edu import Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> adam = Adam()
    >>> adam.update(p, g, adam.start(p), lr=0.1)
    >>> p.W[1]
    array([[0.9]])
    """

    SLOTS, RATES = 2, ("beta1", "beta2")
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        """Check the constants."""
        super().__post_init__()
        checks.number("eps", self.eps, positive=True)

    def _step(self, k: int, lr: float, scratch: Array, *arrays: Array) -> None:
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


def update_average(
    average: AnyParams, params: AnyParams, decay: float, section: Section = WHOLE
) -> None:
    """Average the weights, in place: average ← decay · average + (1 - decay) · params."""
    for _, (mean, p) in chunks(section, average, params):
        mean += (1 - decay) * (p - mean)  # ema
