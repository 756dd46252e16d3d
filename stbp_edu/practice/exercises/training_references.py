"""What answers are compared with in the notebooks about training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from stbp_edu.checks import Array

STEPS_APART = 0.05  # six standard errors of a rate at the T that the exercise draws


def bernoulli(pixels: Array, T: int, rng: np.random.Generator) -> Array:
    """Return spikes, each with probability = grey level."""
    return rng.binomial(1, pixels, (T, *pixels.shape)).astype(float)


def spike_train(
    spikes: Array,
    encode: Callable[[Array, int, np.random.Generator], Array],
    pixels: Array,
    T: int,
    rng: np.random.Generator,
) -> tuple[bool, ...]:
    """Say what holds of random spikes: the statistics that any right encoder shares."""
    spikes = np.asarray(spikes, dtype=float)
    if spikes.shape != (T, *pixels.shape):
        return (False,) * 6
    rates = spikes.mean(axis=0)
    again = np.asarray(encode(pixels.copy(), T, np.random.default_rng(77)), dtype=float)
    return (
        True,
        bool(np.isin(spikes, (0, 1)).all()),
        bool(np.polyfit(pixels.ravel(), rates.ravel(), 1)[0] > -0.5),
        bool((np.abs(rates - pixels) < STEPS_APART).all()),
        bool((spikes != spikes[0]).any()),
        bool((spikes != again).any()),
    )


def unit_rows(R: Array) -> Array:
    """Return R with rows of length one."""
    return np.stack([row / np.sqrt(row @ row) for row in R])


def read_out(O: Array) -> Array:
    """Return the class with the most spikes for each sample."""
    winners: Array = O.sum(axis=0).argmax(axis=-1)
    return winners


def confusion(labels: Array, answers: Array, classes: int) -> Array:
    """Return the counts of (true class, answer)."""
    # intp, since bincount takes no 64-bit integers where Python runs in a browser (32 bits).
    pairs = (labels * classes + answers).astype(np.intp)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(float)


def momentum(p: Array, m: Array, g: Array, lr: float, mu: float) -> tuple[Array, Array]:
    """Return the parameter and the momentum after a step."""
    fresh = g + mu * m
    return p - lr * fresh, fresh


def adam(
    p: Array,
    m: Array,
    v: Array,
    g: Array,
    k: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> tuple[Array, Array, Array]:
    """Return the parameter and both averages after step k."""
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (g * g - v)
    size = lr / (1 - beta1**k)
    root = np.sqrt(v / (1 - beta2**k))
    return p - size * m / (root + eps), m, v


def mean_spread(values: Array) -> tuple[float, float]:
    """Return the mean and the standard deviation of a sample."""
    mean = values.sum() / len(values)
    return float(mean), float(np.sqrt(((values - mean) ** 2).sum() / (len(values) - 1)))


def operations(T: int, S: int, sizes: Sequence[int]) -> int:
    """Return the multiplications and additions of a forward pass's matrix products."""
    return sum(2 * T * S * below * above for below, above in pairwise(sizes))
