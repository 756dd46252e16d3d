"""At which width of the surrogate a rule breaks: the limits, one growth, and what was measured.

In a silent neuron held at the threshold V_th = 1, under the linear gate and a Gaussian of height h
there, one step back multiplies an error by -τ h (classic) or τ (1 - h) (exact), as the notebook
``where_time_decides`` derives. The longest chain of a run of T steps has T - 1 such gains.
"""

import math
from collections.abc import Sequence

HALF_WAY = 0.75  # between a guess of two classes and the truth
LIMITS = ("exact", "classic")
"""The rules whose words hold chains of resets, and so have a limit."""


def variance(h: float) -> float:
    """Return the variance of the Gaussian of height h."""
    return 1 / (2 * math.pi * h**2)


def predicted(rule: str, T: int, tau: float, F: float) -> float:
    """Return the variance at which the longest chain of a run of T steps grows by F.

    >>> round(predicted("classic", 29, 0.95, 1.0), 4)
    0.1436
    """
    gain = F ** (1 / (T - 1))
    return variance(gain / tau if rule == "classic" else 1 + gain / tau)


def limit(rule: str, tau: float) -> float:
    """Return the variance above which no chain grows, however long it is.

    >>> round(limit("exact", 0.95), 4)
    0.0378
    """
    return predicted(rule, 2, tau, 1.0)


def growth(a: float, T: int, tau: float) -> float:
    """Return the F at which the classic rule is predicted to break at the variance a.

    >>> round(predicted("classic", 29, 0.95, growth(0.06, 29, 0.95)), 4)
    0.06
    """
    return float((tau / math.sqrt(2 * math.pi * a)) ** (T - 1))


def breaks_at(widths: Sequence[float], accuracies: Sequence[float]) -> float | None:
    """Return the variance, interpolated on a logarithmic axis, at which accuracy crosses 3/4.

    The widths run from wide to narrow; None if the accuracy does not cross.

    >>> round(breaks_at([0.4, 0.1], [1.0, 0.5]), 3)
    0.2
    """
    for k in range(1, len(widths)):
        above, below = accuracies[k - 1 : k + 1]
        if above >= HALF_WAY > below:
            share = (above - HALF_WAY) / (above - below)
            return float(widths[k - 1] * (widths[k] / widths[k - 1]) ** share)
    return None
