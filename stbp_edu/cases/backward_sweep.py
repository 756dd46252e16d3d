"""The backward sweep: from the last step and the output layer down, the right case at each.

Of another loss, only the direct term is seen: δ of case 1, and the first term of case 3. Of the
soft reset, only the two factors of time: f := τ, and -V_th · 1 for u · f', in cases 3 and 4.
"""

from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.cases import vector
from stbp_edu.checks import Array
from stbp_edu.losses import RATE, LossLike, Rate
from stbp_edu.losses.reading import Built, Direct, checked, direct_term
from stbp_edu.network import Adjoints, Gradients, Params, Trace, check_trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import backward_gate, backward_reset


def case_at(t: int, n: int, T: int, N: int) -> int:
    """Return which case holds at step t (from 0) and layer n (1 to N).

    In the paper's t, from 1: case 1 where t = T, n = N; 2 where t = T, n < N; 3 where t < T,
    n = N; 4 where t < T, n < N.

    Raises:
        TypeError, ValueError: if an argument is no integer or lies outside the grid.

    >>> [case_at(t, n, T=2, N=2) for n in (2, 1) for t in (0, 1)]
    [3, 1, 4, 2]
    """
    T, N = checks.count("T", T), checks.count("N", N)
    t, n = checks.count("t", t, at_least=0), checks.count("n", n)
    if t >= T:
        raise ValueError(f"t must be < T = {T}, got {t}; code counts steps from 0")
    if n > N:
        raise ValueError(f"n must be <= N = {N}, got {n}; the output layer is n = N")
    if t == T - 1:
        return 1 if n == N else 2
    return 3 if n == N else 4


def sweep(
    trace: Trace,
    targets: Array | None,
    params: Params,
    neuron: LIF,
    rule: str = "exact",
    loss: LossLike = RATE,
) -> Adjoints:
    """Return every δ, every ε and both gradients of a forward pass, by the five cases.

    Args:
        trace: the forward pass.
        targets: Y, shape (S, n[N]); not read where ``loss`` is a direct term.
        params: the parameters of that pass.
        neuron: the neuron of that pass.
        rule: ``"exact"``, err = ε (id ``err-exact``); ``"classic"``, err = δ ⊙ h(U)
            (id ``err-classic``), and what a loss on the potential adds: all of ε but what was
            carried; or an ablation of :mod:`stbp_edu.rules`.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term ∂L/∂o^{t,N}, (T, S, n[N]).

    Raises:
        TypeError, ValueError: if shapes or dtypes do not fit, or the rule is unknown.

    >>> from stbp_edu.network import forward, init_params
    >>> rng = np.random.default_rng(0)
    >>> neuron, params = LIF(tau=0.5, v_th=0.5), init_params([3, 2, 1], rng)
    >>> trace = forward(rng.random((4, 2, 3)), params, neuron)
    >>> sweep(trace, np.ones((2, 1)), params, neuron).delta[1].shape
    (4, 2, 2)
    """
    _, S = check_trace(trace, params)
    read = checked(loss, trace, targets)
    delta, epsilon = _adjoints(trace, _direct(read, trace, targets, S), params, neuron, rule)
    O, layers = trace.O, range(1, params.N + 1)
    gradients = Gradients(
        W=[None, *(vector.c5_w(epsilon[n], O[n - 1]) for n in layers)],
        b=[None, *(vector.c5_b(epsilon[n]) for n in layers)],
    )
    return Adjoints(delta=delta, epsilon=epsilon, gradients=gradients)


def _direct(read: Built | Direct, trace: Trace, targets: Any, S: int) -> tuple[Any, Any]:
    """Return ∂L/∂o^{t,N} and ∂L/∂u^{t,N} at every t, each 0 where the loss does not read it."""
    o = trace.O[-1]
    if type(read) is Rate:
        return np.broadcast_to(vector.c1_delta(targets, o), o.shape), None
    by_o, by_u = direct_term(read, trace, targets, S)
    return np.zeros_like(o) if by_o is None else by_o, by_u


def _adjoints(
    trace: Trace, direct: tuple[Any, Any], params: Params, neuron: LIF, rule: str
) -> tuple[list[Any], list[Any]]:
    """Return every δ and every ε."""
    f, _ = backward_gate(neuron, rule)
    reset = backward_reset(neuron, rule)  # u and f', or -V_th and 1
    U, O, W, N = trace.U, trace.O, params.W, params.N
    dL_do, dL_du = direct
    T = len(dL_do)
    delta: list[Any] = [None, *(np.empty_like(u) for u in U[1:])]
    epsilon: list[Any] = [None, *(np.empty_like(u) for u in U[1:])]

    def err(t: int, n: int) -> Array:
        """Return the signal that comes in from (t, n): the one place where the rules differ."""
        if rule != "classic":
            return epsilon[n][t]  # err-exact
        spiked = delta[n][t] * neuron.h(U[n][t])  # err-classic
        return spiked if n < N or dL_du is None else spiked + dL_du[t]

    for t in reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            u, o, h = U[n][t], O[n][t], neuron.h(U[n][t])
            match case_at(t, n, T, N):
                case 1:
                    delta[n][t] = dL_do[t]  # c1-delta, for the rate loss
                    epsilon[n][t] = vector.c1_epsilon(delta[n][t], h)
                case 2:
                    delta[n][t] = vector.c2_delta(err(t, n + 1), W[n + 1])
                    epsilon[n][t] = vector.c2_epsilon(delta[n][t], h)
                case 3:
                    after = err(t + 1, n)
                    delta[n][t] = vector.c3_delta(dL_do[t], after, *reset(u, o))  # p2-loss-delta
                    epsilon[n][t] = vector.c3_epsilon(delta[n][t], h, epsilon[n][t + 1], f(o))
                case 4:
                    above = err(t, n + 1)
                    delta[n][t] = vector.c4_delta(above, W[n + 1], err(t + 1, n), *reset(u, o))
                    epsilon[n][t] = vector.c4_epsilon(delta[n][t], h, epsilon[n][t + 1], f(o))
            if n == N and dL_du is not None:
                epsilon[n][t] += dL_du[t]  # p2-loss-epsilon: the arrow u^{t,N} → L
    return delta, epsilon
