"""A loss that reads one state of the last layer: its last steps together, or each by itself.

Of the loss, only the direct term is seen, ∂L/∂state: case 1, and the first term of case 3. How well
it fits is said in :mod:`stbp_edu.losses`; here any state may be read, at any last steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Neuron
from stbp_edu.forward_pass import Trace
from stbp_edu.losses import (
    RATE,
    CrossEntropy,
    LastSteps,
    LossFunction,
    Membrane,
    StepCrossEntropy,
    read_loss,
)
from stbp_edu.losses.of_states import Built


@dataclass(frozen=True)
class Loss:
    """A loss of one state of the last layer: of its last steps together, or of each by itself.

    Args:
        state: the state of layer N that it reads.
        fit: a loss of :mod:`stbp_edu.losses` or your own, as if what is read were the output.
        last: how many steps it reads, counted from the end; None for all.
        per_step: whether it fits every step by itself, and takes the mean.

    Raises:
        TypeError, ValueError: if ``fit`` is not a loss, or ``last`` no number of steps.
    """

    state: str = "o"
    fit: LossFunction = RATE
    last: int | None = None
    per_step: bool = False

    def __post_init__(self) -> None:
        """Check the fit and the number of steps."""
        checks.fields("a loss", self, state=str, per_step=bool)
        read_loss(self.fit)
        if self.last is not None:
            checks.count("last", self.last)

    def steps(self, T: int) -> range:
        """Return the steps that it reads, of T; a loss that reads more is refused."""
        if self.last is None:
            return range(T)
        if self.last > T:
            raise ValueError(
                f"the loss reads the last {self.last} steps, but there are T = {T}; "
                "run longer, or read fewer"
            )
        return range(T - self.last, T)

    def runs(self, series: Array) -> list[Trace]:
        """Return the runs that it fits: one of all steps that it reads, or one of each step."""
        read = series[self.steps(len(series)).start :]
        parts = [read]
        if self.per_step:
            parts = [z[None] for z in read]
        return [Trace(U=[None, z], O=[z, z]) for z in parts]

    def value(self, series: Array, y: Array) -> float:
        """Return L of the states read, shape (T, S, n[N]), and the targets (S, n[N])."""
        # a loss of the package unchecked: outputs and targets of any size fit it
        value = self.fit.formula if isinstance(self.fit, Built) else self.fit.value
        total = 0.0
        runs = self.runs(series)
        for run in runs:
            total += float(value(run, y))
        return total / len(runs)

    def direct(self, series: Array, y: Array) -> Array:
        """Return ∂L/∂state, shape (T, S, n[N]): 0 at steps that are not read."""
        runs = self.runs(series)
        direct = self.fit.terms if isinstance(self.fit, Built) else self.fit.direct
        slopes = np.zeros_like(series)
        read = slopes[self.steps(len(series)).start :]
        for k, run in enumerate(runs):
            here = read[k : k + 1] if self.per_step else read
            for term in direct(run, y):
                if term is not None:
                    here += term / len(runs)
        return slopes


def loss_of(loss: LossFunction, neuron: Neuron) -> Loss:
    """Return a loss of :mod:`stbp_edu.losses`, or your own, as one that reads a neuron's state.

    >>> from stbp_edu.arrows import hard_reset
    >>> from stbp_edu import LIF
    >>> loss_of(Membrane(k=2), hard_reset(LIF())).state
    'u'
    """
    reads = getattr(loss, "reads", "O")
    state = neuron.lines.potential if reads == "U" else neuron.output
    if isinstance(loss, LastSteps | Membrane):
        return Loss(state, RATE, loss.k)
    if isinstance(loss, StepCrossEntropy):
        return Loss(state, CrossEntropy(), per_step=True)
    return Loss(state, loss)
