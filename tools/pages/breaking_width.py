"""At which width of the surrogate a rule breaks: what one growth predicts, and what was measured.

In a silent neuron held at the threshold V_th = 1, under the linear gate and a Gaussian of height h
there, one step back multiplies an error by -τ h (classic) or τ (1 - h) (exact), as the notebook
``where_time_decides`` derives. The longest chain of a run of T steps has T - 1 such gains.
"""

import math
from collections.abc import Sequence

HALF_WAY = 0.75  # between a guess of two classes and the truth
LIMITS = ("exact", "classic")
"""The rules whose words hold chains of resets, and so have a limit."""


def predicted(rule: str, T: int, tau: float, F: float = 1.0) -> float:
    """Return the variance at which the longest chain of a run of T steps grows by F.

    With F = 1 it is the limit: above it no chain grows, however long it is.

    >>> round(predicted("classic", 29, 0.95), 4), round(predicted("exact", 29, 0.95), 4)
    (0.1436, 0.0378)
    """
    gain = F ** (1 / (T - 1))
    h = gain / tau if rule == "classic" else 1 + gain / tau
    return 1 / (2 * math.pi * h**2)


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
