"""Losses: which state of the last layer they read, at which steps, and the direct term ∂L/∂state.

How well it fits is said in :mod:`stbp_edu.losses`; here any state may be read, at any last steps.
Only the direct term changes with the loss: case 1, and the first term of case 3.
"""

from dataclasses import dataclass

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.losses import RATE, CrossEntropy, Rate
from stbp_edu.network import Trace


@dataclass(frozen=True)
class Loss:
    """L = fit(mean over the steps read), or the mean over the steps read of fit.

    Args:
        name: what to call it.
        state: the state of layer N that it reads.
        fit: ``Rate()`` or ``CrossEntropy()`` of :mod:`stbp_edu.losses`, as if what is read were the
            spikes of a run of one step; or a class of your own that inherits from one of them.
        last: how many steps it reads, counted from the end; None for all.
        per_step: whether it fits every step by itself and not their mean.

    Raises:
        TypeError, ValueError: if ``fit`` is another loss, or ``last`` no number of steps.
    """

    name: str
    state: str = "o"
    fit: Rate | CrossEntropy = RATE
    last: int | None = None
    per_step: bool = False

    def __post_init__(self) -> None:
        """Check the fit and the number of steps."""
        checks.fields("a loss", self, name=str, state=str, per_step=bool)
        if not isinstance(self.fit, Rate | CrossEntropy):
            raise TypeError(
                f"fit must be Rate() or CrossEntropy(), got {self.fit!r}; say with state=, last= "
                "and per_step= what it reads"
            )
        if self.last is not None:
            checks.count("last", self.last)

    def steps(self, T: int) -> range:
        """Return the steps that it reads, of T; a loss that reads more is refused."""
        if (self.last or T) > T:
            raise ValueError(
                f"loss {self.name!r} reads the last {self.last} steps, but there are T = {T}; "
                "run longer, or read fewer"
            )
        return range(T - (self.last or T), T)

    def value(self, series: Array, y: Array) -> float:
        """Return L of the states read, shape (T, S, n[N]), and the targets (S, n[N])."""
        read = series[self.steps(len(series)).start :]
        points = read if self.per_step else [read.mean(axis=0)]
        return sum(float(self.fit.formula(_one_step(z), y)) for z in points) / len(points)

    def direct(self, series: Array, y: Array) -> Array:
        """Return ∂L/∂state, shape (T, S, n[N]): 0 at steps that are not read."""
        T, first = len(series), self.steps(len(series)).start
        mean = series[first:].mean(axis=0)
        if self.per_step:
            return np.stack([self.direct_at(t, T, z, mean, y) for t, z in enumerate(series)])
        slope = self.direct_at(T - 1, T, mean, mean, y)  # the same at every step that is read
        slopes = np.zeros(series.shape, np.result_type(series, slope))
        slopes[first:] = slope
        return slopes

    def direct_at(self, t: int, T: int, z: Array, mean: Array, y: Array) -> Array:
        """Return ∂L/∂state at step t of T, from the state there or the mean of those read."""
        if t not in self.steps(T):
            return np.zeros_like(z)
        term = self.fit.terms(_one_step(z if self.per_step else mean), y, len(y)).o
        return np.asarray(term)[0] / len(self.steps(T))


def _one_step(z: Array) -> Trace:
    """Return a run of one step whose output spikes are z."""
    return Trace(U=[None, z[None]], O=[z[None], z[None]])


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


def membrane(last: int | None = 1) -> Loss:
    """Return 1/(2S) Σ_s ‖y_s - u_s^{T,N}‖²; with ``last`` None, of the mean of u over all steps."""
    return Loss("membrane", "u", last=last)
