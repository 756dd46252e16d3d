"""Squared distances between the targets and a mean over steps: of spikes, or of potentials."""

from dataclasses import dataclass

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.losses.reading import Built, Direct, check_targets
from stbp_edu.network import Trace


@dataclass(frozen=True)
class Rate(Built):
    """The rate loss: the firing rate of each output neuron should match its target.

    L = 1/(2S) Σ_s || y_s - (1/T) Σ_t o_s^{t,N} ||² (id ``loss``), and
    ∂L/∂o^{t,N} = -1/(TS) (y - (1/T) Σ_k o^{k,N}) at every t: the δ of case 1.

    >>> out = np.array([[[1.0]], [[0.0]]])
    >>> Rate().direct(Trace(U=[None, out], O=[out, out]), np.array([[1.0]])).o.ravel()
    array([-0.25, -0.25])
    """

    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L."""
        return _distance(self.scores(trace), targets)  # loss

    def terms(self, trace: Trace, targets: Array, S: int) -> Direct:
        """Return ∂L/∂o, the same at every step."""
        o = trace.O[-1]
        slope = (o.mean(axis=0) - targets) / (len(o) * S)  # c1-delta
        return Direct(np.broadcast_to(slope, o.shape))


RATE = Rate()
"""The rate loss, which is meant where no loss is named."""


@dataclass(frozen=True)
class LastSteps(Built):
    """The rate loss of the last k steps alone; with k = 1, of the last spike.

    L = 1/(2S) Σ_s || y_s - (1/k) Σ_{t>T-k} o_s^{t,N} ||², and
    ∂L/∂o^{t,N} = -1/(kS) (y - (1/k) Σ_{r>T-k} o^{r,N}) where t > T - k, and 0 before.

    Args:
        k: how many steps the loss reads; 1 to T.

    Raises:
        TypeError, ValueError: if ``k`` is no integer >= 1; and if it is above T, where the loss
            reads a forward pass.

    >>> out = np.array([[[1.0]], [[0.0]]])
    >>> LastSteps().direct(Trace(U=[None, out], O=[out, out]), np.array([[1.0]])).o.ravel()
    array([ 0., -1.])
    """

    k: int = 1

    def __post_init__(self) -> None:
        """Check k."""
        object.__setattr__(self, "k", checks.count("LastSteps k", self.k))

    def scores(self, trace: Trace) -> Array:
        """Return the firing rates over the last k steps."""
        return np.asarray(trace.O[-1][-self.k :].mean(axis=0))

    def check(self, trace: Trace, targets: Array) -> None:
        """Raise if the run is shorter than k, too."""
        super().check(trace, targets)
        _check_steps("LastSteps k", self.k, len(trace.O[-1]))

    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L."""
        return _distance(self.scores(trace), targets)

    def terms(self, trace: Trace, targets: Array, S: int) -> Direct:
        """Return ∂L/∂o, 0 before the steps that are read."""
        return Direct(_slopes(trace.O[-1], targets, self.k, S))


@dataclass(frozen=True)
class Membrane(Built):
    """The last potential of each output neuron should match its target; spikes are not read.

    L = 1/(2S) Σ_s || y_s - (1/k) Σ_{t>T-k} u_s^{t,N} ||². So ∂L/∂o^{t,N} = 0, and an arrow leads
    from each u^{t,N} with t > T - k to L: ∂L/∂u^{t,N} = -1/(kS) (y - (1/k) Σ_{r>T-k} u^{r,N}),
    which ε gains at the output.

    Args:
        k: how many steps the loss reads, counted from the last; None for all.

    Raises:
        TypeError, ValueError: as :class:`LastSteps`.

    >>> u = np.array([[[0.25]], [[0.5]]])
    >>> Membrane().direct(Trace(U=[None, u], O=[u, u]), np.array([[1.0]])).u.ravel()
    array([ 0. , -0.5])
    """

    k: int | None = 1

    def __post_init__(self) -> None:
        """Check k."""
        if self.k is not None:
            object.__setattr__(self, "k", checks.count("Membrane k", self.k))

    def scores(self, trace: Trace) -> Array:
        """Return the mean potentials over the last k steps."""
        u = trace.U[-1]
        return np.asarray(u[-(self.k or len(u)) :].mean(axis=0))

    def check(self, trace: Trace, targets: Array) -> None:
        """Raise if potentials, targets and k do not fit together."""
        u = checks.instance("trace", trace, Trace).U[-1]
        check_targets(targets, u, "trace.U[N]")
        _check_steps("Membrane k", self.k or 1, len(u))

    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L."""
        return _distance(self.scores(trace), targets)

    def terms(self, trace: Trace, targets: Array, S: int) -> Direct:
        """Return ∂L/∂u, 0 before the steps that are read."""
        u = trace.U[-1]
        return Direct(None, _slopes(u, targets, self.k or len(u), S))


def _check_steps(name: str, k: int, T: int) -> None:
    """Raise ValueError if a loss reads more steps than there are."""
    if k > T:
        raise ValueError(
            f"{name} must be <= T = {T}, got {k}; read fewer steps, or run the network for more"
        )


def _distance(means: Array, targets: Array) -> float:
    """Return 1/(2S) Σ_s || y_s - mean over the steps read ||²."""
    return ((targets - means) ** 2).sum() / (2 * len(targets))


def _slopes(states: Array, targets: Array, k: int, S: int) -> Array:
    """Return its derivative by the states (T, S, n[N]) of which the last k are read."""
    slopes = np.zeros_like(states)
    slopes[-k:] = (states[-k:].mean(axis=0) - targets) / (k * S)  # p2-loss-last, p2-loss-membrane
    return slopes
