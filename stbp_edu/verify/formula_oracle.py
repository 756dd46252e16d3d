"""Oracle by formula: f, f', g, h, H and the losses from their formulas, written once more.

Of the neuron's functions each formula is held as the equations page prints it: that of a
surrogate's H beside its curve, the others here. SymPy evaluates it with thirty digits; f' and h are
not written down but differentiated from f and H. The losses share no line with
:mod:`stbp_edu.losses`, and take plain NumPy or autograd's, so ``finite_difference`` measures
their slopes and ``autodiff`` derives them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from stbp_edu import losses
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace, check_spikes
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.surrogates import SURROGATES

IDS = (
    *("gate-f", "gate-df", "gate-linear", "gate-linear-df", "spike-g"),
    *(f"{kind}{k}" for kind in ("h", "twin-") for k in range(1, len(SURROGATES) + 1)),
    "loss",
)
"""The equations that this oracle answers for, in the order of the table."""

WIDTHS = (0.25, 1.0, 3.0)  # of every surrogate: a formula may be right only for a = 1
TAUS = (0.2, 0.5, 0.9)
THRESHOLDS = (-0.25, 0.5, 1.5)
SPIKES = np.array([0.0, 0.25, 0.5, 1.0])
DISTANCES = np.arange(-12, 13) / 4  # of a potential from the threshold
FAR = 1000  # widths from the threshold; the exponential of as much overflows
DIGITS = 30


def curves(sp: Any) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield the equation, constants, values and expected values of each function of the neuron.

    SymPy is given: what asks this module for the value of a loss needs none.
    """
    x, exact = (
        sp.Symbol("x", real=True),
        sp.Rational,
    )  # a float is the fraction that it is
    for id, name, function, at, formula in _functions(sp, x):
        values = [float(formula.subs(x, exact(float(v))).evalf(DIGITS)) for v in at]
        yield id, name, function(at), np.array(values)


def _functions(
    sp: Any, x: Any
) -> Iterator[tuple[str, str, Callable[[Array], Array], Array, Any]]:
    """Yield the equation, constants, function, points and formula in x of each curve."""
    for tau in TAUS:
        name, c = f"τ = {tau}", sp.Rational(tau)
        f, linear = c * sp.exp(-x / c), c * (1 - x)
        neuron, straight = LIF(tau), LIF(tau, gate="linear")
        yield "gate-f", name, neuron.f, SPIKES, f
        yield "gate-df", name, neuron.df, SPIKES, sp.diff(f, x)
        yield "gate-linear", name, straight.f, SPIKES, linear
        yield "gate-linear-df", name, straight.df, SPIKES, sp.diff(linear, x)
    for threshold in THRESHOLDS:
        step = sp.Piecewise((1, x >= sp.Rational(threshold)), (0, True))
        near = threshold + np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0])
        yield "spike-g", f"V_th = {threshold}", LIF(v_th=threshold).g, near, step
    for k, kind in enumerate(SURROGATES.values(), start=1):
        for width, threshold in zip(WIDTHS, THRESHOLDS, strict=True):
            name, neuron = f"a = {width}", LIF(v_th=threshold, surrogate=kind(width))
            edges = [-width / 2, width / 2, -FAR * width, FAR * width]
            at = np.append(DISTANCES, edges) + threshold
            twin = kind.formula(x - sp.Rational(threshold), sp.Rational(width), sp)
            yield f"twin-{k}", name, neuron.H, at, twin
            yield f"h{k}", name, neuron.h, at, sp.diff(twin, x)


def carried(u: Any, o: Any, neuron: LIF, xp: Any = np) -> Any:
    """Return the potential carried to the next step."""
    if neuron.gate == "soft":
        return neuron.tau * u - neuron.v_th * o
    if neuron.gate == "linear":
        return neuron.tau * (1.0 - o) * u
    return neuron.tau * xp.exp(-o / neuron.tau) * u


def run(
    spikes: Any, W: Any, b: Any, neuron: LIF, fire: Any, du: Any, do: Any, xp: Any = np
) -> Iterator[list[tuple[Any, Any]]]:
    """Yield the spikes and the potential of each layer, step by step: the forward pass once more.

    ``du[n][t]`` and ``do[n][t]`` are added to the potentials and spikes of layer n at step t.
    """
    u: list[Any] = [np.zeros(1) for _ in W]
    o: list[Any] = [np.zeros(1) for _ in W]
    for t, o[0] in enumerate(spikes):
        for n in range(1, len(W)):
            x = o[n - 1] @ W[n].T
            u[n] = carried(u[n], o[n], neuron, xp) + x + b[n] + du[n][t]
            o[n] = fire(u[n]) + do[n][t]
        yield list(zip(o, u, strict=True))


def check_problem(
    spikes: Array, targets: Array, params: Params, neuron: LIF, loss: losses.LossLike
) -> tuple[int, int]:
    """Check a network with its input, its targets and its loss, and return (T, S)."""
    T, S = check_spikes(spikes, params)
    checks.instance("neuron", neuron, LIF)
    shape = (T, S, params.sizes[-1])
    losses.check_targets(targets, np.zeros(shape, params.dtype))
    terms = (loss.o, loss.u) if isinstance(loss, losses.Direct) else (loss,)
    for term in terms:
        if isinstance(term, np.ndarray):
            checks.array(
                "loss (the direct term)",
                term,
                "(T, S, n[N])",
                shape,
                dtype=params.dtype,
            )
        elif not isinstance(loss, losses.Direct):
            losses.read_loss(loss, "value")
    return T, S


def loss_value(
    loss: losses.LossLike,
    outputs: Sequence[tuple[Any, Any]],
    targets: Any,
    xp: Any = np,
) -> Any:
    """Return the loss of outputs: spikes and potentials of layer N, each (S, n[N]), step by step.

    A direct term d is that of the loss Σ d · o, which is linear. A loss of your own is asked for
    its value; that works on numbers, and not within autograd.

    >>> ones = np.ones((1, 1))
    >>> float(loss_value(losses.Rate(), [(ones, ones), (0 * ones, ones)], ones))
    0.125
    """
    o, u = zip(*outputs, strict=True)
    T, S = len(o), len(targets)
    match loss:
        case losses.Rate():
            return _squares(o, targets) / (2 * S)
        case losses.LastSteps(k):
            return _squares(o[-(k or T) :], targets) / (2 * S)
        case losses.Membrane(k):
            return _squares(u[-(k or T) :], targets) / (2 * S)
        case losses.CrossEntropy(counts):
            return _cross_entropy(sum(o) if counts else sum(o) / T, targets, xp) / S
        case losses.StepCrossEntropy():
            return sum(_cross_entropy(z, targets, xp) for z in o) / (T * S)
        case losses.Direct():
            return _linear(loss.o, o) + _linear(loss.u, u)
        case np.ndarray():
            return _linear(loss, o)
    if xp is not np:
        raise TypeError(
            f"loss must be one of stbp_edu.losses for automatic differentiation, got {loss!r}; "
            "let finite_difference measure it, or pass its direct term"
        )
    spikes, potentials = (np.stack(steps) for steps in (o, u))
    return loss.value(Trace(U=[None, potentials], O=[spikes, spikes]), targets)


def _squares(states: Sequence[Any], targets: Any) -> Any:
    """Return the sum of the squares by which the mean over the steps misses the targets."""
    misses = targets - sum(states) / len(states)
    return (misses * misses).sum()


def _cross_entropy(z: Any, targets: Any, xp: Any) -> Any:
    """Return -Σ y (z - log Σ e^z), over samples and neurons; spikes need no care for overflow."""
    return -(targets * (z - xp.log(xp.exp(z).sum(axis=1, keepdims=True)))).sum()


def _linear(slopes: Array | None, states: Sequence[Any]) -> Any:
    """Return Σ slope · state, over steps, samples and neurons; 0 where there are no slopes."""
    if slopes is None:
        return 0.0
    return sum((d * state).sum() for d, state in zip(slopes, states, strict=True))
