"""A loss that reads one state of the last layer: its steps together, or each by itself.

Of the loss, only the direct term is seen, ∂L/∂state: case 1, and the first term of case 3. How well
it fits is said in :mod:`stbp_edu.losses`; here any state may be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Neuron
from stbp_edu.forward_pass import Trace
from stbp_edu.losses import RATE, LossFunction, read_loss
from stbp_edu.losses.of_states import Built


@dataclass(frozen=True)
class Loss:
    """A loss of one state of the last layer.

    Args:
        state: the state of layer N that it reads.
        fit: a loss of :mod:`stbp_edu.losses` or your own, as if what is read were the output.
        per_step: whether it fits every step by itself, and takes the mean.

    Raises:
        TypeError, ValueError: if ``fit`` is not a loss.
    """

    state: str = "o"
    fit: LossFunction = RATE
    per_step: bool = False

    def __post_init__(self) -> None:
        """Check the fit."""
        checks.fields("a loss", self, state=str, per_step=bool)
        read_loss(self.fit)

    def steps(self, T: int) -> range:
        """Return the steps that it reads, of T; a loss that reads more is refused."""
        last = getattr(self.fit, "k", None) or T
        if last > T:
            raise ValueError(
                f"the loss reads the last {last} steps, but there are T = {T}; "
                "run longer, or read fewer"
            )
        return range(T - last, T)

    def value(self, series: Array, y: Array) -> float:
        """Return L of the states read, shape (T, S, n[N]), and the targets (S, n[N])."""
        # a loss of the package unchecked: outputs and targets of any size fit it
        value = self.fit.formula if isinstance(self.fit, Built) else self.fit.value
        values = [float(value(run, y)) for run in self._runs(series)]
        return sum(values) / len(values)

    def direct(self, series: Array, y: Array) -> Array:
        """Return ∂L/∂state, shape (T, S, n[N]): 0 at steps that are not read."""
        self.steps(len(series))
        direct = self.fit.terms if isinstance(self.fit, Built) else self.fit.direct
        slopes = []
        for run in self._runs(series):
            terms = [term for term in direct(run, y) if term is not None]
            slopes.append(sum(terms, np.zeros_like(run.O[-1])))
        return np.concatenate(slopes) / len(slopes)

    def _runs(self, series: Array) -> list[Trace]:
        """Return the runs that it fits: one of all steps, or one of each step."""
        parts = [z[None] for z in series] if self.per_step else [series]
        return [Trace(U=[None, z], O=[z, z]) for z in parts]


def loss_of(loss: LossFunction, neuron: Neuron) -> Loss:
    """Return a loss of :mod:`stbp_edu.losses`, or your own, as one that reads a neuron's state.

    >>> from stbp_edu.arrows import hard_reset
    >>> from stbp_edu import LIF
    >>> from stbp_edu.losses import Membrane
    >>> loss_of(Membrane(k=2), hard_reset(LIF())).state
    'u'
    """
    reads: Any = getattr(loss, "reads", "O")
    return Loss(neuron.lines.potential if reads == "U" else neuron.output, loss)
