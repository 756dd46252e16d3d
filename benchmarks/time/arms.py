"""The passes of a network of Part I as the experiment on causes trains it, and its interventions.

The experiment needs thousands of runs, so a layer's loops are compiled, one for each direction.
With an arm that changes nothing the gradients are those of :func:`stbp_edu.backward` and of
:mod:`stbp_edu.arrows`, which a test holds. An arm may change the height of the surrogate, or the
*gains*, the factors from a neuron's error at t + 1 to its error at t: f + u f' h under ``exact``
and ``e-prop-reset``, u f' h (on err) under ``classic``, f under ``detached-reset`` and ``ottt``.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit

from stbp_edu import Gradients, Params, Trace
from stbp_edu.checks import Array
from stbp_edu.engine import loops
from stbp_edu.training import Settings

CARRIES = ("exact", "detached-reset", "e-prop-reset", "ottt")
FLOOR = np.float32(loops.FLOOR)
RESETS = ("exact", "classic", "e-prop-reset")
STRAIGHT_UP = ("e-prop-reset", "ottt")
"""The rules whose gain has f, those whose gain has u f' h, and those whose errors go to the layer
below without the neuron's own past."""
LEAVE, HOLD_OTHERS, TURN = range(3)
"""What is done to gains: nothing, but for a limit; as many as a limit of 1 would make smaller are
made smaller by the same factors, at places that are drawn; all have their absolute value, so that
the reset repels no potential."""


@dataclass(frozen=True)
class ArmPasses:
    """Forward and backward through a network of Part I.

    Attributes:
        params: the parameters.
        settings: of the run; rule and gain limit are theirs.
        height: factor on the surrogate h.
        change: what is done to gains.
        rng: for a change that draws.
    """

    params: Params
    settings: Settings
    height: float = 1.0
    change: int = LEAVE
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def forward(self, spikes: Array) -> Trace:
        """Return the potentials and spikes of every step, from the input (T, S, n[0])."""
        neuron, trace = self.settings.make_neuron(), Trace([None], [spikes])
        f = neuron.f(np.array([0.0, 1.0], spikes.dtype))
        for W, b in zip(self.params.W[1:], self.params.b[1:], strict=True):
            U = weighted(trace.O[-1], W)
            O = np.empty_like(U)
            integrate(U, O, b, f, neuron.v_th)
            trace.U.append(U)
            trace.O.append(O)
        return trace

    def gradients(self, trace: Trace, targets: Array) -> Gradients:
        """Return the gradient under the rule."""
        params, loss = self.params, self.settings.make_loss()
        delta, _ = loss.terms(trace, targets)
        W: list[Any] = [None] * (params.N + 1)
        b: list[Any] = [None] * (params.N + 1)
        for n in range(params.N, 0, -1):
            err, epsilon = self._down(delta, trace.U[n], trace.O[n])
            W[n] = summed(epsilon, trace.O[n - 1])  # c5-w
            b[n] = epsilon.sum(axis=(0, 1))  # c5-b
            if n > 1:
                delta = err @ params.W[n]
        return Gradients(W, b)

    def _down(self, delta: Array, u: Array, o: Array) -> tuple[Array, Array]:
        """Return err and ε of a layer, given ∂L/∂o by all paths but its own past."""
        s, neuron = self.settings, self.settings.make_neuron()
        both = np.array([0.0, 1.0], u.dtype)
        h = surrogate(u - u.dtype.type(neuron.v_th), s, self.height)
        others = np.empty(0, np.intp)
        if self.change == HOLD_OTHERS:
            others = self.rng.permutation(u[0].size)
        how = s.rule in CARRIES, s.rule in RESETS, s.rule in STRAIGHT_UP
        err, epsilon = np.empty_like(u), np.empty_like(u)
        factors = neuron.f(both), neuron.df(both)
        back(
            delta,
            u,
            o,
            h,
            *factors,
            s.gain_limit,
            *how,
            self.change,
            others,
            err,
            epsilon,
        )
        return err, epsilon


def surrogate(v: Array, settings: Settings, height: float) -> Array:
    """Return h(v) times a height, in the memory of v if it is the Gaussian."""
    if settings.surrogate != "gaussian":
        return height * settings.make_neuron().surrogate.derivative(v)
    a = settings.a
    v *= v
    v *= -0.5 / a
    np.maximum(v, -60, out=v)  # the smallest floats slow the processor down
    np.exp(v, out=v)
    v *= height / math.sqrt(2 * math.pi * a)  # h4
    return v


def weighted(o: Array, W: Array) -> Array:
    """Return o @ Wᵀ, (T, S, n), without the product at silent steps before and after."""
    found = np.zeros((*o.shape[:2], len(W)), W.dtype)
    if o.strides[0] == 0:  # the same input at every step
        found += o[0] @ W.T
    else:
        active = spiking(o)
        np.matmul(o[active], W.T, out=found[active])
    return found


def summed(epsilon: Array, o: Array) -> Array:
    """Return Σ_t,s ε oᵀ, (n, n_below), without the product at silent steps before and after."""
    if o.strides[0] == 0:
        return np.asarray(epsilon.sum(axis=0).T @ o[0])
    active = spiking(o)
    above, below = (a[active].reshape(-1, a.shape[-1]) for a in (epsilon, o))
    return np.asarray(above.T @ below)


def spiking(o: Array) -> slice:
    """Return the steps from the first spike to the last."""
    steps = np.flatnonzero(o.reshape(len(o), -1).max(axis=1))
    return slice(steps[0], steps[-1] + 1) if len(steps) else slice(0, 0)


@njit(fastmath=True, cache=True)
def integrate(U, O, b, f, v_th):  # type: ignore[no-untyped-def]
    """Turn the weighted input U into potentials in place, and fill the spikes O."""
    T, S, n = U.shape
    kept, less, v_th = f[0], f[1] - f[0], np.float32(v_th)
    for t in range(T):
        for s in range(S):
            for i in range(n):
                u = U[t, s, i] + b[i]
                if t:
                    u += U[t - 1, s, i] * (kept + less * O[t - 1, s, i])  # fwd-u
                U[t, s, i] = u
                O[t, s, i] = u >= v_th  # fwd-o


@njit(fastmath={"contract"}, cache=True)
def back(delta, U, O, H, f, df, limit, carries, resets, straight, change, others,
         err, epsilon):  # type: ignore[no-untyped-def]  # fmt: skip
    """Fill err and ε of a layer, from the last step down, sample by sample."""
    T, S, n = U.shape
    f0, less, df0, more = f[0], f[1] - f[0], df[0], df[1] - df[0]
    with_carry, with_reset = np.float32(carries), np.float32(resets)
    one, limit = np.float32(1), np.float32(limit)
    carry, gain = np.empty(n, np.float32), np.empty(n, np.float32)
    for s in range(S):
        e, x = err[T - 1, s], epsilon[T - 1, s]
        for i in range(n):
            e[i] = x[i] = delta[T - 1, s, i] * H[T - 1, s, i]
        for t in range(T - 2, -1, -1):
            u, o, h, d = U[t, s], O[t, s], H[t, s], delta[t, s]
            e, x, e_next, x_next = (
                err[t, s],
                epsilon[t, s],
                err[t + 1, s],
                epsilon[t + 1, s],
            )
            for i in range(n):
                carry[i] = f0 + less * o[i]
                gain[i] = (
                    with_carry * carry[i]
                    + with_reset * u[i] * (df0 + more * o[i]) * h[i]
                )
            if change == TURN:
                for i in range(n):
                    gain[i] = abs(gain[i])
            elif change == HOLD_OTHERS:
                for i in range(n):
                    j, k = divmod(others[s * n + i], n)
                    there = with_carry * (f0 + less * O[t, j, k])
                    there += (
                        with_reset * U[t, j, k] * (df0 + more * O[t, j, k]) * H[t, j, k]
                    )
                    gain[i] /= max(abs(there), one)
            elif limit > 0:
                for i in range(n):
                    gain[i] = min(max(gain[i], -limit), limit)
                    carry[i] = min(max(carry[i], -limit), limit)
            if carries:
                for i in range(n):
                    x[i] = d[i] * h[i] + gain[i] * x_next[i] + FLOOR - FLOOR
                    e[i] = d[i] * h[i] if straight else x[i]
            else:  # classic: the gain is that of err, and ε carries on what err begins
                for i in range(n):
                    e[i] = d[i] * h[i] + gain[i] * e_next[i] + FLOOR - FLOOR
                    x[i] = e[i] + carry[i] * x_next[i] + FLOOR - FLOOR
