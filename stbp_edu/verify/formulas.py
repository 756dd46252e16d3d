"""Oracle by formula: f, f', g, h, H and the losses from their formulas, written once more.

Of the neuron's functions each formula is held as the equations page prints it: that of a
surrogate's H beside its curve, the others here. SymPy evaluates it with thirty digits; f' and h are
not written down but differentiated from f and H. The losses share no line with
:mod:`stbp_edu.losses`, and take plain NumPy or autograd's, so that ``finite_difference`` measures
their slopes and ``autodiff`` derives them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.losses import (
    CrossEntropy,
    Direct,
    LastSteps,
    LossLike,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.network import Trace
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import require

IDS = (
    *("gate-f", "gate-df", "gate-linear", "gate-linear-df", "spike-g"),
    *(f"{kind}{k}" for kind in ("h", "twin-") for k in range(1, len(SURROGATES) + 1)),
    "loss",
)
"""The equations that this oracle answers for, in the order of the table."""

WIDTHS = (0.25, 1.0, 3.0)  # of every surrogate: a formula may be right for a = 1 alone
TAUS = (0.2, 0.5, 0.9)
THRESHOLDS = (-0.25, 0.5, 1.5)
SPIKES = np.array([0.0, 0.25, 0.5, 1.0])
DISTANCES = np.arange(-12, 13) / 4  # of a potential from the threshold
FAR = 1000  # widths from the threshold; the exponential of as much overflows
DIGITS = 30


class Curve(NamedTuple):
    """One function of the neuron with its values and what its formula gives."""

    id: str
    name: str
    got: Array
    expected: Array


def curves() -> Iterator[Curve]:
    """Yield every function of the neuron, for each of its constants.

    Raises:
        ImportError: if SymPy is not installed.
    """
    sp = require("sympy", "the formulas")
    x, c = sp.Symbol("x", real=True), sp.Symbol("c", positive=True)
    for gate, f in (("f", c * sp.exp(-x / c)), ("linear", c * (1 - x))):
        for tau in TAUS:
            neuron = LIF(tau, gate="linear" if gate == "linear" else "exponential")
            for id, function, formula in (
                (f"gate-{gate}", neuron.f, f),
                (f"gate-{'df' if gate == 'f' else 'linear-df'}", neuron.df, sp.diff(f, x)),
            ):
                yield _curve(id, f"τ = {tau}", function, SPIKES, formula.subs(c, _exact(tau)), x)
            if gate == "f":  # f(1) once more, as a plain number
                left = partial(np.full_like, fill_value=neuron.reset)
                yield _curve("gate-f", f"τ = {tau}", left, np.ones(1), f.subs(c, _exact(tau)), x)
    for threshold in THRESHOLDS:
        step = sp.Piecewise((1, x >= _exact(threshold)), (0, True))
        near = threshold + np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0])
        neuron = LIF(v_th=threshold)
        yield _curve("spike-g", f"V_th = {threshold}", neuron.g, near, step, x)
    for k, kind in enumerate(SURROGATES.values(), start=1):
        H = kind.formula(x, c, sp)
        for width, threshold in zip(WIDTHS, THRESHOLDS, strict=True):
            neuron = LIF(v_th=threshold, surrogate=kind(width))
            edges = [-width / 2, width / 2, -FAR * width, FAR * width]
            at = np.append(DISTANCES, edges) + threshold
            twin = H.subs(c, _exact(width)).subs(x, x - _exact(threshold))
            yield _curve(f"twin-{k}", f"a = {width}", neuron.H, at, twin, x)
            yield _curve(f"h{k}", f"a = {width}", neuron.h, at, sp.diff(twin, x), x)


def _exact(value: float) -> Any:
    """Return a float as the fraction that it is."""
    return require("sympy", "the formulas").Rational(value)


def _curve(
    id: str, name: str, function: Callable[[Array], Array], at: Array, formula: Any, x: Any
) -> Curve:
    """Return the values of a function, and of its formula, at these points."""
    expected = [float(formula.subs(x, _exact(float(v))).evalf(DIGITS)) for v in at]
    return Curve(id, name, function(at), np.array(expected))


Outputs = Sequence[tuple[Any, Any]]
"""The spikes and potentials of the output layer, each (S, n[N]), step by step."""


def loss_value(loss: LossLike, outputs: Outputs, targets: Any, xp: Any = np) -> Any:
    """Return the loss of these outputs.

    A direct term d is that of the loss Σ d · o, which is linear. A loss of your own is asked for
    its value; that works on numbers, and not within autograd.

    >>> ones = np.ones((1, 1))
    >>> float(loss_value(Rate(), [(ones, ones), (0 * ones, ones)], ones))
    0.125
    """
    o, u = zip(*outputs, strict=True)
    T, S = len(o), len(targets)
    match loss:
        case Rate():
            return _squares(targets - sum(o) / T) / (2 * S)
        case LastSteps(k):
            return _squares(targets - sum(o[-k:]) / k) / (2 * S)
        case Membrane(k):
            return _squares(targets - sum(u[-(k or T) :]) / (k or T)) / (2 * S)
        case CrossEntropy(counts):
            return _cross_entropy(sum(o) if counts else sum(o) / T, targets, xp) / S
        case StepCrossEntropy():
            return sum(_cross_entropy(z, targets, xp) for z in o) / (T * S)
        case Direct():
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


def _squares(misses: Any) -> Any:
    """Return the sum of the squares."""
    return (misses * misses).sum()


def _cross_entropy(z: Any, targets: Any, xp: Any) -> Any:
    """Return -Σ y (z - log Σ e^z), over samples and neurons; spikes need no care for overflow."""
    return -(targets * (z - xp.log(xp.exp(z).sum(axis=1, keepdims=True)))).sum()


def _linear(slopes: Array | None, states: Sequence[Any]) -> Any:
    """Return Σ slope · state, over steps, samples and neurons; 0 where there are no slopes."""
    if slopes is None:
        return 0.0
    return sum((d * state).sum() for d, state in zip(slopes, states, strict=True))
