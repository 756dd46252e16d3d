"""Oracle by formula: f, f', g, h, H and the losses from their formulas, written once more.

Of the neuron's functions each formula is held as the equations page prints it: that of a
surrogate's H beside its curve, the others here. SymPy evaluates it with thirty digits; f' and h are
not written down but differentiated from f and H. The losses share no line with
:mod:`stbp_edu.losses`, and take plain NumPy or autograd's, so ``finite_difference`` measures
their slopes and ``autodiff`` derives them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import losses
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace, check_spikes
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


class Curve(NamedTuple):
    """One function of the neuron, and its formula.

    Attributes:
        id: its equation.
        constants: those of the neuron, in words.
        at: the points at which the two are compared.
        formula: in x.
    """

    id: str
    constants: str
    function: Callable[[Array], Array]
    at: Array
    formula: Any


def curves(sp: Any) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield the equation, constants, values and expected values of each function of the neuron.

    SymPy is given: what asks this module for the value of a loss needs none.
    """
    x = sp.Symbol("x", real=True)
    for found in (_gates(sp, x), _spike_functions(sp, x), _surrogates(sp, x)):
        for curve in found:
            expected = []
            for v in curve.at:
                exact = sp.Rational(float(v))  # a float is the fraction that it is
                value = curve.formula.subs(x, exact).evalf(DIGITS)
                expected.append(float(value))
            values = curve.function(curve.at)
            yield curve.id, curve.constants, values, np.array(expected)


def _gates(sp: Any, x: Any) -> Iterator[Curve]:
    for tau in TAUS:
        name = f"τ = {tau}"
        c = sp.Rational(tau)
        f = c * sp.exp(-x / c)
        linear = c * (1 - x)
        neuron = LIF(tau)
        straight = LIF(tau, gate="linear")
        yield Curve("gate-f", name, neuron.f, SPIKES, f)
        yield Curve("gate-df", name, neuron.df, SPIKES, sp.diff(f, x))
        yield Curve("gate-linear", name, straight.f, SPIKES, linear)
        yield Curve("gate-linear-df", name, straight.df, SPIKES, sp.diff(linear, x))


def _spike_functions(sp: Any, x: Any) -> Iterator[Curve]:
    for threshold in THRESHOLDS:
        neuron = LIF(v_th=threshold)
        fires = x >= sp.Rational(threshold)
        step = sp.Piecewise((1, fires), (0, True))
        near = threshold + np.array([-1.0, -1e-9, 0.0, 1e-9, 1.0])
        yield Curve("spike-g", f"V_th = {threshold}", neuron.g, near, step)


def _surrogates(sp: Any, x: Any) -> Iterator[Curve]:
    for k, kind in zip(NUMBERS, SURROGATES.values(), strict=True):
        for width, threshold in zip(WIDTHS, THRESHOLDS, strict=True):
            name = f"a = {width}"
            neuron = LIF(v_th=threshold, surrogate=kind(width))
            half = width / 2
            far = FAR * width
            at = np.append(DISTANCES, [-half, half, -far, far]) + threshold
            distance = x - sp.Rational(threshold)
            twin = kind.formula(distance, sp.Rational(width), sp)
            yield Curve(f"twin-{k}", name, neuron.H, at, twin)
            yield Curve(f"h{k}", name, neuron.h, at, sp.diff(twin, x))


def carried(u: Any, o: Any, neuron: LIF, xp: Any = np) -> Any:
    """Return the potential carried to the next step."""
    tau = neuron.tau
    if neuron.gate == "soft":
        return tau * u - neuron.v_th * o
    if neuron.gate == "linear":
        return tau * (1.0 - o) * u
    return tau * xp.exp(-o / tau) * u


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
    outputs = np.zeros(shape, params.dtype)
    losses.check_targets(targets, outputs)
    terms: list[Any] = []
    if isinstance(loss, losses.Direct):
        terms = [term for term in (loss.o, loss.u) if isinstance(term, np.ndarray)]
    elif isinstance(loss, np.ndarray):
        terms = [loss]
    else:
        losses.read_loss(loss, "value")
    for term in terms:
        checks.array(
            "loss (the direct term)",
            term,
            "(T, S, n[N])",
            shape,
            dtype=params.dtype,
        )
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
    T = len(o)
    S = len(targets)
    match loss:
        case losses.Rate():
            return _squares(o, targets) / (2 * S)
        case losses.LastSteps(k):
            return _squares(_last(o, k), targets) / (2 * S)
        case losses.Membrane(k):
            return _squares(_last(u, k), targets) / (2 * S)
        case losses.CrossEntropy(counts):
            z = sum(o)
            if not counts:
                z = z / T
            return _cross_entropy(z, targets, xp) / S
        case losses.StepCrossEntropy():
            total = sum(_cross_entropy(z, targets, xp) for z in o)
            return total / (T * S)
        case losses.Direct():
            return _linear(loss.o, o) + _linear(loss.u, u)
        case np.ndarray():
            return _linear(loss, o)
    if xp is not np:
        raise TypeError(
            f"loss must be one of stbp_edu.losses for automatic differentiation, got {loss!r}; "
            "let finite_difference measure it, or pass its direct term"
        )
    spikes = np.stack(o)
    trace = Trace(U=[None, np.stack(u)], O=[spikes, spikes])
    return loss.value(trace, targets)


def _last(states: Sequence[Any], k: int | None) -> Sequence[Any]:
    """Return the states of the last k steps; of all where k is None."""
    if k is None:
        return states
    return states[-k:]


def _squares(states: Sequence[Any], targets: Any) -> Any:
    """Return the sum of the squares by which the mean over the steps misses the targets."""
    mean = sum(states) / len(states)
    misses = targets - mean
    return (misses * misses).sum()


def _cross_entropy(z: Any, targets: Any, xp: Any) -> Any:
    """Return -Σ y (z - log Σ e^z), over samples and neurons; spikes need no care for overflow."""
    total = xp.exp(z).sum(axis=1, keepdims=True)
    return -(targets * (z - xp.log(total))).sum()


def _linear(slopes: Array | None, states: Sequence[Any]) -> Any:
    """Return Σ slope · state, over steps, samples and neurons; 0 where there are no slopes."""
    if slopes is None:
        return 0.0
    pairs = zip(slopes, states, strict=True)
    return sum((slope * state).sum() for slope, state in pairs)
