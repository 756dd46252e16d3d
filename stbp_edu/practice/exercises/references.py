"""What answers are compared with, where the package's own function has another signature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stbp_edu import cases, rules
from stbp_edu.checks import Array
from stbp_edu.engine import products as engine
from stbp_edu.losses import loss
from stbp_edu.network import Gradients, Params, Trace
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian, Rectangle, Sigmoid, Triangle


def sources(t: int, n: int, T: int, N: int) -> set[tuple[int, int]]:
    """Return the cells that send error to (t, n)."""
    near = ((t, n + 1), (t + 1, n))
    return {(i, j) for i, j in near if i < T and j <= N}


def gate_f(o: Array, tau: float) -> Array:
    """Return f(o)."""
    return LIF(tau=tau).f(o)


def gate_df(o: Array, tau: float) -> Array:
    """Return f'(o)."""
    return LIF(tau=tau).df(o)


def spike(u: Array, v_th: float) -> Array:
    """Return g(u)."""
    return LIF(v_th=v_th).g(u)


def lif_run(x: Array, tau: float, v_th: float) -> tuple[Array, Array]:
    """Return potentials and spikes of one neuron without a bias."""
    params = Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    top = max(1.0, float(np.abs(x).max()))  # the input of forward lies in [0, 1]
    scaled = Params(W=[None, params.W[1] * top], b=params.b)
    trace = engine.forward(x.reshape(-1, 1, 1) / top, scaled, LIF(tau=tau, v_th=v_th))
    return trace.U[1].ravel(), trace.O[1].ravel()


def weighted_input(O_below: Array, W: Array) -> Array:
    """Return Σ_j w_ij o_j for each row of any batch."""
    x: Array = np.einsum("...j,ij->...i", O_below, W)
    return x


def next_potential(U: Array, O: Array, X: Array, b: Array, tau: float) -> Array:
    """Return u f(o) + x + b."""
    return LIF(tau=tau).f(O) * U + X + b


def rate_loss(Y: Array, O: Array) -> float:
    """Return L."""
    return loss(Trace(U=[None, O], O=[O, O]), Y)


def total(direct: float, outer: float, inner: float) -> float:
    """Return dL/dx over two paths."""
    return sum((direct, outer * inner))


def nudge(function: Callable[[float], float], x: float, step: float) -> float:
    """Return the central difference."""
    up, down = function(x + step), function(x - step)
    return (up - down) / step / 2


def h1(v: Array, a: float) -> Array:
    """Return the rectangle."""
    return Rectangle(a).derivative(v)


def h2(v: Array, a: float) -> Array:
    """Return the triangle."""
    return Triangle(a).derivative(v)


def h3(v: Array, a: float) -> Array:
    """Return the derivative of the logistic sigmoid."""
    return Sigmoid(a).derivative(v)


def h4(v: Array, a: float) -> Array:
    """Return the Gaussian."""
    return Gaussian(a).derivative(v)


def twin_1(v: Array, a: float) -> Array:
    """Return the clipped ramp."""
    return Rectangle(a).antiderivative(v)


def twin_2(v: Array, a: float) -> Array:
    """Return the two parabolas."""
    return Triangle(a).antiderivative(v)


def twin_3(v: Array, a: float) -> Array:
    """Return the logistic sigmoid."""
    return Sigmoid(a).antiderivative(v)


def twin_4(v: Array, a: float) -> Array:
    """Return the normal distribution function."""
    return Gaussian(a).antiderivative(v)


def c3_delta_open(
    delta_last: Array, delta_next: Array, epsilon_next: Array, h_next: Array, U: Array, df: Array
) -> Array:
    """Return δ of case 3."""
    return cases.vector.c3_delta(delta_last, epsilon_next, U, df)


def c4_delta_open(
    delta_above: Array,
    epsilon_above: Array,
    h_above: Array,
    W_above: Array,
    delta_next: Array,
    epsilon_next: Array,
    h_next: Array,
    U: Array,
    df: Array,
) -> Array:
    """Return δ of case 4."""
    return cases.vector.c4_delta(epsilon_above, W_above, epsilon_next, U, df)


def err_exact(delta: Array, epsilon: Array, h: Array) -> Array:
    """Return ε."""
    return epsilon


def err_classic(delta: Array, epsilon: Array, h: Array) -> Array:
    """Return δ ⊙ h."""
    return np.multiply(delta, h)


def dropped(delta: Array, epsilon: Array, h: Array) -> Array:
    """Return what the classic rule does not pass on."""
    return np.subtract(epsilon, err_classic(delta, epsilon, h))


def gain(U: Array, O_gate: Array, dO_gate: Array, h: Array) -> Array:
    """Return du^{t+1}/du^t."""
    return O_gate + h * dO_gate * U


def backward(trace: Trace, targets: Array, params: Params, neuron: LIF) -> Gradients:
    """Return the exact gradients."""
    return engine.backward(trace, targets, params, neuron)


def backward_classic(trace: Trace, targets: Array, params: Params, neuron: LIF) -> Gradients:
    """Return the gradients of the classic rule."""
    return engine.backward(trace, targets, params, neuron, rule="classic")


def relative_error(ours: Array, exact: Array) -> float:
    """Return ||ours - exact|| / ||exact||."""
    return float(np.sqrt(((ours - exact) ** 2).sum() / (exact**2).sum()))


def cosine(ours: Array, exact: Array) -> float:
    """Return the cosine of the angle between two arrays."""
    norms = np.sqrt((ours**2).sum() * (exact**2).sum())
    return float(np.vdot(ours, exact) / norms)


def ablation(rule: str, o: Array, tau: float) -> tuple[Array, Array]:
    """Return f and f' as the backward pass of this rule sees them."""
    f, df = rules.backward_gate(LIF(tau=tau), rule)
    return f(o), df(o)
