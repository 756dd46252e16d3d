"""Losses: which state of the last layer they read, at which steps, and the direct term ∂L/∂state.

Only the direct term changes with the loss: case 1, and the first term of case 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array

Fit = tuple[Callable[[Array, Array], float], Callable[[Array, Array], Array]]
"""How well z fits y, both (S, n[N]): the value, and its derivative by z."""


def _log_softmax(z: Array) -> Array:
    """Return log softmax(z) by rows."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def _squared(z: Array, y: Array) -> float:
    """Return 1/(2S) Σ ‖y - z‖²."""
    return float(((y - z) ** 2).sum()) / (2 * len(z))


def _cross(z: Array, y: Array) -> float:
    """Return -1/S Σ y · log softmax(z)."""
    return -float((y * _log_softmax(z)).sum()) / len(z)


def _cross_slope(z: Array, y: Array) -> Array:
    """Return (softmax(z) Σ_i y_i - y) / S."""
    return (np.exp(_log_softmax(z)) * y.sum(axis=1, keepdims=True) - y) / len(z)


SQUARED: Fit = (_squared, lambda z, y: -(y - z) / len(z))
CROSS_ENTROPY: Fit = (_cross, _cross_slope)


@dataclass(frozen=True)
class Loss:
    """L = fit(mean over the steps read), or the mean over the steps read of fit.

    Args:
        name: what to call it.
        state: the state of layer N that it reads.
        fit: :data:`SQUARED`, :data:`CROSS_ENTROPY`, or a pair of your own.
        last: how many steps it reads, counted from the end; None for all.
        per_step: whether it fits every step by itself and not their mean.
    """

    name: str
    state: str = "o"
    fit: Fit = SQUARED
    last: int | None = None
    per_step: bool = False

    def __post_init__(self) -> None:
        """Check the number of steps."""
        if self.last is not None:
            checks.count("last", self.last)

    def steps(self, T: int) -> range:
        """Return the steps that it reads.

        Raises:
            ValueError: if it reads more steps than there are.
        """
        if (self.last or T) > T:
            raise ValueError(
                f"loss {self.name!r} reads the last {self.last} steps, but there are T = {T}; "
                "run longer, or read fewer"
            )
        return range(T - (self.last or T), T)

    def value(self, series: Array, y: Array) -> float:
        """Return L of the states read, shape (T, S, n[N]), and the targets (S, n[N])."""
        read = series[self.steps(len(series)).start :]
        if self.per_step:
            return sum(self.fit[0](z, y) for z in read) / len(read)
        return self.fit[0](read.mean(axis=0), y)

    def direct(self, series: Array, y: Array) -> Array:
        """Return ∂L/∂state, shape (T, S, n[N]): 0 at steps that are not read."""
        T, result = len(series), np.zeros_like(series)
        mean = series[self.steps(T).start :].mean(axis=0)
        for t in self.steps(T):
            result[t] = self.direct_at(T, series[t], mean, y)
        return result

    def direct_at(self, T: int, z: Array, mean: Array, y: Array) -> Array:
        """Return ∂L/∂state at one step read, from the state there or the mean of those read."""
        return self.fit[1](z if self.per_step else mean, y) / len(self.steps(T))


def rate() -> Loss:
    """Return Part I's loss: 1/(2S) Σ_s ‖y_s - 1/T Σ_t o_s^{t,N}‖².

    >>> rate().direct(np.array([[[1.0]], [[0.0]]]), np.array([[1.0]])).ravel()
    array([-0.25, -0.25])
    """
    return Loss("rate")


def last_steps(k: int) -> Loss:
    """Return the rate loss on the last k steps alone.

    >>> last_steps(1).direct(np.array([[[1.0]], [[0.0]]]), np.array([[1.0]])).ravel()
    array([ 0., -1.])
    """
    return Loss("last steps", last=k)


def cross_entropy_on_rates() -> Loss:
    """Return -1/S Σ_s y_s · log softmax(1/T Σ_t o_s^{t,N})."""
    return Loss("cross-entropy on rates", fit=CROSS_ENTROPY)


def cross_entropy_per_step(state: str = "o") -> Loss:
    """Return -1/(TS) Σ_t Σ_s y_s · log softmax(o_s^{t,N}), each step fitted by itself as in TET.

    ``state`` "u" reads potentials in place of spikes.
    """
    return Loss("cross-entropy per step", state, CROSS_ENTROPY, per_step=True)


def membrane(last: int | None = 1) -> Loss:
    """Return 1/(2S) Σ_s ‖y_s - u_s^{T,N}‖²; with ``last`` None, of the mean of u over all steps."""
    return Loss("membrane", "u", last=last)
