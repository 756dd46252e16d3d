"""What answers are compared with, where it takes more than an expression.

The table of an exercise writes its reference as an expression in the arguments, in the names below
and in those of :mod:`stbp_edu`.
"""

from collections.abc import Callable

import numpy as np

import stbp_edu.ode
from stbp_edu.checks import Array

TOLERANCE = 0.05  # six standard errors of a rate at the T that the exercise draws


def lif_run(x: Array, tau: float, v_th: float) -> tuple[Array, Array]:
    """Return potentials and spikes of one neuron without a bias."""
    params = stbp_edu.Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    neuron = stbp_edu.LIF(tau=tau, v_th=v_th)
    trace = stbp_edu.forward(x.reshape(-1, 1, 1), params, neuron)
    return trace.U[1].ravel(), trace.O[1].ravel()


def properties_that_hold(
    spikes: Array, encode: Callable[..., Array], pixels: Array, T: int, rng: np.random.Generator
) -> tuple[bool, ...]:
    """Return which properties of a right encoder's random spikes these have."""
    spikes = np.asarray(spikes, dtype=float)
    if spikes.shape != (T, *pixels.shape):
        return (False,) * 6
    rates = spikes.mean(axis=0)
    again = np.asarray(encode(pixels.copy(), T, np.random.default_rng(77)), dtype=float)
    return (
        True,
        bool(np.isin(spikes, (0, 1)).all()),
        bool(np.polyfit(pixels.ravel(), rates.ravel(), 1)[0] > -0.5),
        bool((np.abs(rates - pixels) < TOLERANCE).all()),
        bool((spikes != spikes[0]).any()),
        bool((spikes != again).any()),
    )


def adam(
    p: Array, m: Array, v: Array, g: Array, k: int, lr: float, *constants: float
) -> tuple[Array, Array, Array]:
    """Return the parameter and both averages after step k; constants: β1, β2 and ε."""
    beta1, beta2, eps = constants
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (g * g - v)
    size = lr / (1 - beta1**k)
    root = np.sqrt(v / (1 - beta2**k))
    return p - size * m / (root + eps), m, v
