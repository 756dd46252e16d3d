"""Adam, and the running average of the parameters: both change arrays in place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stbp_edu.arrays import CHUNK, Tensors, Trained, check_params, chunks, zeros_like
from stbp_edu.checks import Array

BETA_1, BETA_2, EPS = 0.9, 0.999, 1e-8
SLOTS = 2
"""Averages that Adam keeps of each array: m and v."""


@dataclass
class OptimizerState:
    """What Adam remembers, and changes in place at each step.

    Attributes:
        step: steps taken.
        slots: m and v, each in the shape of the parameters.
    """

    step: int
    slots: tuple[Tensors, ...]


def start(params: Trained) -> OptimizerState:
    """Return the state before the first step."""
    check_params(params)
    return OptimizerState(0, tuple(zeros_like(params) for _ in range(SLOTS)))


def update(
    params: Trained, grads: Tensors, state: OptimizerState, lr: float, *, decay: float = 0.0
) -> None:
    """Take one step of Adam, of size η = ``lr``: change the parameters and the state in place.

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both zero at first. After k steps the
    corrected means are m̂ = m / (1 - β₁ᵏ) and v̂ = v / (1 - β₂ᵏ), and p ← p - η m̂ / (√v̂ + ε).
    Before that, each weight loses ``decay`` · η of itself; biases are left alone.

    >>> from stbp_edu import Gradients, Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> update(p, g, start(p), lr=0.1)
    >>> p.W[1]
    array([[0.9]])
    """
    scratch = np.empty((2, CHUNK), params.dtype)
    state.step += 1
    for is_weight, (p, *others) in chunks(params, grads, *state.slots):
        if is_weight and decay:
            p *= 1 - lr * decay
        _step(state.step, lr, scratch[:, : len(p)], [p, *others])


def _step(k: int, lr: float, scratch: Array, arrays: Sequence[Array]) -> None:
    """Take step k, from 1, of a chunk: parameters, gradients, m and v."""
    (p, g, m, v), (a, b) = arrays, scratch
    root = math.sqrt(1 - BETA_2**k)  # √v̂ + ε = (√v + root · ε) / root
    m *= BETA_1
    m += np.multiply(g, 1 - BETA_1, out=a)
    v *= BETA_2
    v += np.multiply(np.multiply(g, g, out=a), 1 - BETA_2, out=a)
    np.sqrt(v, out=b)
    b += EPS * root
    size = lr * root / (1 - BETA_1**k)
    p -= np.divide(np.multiply(m, size, out=a), b, out=a)  # adam


def update_average(average: Trained, params: Trained, decay: float) -> None:
    """Average the weights, in place: average ← decay · average + (1 - decay) · params."""
    for _, (mean, p) in chunks(average, params):
        mean += (1 - decay) * (p - mean)  # ema
