"""Oracle by formula: f, f', g, h, H and the losses from their formulas, written once more.

Of the neuron's functions each formula is held as the equations page prints it: that of a
surrogate's H beside its curve, the others here. SymPy evaluates it with thirty digits; f' and h are
not written down but differentiated from f and H. The losses share no line with
:mod:`stbp_edu.losses`, and take plain NumPy or autograd's, so ``finite_difference`` measures
their slopes and ``autodiff`` derives them.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from stbp_edu import losses
from stbp_edu._support.checks import Array
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES

WIDTHS = (0.25, 1.0, 3.0)  # of every surrogate: a formula may be right only for a = 1
TAUS = (0.2, 0.5, 0.9)
THRESHOLDS = (-0.25, 0.5, 1.5)
SPIKES = np.array([0.0, 0.25, 0.5, 1.0])
DISTANCES = np.arange(-12, 13) / 4  # of a potential from the threshold
FAR = 1000  # widths from the threshold; the exponential of as much overflows
DIGITS = 30


GATES = {
    "exponential": ("tau * exp(-x / tau)", "gate-f", "gate-df"),
    "linear": ("tau * (1 - x)", "gate-linear", "gate-linear-df"),
}
"""By gate its formula, and the equations of it and of its slope."""
SPIKE_FORMULA = "Piecewise((1, v >= 0), (0, True))"


def curves(sp: Any) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield the equation, constants, values and expected values of each function of the neuron.

    SymPy is given: what asks this module for the value of a loss needs none.
    """
    x = sp.Symbol("x", real=True)

    def expected(text: str, at: Array, slope: bool = False, **constants: float) -> Any:
        """Return the values of a formula in x, or in v = x - v_th, or those of its slope."""
        # a float is the fraction that it is
        names = {name: sp.Rational(value) for name, value in constants.items()}
        names |= {"x": x, "v": x - names.get("v_th", 0)}
        formula = sp.sympify(text, locals=names)
        if slope:
            formula = sp.diff(formula, x)
        exact = [formula.subs(x, sp.Rational(float(v))).evalf(DIGITS) for v in at]
        return np.array(exact, float)

    for tau, (gate, (text, f, df)) in product(TAUS, GATES.items()):
        neuron = LIF(tau, gate=gate)
        constants = f"τ = {tau}"
        yield f, constants, neuron.f(SPIKES), expected(text, SPIKES, tau=tau)
        slopes = expected(text, SPIKES, True, tau=tau)
        yield df, constants, neuron.df(SPIKES), slopes
    for v_th in THRESHOLDS:
        near = v_th + np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0])
        g = expected(SPIKE_FORMULA, near, v_th=v_th)
        yield "spike-g", f"V_th = {v_th}", LIF(v_th=v_th).g(near), g
    kinds = enumerate(SURROGATES.values(), 1)
    constants_of = zip(WIDTHS, THRESHOLDS, strict=True)
    for of, (k, kind), (a, v_th) in product(("h", "H"), kinds, constants_of):
        neuron = LIF(v_th=v_th, surrogate=kind(a))
        ends = a * np.array([-0.5, 0.5, -FAR, FAR])
        at = np.append(DISTANCES, ends) + v_th
        id_ = f"h{k}" if of == "h" else f"twin-{k}"
        formula = expected(kind.formula, at, of == "h", a=a, v_th=v_th)
        yield id_, f"a = {a}", getattr(neuron, of)(at), formula


def loss_value(
    loss: losses.LossLike,
    outputs: Sequence[Mapping[str, Any]],
    targets: Any,
    xp: Any = np,
) -> Any:
    """Return the loss of outputs: spikes "o" and potentials "u", each (S, n[N]), step by step.

    A direct term d is that of the loss Σ d · o, which is linear.

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
    raise TypeError(f"loss must be one of stbp_edu.losses, got {loss!r}")


def linear(slopes: Array | None, states: Sequence[Any]) -> Any:
    """Return Σ slope · state, over steps, samples and neurons; 0 where there are no slopes."""
    if slopes is None:
        return 0.0
    pairs = zip(slopes, states, strict=True)
    return sum((slope * state).sum() for slope, state in pairs)
