"""Oracle by formula: f, f', g, h, H and the losses from their formulas, written once more.

Of the neuron's functions each formula is held as the equations page prints it: that of a
surrogate's H beside its curve, the others here. SymPy evaluates it with thirty digits; f' and h are
not written down but differentiated from f and H. The losses share no line with
:mod:`stbp_edu.losses`, and take plain NumPy or autograd's, so ``finite_difference`` measures
their slopes and ``autodiff`` derives them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from stbp_edu import losses
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace, check_spikes
from stbp_edu.losses.of_states import direct_term
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.surrogates import SURROGATES

NUMBERS = range(1, len(SURROGATES) + 1)
IDS = (
    "gate-f",
    "gate-df",
    "gate-linear",
    "gate-linear-df",
    "spike-g",
    *(f"h{k}" for k in NUMBERS),
    *(f"twin-{k}" for k in NUMBERS),
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


Curve = tuple[str, str, Callable[[Array], Array], Array, Any]
"""One function of the neuron: equation, constants, function, where it is asked, formula in x."""


def curves(sp: Any) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield the equation, constants, values and expected values of each function of the neuron.

    SymPy is given: what asks this module for the value of a loss needs none.
    """
    x = sp.Symbol("x", real=True)
    every = chain(_gates(sp, x), _spike_functions(sp, x), _surrogates(sp, x))
    for id_, constants, function, at, formula in every:
        # a float is the fraction that it is
        exact = [formula.subs(x, sp.Rational(float(v))).evalf(DIGITS) for v in at]
        yield id_, constants, function(at), np.array(exact, float)


def _gates(sp: Any, x: Any) -> Iterator[Curve]:
    for tau in TAUS:
        c = sp.Rational(tau)
        gates = {"": c * sp.exp(-x / c), "-linear": c * (1 - x)}
        for name, f in gates.items():
            neuron = LIF(tau, gate=name[1:] or "exponential")
            yield f"gate{name or '-f'}", f"τ = {tau}", neuron.f, SPIKES, f
            yield f"gate{name}-df", f"τ = {tau}", neuron.df, SPIKES, sp.diff(f, x)


def _spike_functions(sp: Any, x: Any) -> Iterator[Curve]:
    for threshold in THRESHOLDS:
        step = sp.Piecewise((1, x >= sp.Rational(threshold)), (0, True))
        near = threshold + np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0])
        neuron = LIF(v_th=threshold)
        yield "spike-g", f"V_th = {threshold}", neuron.g, near, step


def _surrogates(sp: Any, x: Any) -> Iterator[Curve]:
    for k, kind in zip(NUMBERS, SURROGATES.values(), strict=True):
        for width, threshold in zip(WIDTHS, THRESHOLDS, strict=True):
            neuron = LIF(v_th=threshold, surrogate=kind(width))
            ends = width * np.array([-0.5, 0.5, -FAR, FAR])
            at = np.append(DISTANCES, ends) + threshold
            distance = x - sp.Rational(threshold)
            twin = kind.formula(distance, sp.Rational(width), sp)
            yield f"twin-{k}", f"a = {width}", neuron.H, at, twin
            yield f"h{k}", f"a = {width}", neuron.h, at, sp.diff(twin, x)


def check_problem(
    spikes: Array, targets: Array, params: Params, neuron: LIF, loss: losses.LossLike
) -> tuple[int, int]:
    """Check a network with its input, its targets and its loss, and return (T, S)."""
    T, S = check_spikes(spikes, params)
    checks.instance("neuron", neuron, LIF)
    outputs = np.zeros((T, S, params.sizes[-1]), params.dtype)
    losses.check_targets(targets, outputs)
    if isinstance(loss, losses.Direct | np.ndarray):
        direct_term(loss, Trace([outputs], [outputs]), targets)
    else:
        losses.read_loss(loss, "value")
    return T, S


def loss_value(
    loss: losses.LossLike,
    outputs: Sequence[Mapping[str, Any]],
    targets: Any,
    xp: Any = np,
) -> Any:
    """Return the loss of outputs: spikes "o" and potentials "u", each (S, n[N]), step by step.

    A direct term d is that of the loss Σ d · o, which is linear. A loss of your own is asked for
    its value; that works on numbers, and not within autograd.

    >>> ones = np.ones((1, 1))
    >>> float(loss_value(losses.Rate(), [{"o": ones, "u": ones}, {"o": 0 * ones, "u": ones}], ones))
    0.125
    """
    o = [states["o"] for states in outputs]
    u = [states["u"] for states in outputs]
    T = len(o)
    S = len(targets)

    def squares(states: Sequence[Any]) -> Any:
        """Return the squares by which the mean over the steps misses the targets."""
        misses = targets - sum(states) / len(states)
        return (misses * misses).sum() / (2 * S)

    def cross_entropy(z: Any) -> Any:
        """Return -Σ y (z - log Σ e^z); spikes need no care for overflow."""
        total = xp.exp(z).sum(axis=1, keepdims=True)
        return -(targets * (z - xp.log(total))).sum()

    match loss:
        case np.ndarray():
            return linear(loss, o)
        case losses.Direct():
            return linear(loss.o, o) + linear(loss.u, u)
        case losses.Rate():
            return squares(o)
        case losses.LastSteps(k):
            return squares(o[-(k or T) :])
        case losses.Membrane(k):
            return squares(u[-(k or T) :])
        case losses.CrossEntropy(counts):
            return cross_entropy(sum(o) if counts else sum(o) / T) / S
        case losses.StepCrossEntropy():
            return sum(map(cross_entropy, o)) / (T * S)
    if xp is not np:
        raise TypeError(
            f"loss must be one of stbp_edu.losses for automatic differentiation, got {loss!r}; "
            "let finite_difference measure it, or pass its direct term"
        )
    spikes = np.stack(o)
    trace = Trace(U=[None, np.stack(u)], O=[spikes, spikes])
    return loss.value(trace, targets)


def linear(slopes: Array | None, states: Sequence[Any]) -> Any:
    """Return Σ slope · state, over steps, samples and neurons; 0 where there are no slopes."""
    if slopes is None:
        return 0.0
    pairs = zip(slopes, states, strict=True)
    return sum((slope * state).sum() for slope, state in pairs)
