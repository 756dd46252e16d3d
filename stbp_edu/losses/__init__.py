"""Losses: each has a value, and a direct term, its derivative by the output's own states.

:class:`Rate` is the loss of the course. Others are squared distances to a mean over the last steps,
:class:`LastSteps` and :class:`Membrane`, and cross-entropies: :class:`CrossEntropy`, of rates or
counts, and :class:`StepCrossEntropy`. What a loss is, so you can write your own, is in
``of_states``, with :class:`Direct`.

Of the five cases only the direct term knows the loss: case 1, and the first term of case 3.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace
from stbp_edu.losses.of_states import (
    Built,
    Direct,
    LossFunction,
    check_targets,
    read_loss,
)

LossLike: TypeAlias = LossFunction | Direct | Array
"""What the backward passes take: a loss, or its direct term."""
AnyLoss: TypeAlias = LossFunction | str
"""A loss, or its name in :data:`LOSSES`."""

__all__ = [
    "LOSSES",
    "RATE",
    "AnyLoss",
    "CrossEntropy",
    "Direct",
    "LastSteps",
    "LossFunction",
    "LossLike",
    "Membrane",
    "Rate",
    "StepCrossEntropy",
    "as_loss",
    "check_targets",
    "loss",
    "loss_named",
    "read_loss",
]

TOLERANCE = 1e-5
"""How far the sum of probabilities may be from 1: what float32 may make of them."""


@dataclass(frozen=True)
class _SquaredMean(Built):
    """L = 1/(2S) Σ_s || y_s - mean_s ||², of a mean of the output over all steps, or the last k."""

    def scores(self, trace: Trace) -> Array:
        """Return the mean over the steps that are read, (S, n[N])."""
        states = getattr(trace, self.reads)[-1]
        return np.asarray(states[-self._steps(states) :].mean(axis=0))

    def check(self, trace: Trace, targets: Array) -> Array:
        """Return the targets; raise if the states, the targets and k do not fit together."""
        targets = super().check(trace, targets)
        k, T = self._steps(trace.O[-1]), len(trace.O[-1])
        if k > T:
            raise ValueError(
                f"{type(self).__name__} k must be <= T = {T}, got {k}; read fewer steps, or run "
                "the network for more"
            )
        return targets

    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L."""
        return ((targets - self.scores(trace)) ** 2).sum() / (2 * len(targets))  # loss

    def terms(self, trace: Trace, targets: Array) -> Direct:
        """Return the slope, the same at every step that is read, and 0 before."""
        states = getattr(trace, self.reads)[-1]
        k = self._steps(states)
        slope = (self.scores(trace) - targets) / (k * len(targets))  # c1-delta
        slopes = np.broadcast_to(slope, states.shape)
        if k < len(states):
            slopes = np.zeros_like(states)
            slopes[-k:] = slope  # p2-loss-last, p2-loss-membrane
        return Direct(slopes) if self.reads == "O" else Direct(None, slopes)

    def _steps(self, states: Array) -> int:
        """Return how many steps are read."""
        return getattr(self, "k", None) or len(states)


@dataclass(frozen=True)
class Rate(_SquaredMean):
    """The rate loss: the firing rate of each output neuron should match its target.

    L = 1/(2S) Σ_s || y_s - (1/T) Σ_t o_s^{t,N} ||² (id ``loss``), and
    ∂L/∂o^{t,N} = -1/(TS) (y - (1/T) Σ_k o^{k,N}) at every t: the δ of case 1.

    >>> out = np.array([[[1.0]], [[0.0]]])
    >>> Rate().direct(Trace(U=[None, out], O=[out, out]), np.array([[1.0]])).o.ravel()
    array([-0.25, -0.25])
    """


RATE = Rate()
"""The rate loss, which is meant where no loss is named."""


@dataclass(frozen=True)
class _LastMean(_SquaredMean):
    """The squared distance to a mean over the last k steps; over all where k is None."""

    k: int | None = 1

    def __post_init__(self) -> None:
        """Check k."""
        if self.k is not None:
            object.__setattr__(
                self, "k", checks.count(f"{type(self).__name__} k", self.k)
            )


@dataclass(frozen=True)
class LastSteps(_LastMean):
    """The rate loss of only the last k steps; with k = 1, of the last spike.

    L = 1/(2S) Σ_s || y_s - (1/k) Σ_{t>T-k} o_s^{t,N} ||², and
    ∂L/∂o^{t,N} = -1/(kS) (y - (1/k) Σ_{r>T-k} o^{r,N}) where t > T - k, and 0 before.

    Args:
        k: how many steps the loss reads, counted from the last; None for all.

    Raises:
        TypeError, ValueError: if ``k`` is not an integer >= 1; or above T, where a pass is read.

    >>> out = np.array([[[1.0]], [[0.0]]])
    >>> LastSteps().direct(Trace(U=[None, out], O=[out, out]), np.array([[1.0]])).o.ravel()
    array([ 0., -1.])
    """


@dataclass(frozen=True)
class Membrane(_LastMean):
    """The last potential of each output neuron should match its target; spikes are not read.

    L = 1/(2S) Σ_s || y_s - (1/k) Σ_{t>T-k} u_s^{t,N} ||². So ∂L/∂o^{t,N} = 0, and an arrow leads
    from each u^{t,N} with t > T - k to L: ∂L/∂u^{t,N} = -1/(kS) (y - (1/k) Σ_{r>T-k} u^{r,N}),
    which ε gains at the output.

    Args:
        k: how many steps the loss reads, counted from the last; None for all.

    >>> u = np.array([[[0.25]], [[0.5]]])
    >>> Membrane().direct(Trace(U=[None, u], O=[u, u]), np.array([[1.0]])).u.ravel()
    array([ 0. , -0.5])
    """

    reads: ClassVar[str] = "U"


@dataclass(frozen=True)
class _Probabilities(Built):
    """A loss whose targets are probabilities, such as one-hot rows."""

    def check(self, trace: Trace, targets: Array) -> Array:
        """Return the targets; raise if a row is no distribution, or there is nothing to choose."""
        targets = super().check(trace, targets)
        if targets.shape[1] == 1:
            raise ValueError(
                f"targets must have n[N] >= 2 columns for {type(self).__name__}, got 1: the "
                "softmax of one output neuron is 1 and has no slope; add a neuron for each class"
            )
        sums = targets.sum(axis=1)
        bad = np.flatnonzero((targets < 0).any(axis=1) | (np.abs(sums - 1) > TOLERANCE))
        if len(bad):
            s = bad[0]
            raise ValueError(
                f"targets must be probabilities for {type(self).__name__}: entries >= 0 that sum "
                f"to 1 in each row, got row {s} with the sum {sums[s]:g} and the least entry "
                f"{targets[s].min():g}; pass one-hot rows: np.eye(classes)[labels]"
            )
        return targets


@dataclass(frozen=True)
class CrossEntropy(_Probabilities):
    """Cross-entropy of the whole run: the logits z are the output's firing rates, or counts.

    z_s = (1/T) Σ_t o_s^{t,N}, or Σ_t o_s^{t,N} with ``counts``;
    L = -1/S Σ_s Σ_i y_{s,i} log softmax(z_s)_i, and ∂L/∂o^{t,N} = (softmax(z) - y) / (T S), or
    / S with ``counts``, at every t. Rates lie in [0, 1], so the softmax of n rates is never
    sure: at best e / (e + n - 1). Counts reach further.

    Args:
        counts: whether the logits are spike counts.

    >>> out = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])
    >>> trace, y = Trace(U=[None, out], O=[out, out]), np.array([[1.0, 0.0]])
    >>> [round(loss.value(trace, y), 4) for loss in (CrossEntropy(), CrossEntropy(counts=True))]
    [0.3133, 0.1269]
    """

    counts: bool = False

    def __post_init__(self) -> None:
        """Check the choice."""
        checks.instance("CrossEntropy counts", self.counts, bool)

    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L."""
        return _entropy(self._logits(trace.O[-1]), targets) / len(targets)

    def terms(self, trace: Trace, targets: Array) -> Direct:
        """Return ∂L/∂o, the same at every step."""
        o = trace.O[-1]
        slope = _slope(self._logits(o), targets) / (
            len(targets) * (1 if self.counts else len(o))
        )
        return Direct(np.broadcast_to(slope, o.shape))  # p2-loss-entropy

    def _logits(self, o: Array) -> Any:
        """Return the rates or the counts, shape (S, n[N])."""
        return o.sum(axis=0) if self.counts else o.mean(axis=0)


@dataclass(frozen=True)
class StepCrossEntropy(_Probabilities):
    """Cross-entropy at every step by itself, and its mean over steps, in the manner of TET.

    L = -1/(TS) Σ_t Σ_s Σ_i y_{s,i} log softmax(o_s^{t,N})_i, and
    ∂L/∂o^{t,N} = (softmax(o^{t,N}) - y) / (T S), another one at each t. TET (temporal efficient
    training) takes the current into the last layer as logits; here they are its spikes.

    >>> out = np.array([[[1.0, 0.0]], [[0.0, 0.0]]])
    >>> trace, y = Trace(U=[None, out], O=[out, out]), np.array([[1.0, 0.0]])
    >>> StepCrossEntropy().direct(trace, y).o[:, 0, 0].round(4)
    array([-0.1345, -0.25  ])
    """

    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L."""
        o = trace.O[-1]
        return _entropy(o, targets) / (len(o) * len(targets))

    def terms(self, trace: Trace, targets: Array) -> Direct:
        """Return ∂L/∂o."""
        o = trace.O[-1]
        return Direct(_slope(o, targets) / (len(o) * len(targets)))  # p2-loss-steps


LOSSES: dict[str, type[Built]] = {
    "rate": Rate,
    "last-steps": LastSteps,
    "cross-entropy": CrossEntropy,
    "step-cross-entropy": StepCrossEntropy,
    "membrane": Membrane,
}
"""The losses by name."""


def loss_named(name: str, k: int | None = None) -> Built:
    """Return the loss of this name, which reads the last k steps, where it has that choice.

    Args:
        name: a name in :data:`LOSSES`.
        k: how many steps ``"last-steps"`` and ``"membrane"`` read; None for all.

    Raises:
        ValueError: if there is no loss of this name.

    >>> loss_named("membrane"), loss_named("membrane", k=2), loss_named("rate")
    (Membrane(k=None), Membrane(k=2), Rate())
    """
    made: Any = LOSSES[checks.choice("loss", name, LOSSES)]
    found: Built = made(k) if hasattr(made, "k") else made()
    return found


def as_loss(loss: Any, method: str = "direct") -> Any:
    """Return a loss that is given by its name or as it is, or a direct term as it is.

    A name means what it means in the settings of a run: every step is read.

    Args:
        loss: a name in :data:`LOSSES`, a loss of this package or your own, or a direct term.
        method: the method that it must have: ``"direct"`` or ``"value"``.

    Raises:
        TypeError, ValueError: if it is none of these.
    """
    if isinstance(loss, str):
        return loss_named(loss)
    if method == "direct" and isinstance(loss, Direct | np.ndarray):
        return loss
    return read_loss(loss, method)


def loss(trace: Trace, targets: ArrayLike, loss: LossFunction = RATE) -> float:
    """Return the loss of a forward pass; the rate loss (id ``loss``) where no other is given.

    Args:
        trace: a forward pass; only the output layer is read.
        targets: Y, shape (S, n[N]), in the dtype of the trace.
        loss: a loss of this package, or one of your own.

    Raises:
        TypeError, ValueError: if ``targets`` or the outputs have the wrong shape or dtype, are
            not finite, or are not what the loss asks for; or if ``loss`` is none.

    >>> out = np.array([[[1.0]], [[0.0]]])  # one neuron: a spike, then none
    >>> trace = Trace(U=[None, out], O=[out, out])
    >>> loss(trace, np.array([[1.0]])), loss(trace, np.array([[1.0]]), LastSteps(1))
    (0.125, 0.5)
    """
    read = read_loss(loss, "value")
    return float(read.value(trace, targets))


def _log_softmax(z: Array) -> Any:
    """Return log softmax(z) over the last axis, without overflow."""
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _entropy(z: Array, targets: Array) -> Any:
    """Return -Σ y log softmax(z), over all samples and steps."""
    return -(targets * _log_softmax(z)).sum()


def _slope(z: Array, targets: Array) -> Any:
    """Return its derivative by z: softmax(z) Σ_i y_i - y, where the sum is 1 but for rounding."""
    p = np.exp(_log_softmax(z))  # p2-loss-softmax
    return p * targets.sum(axis=-1, keepdims=True) - targets
