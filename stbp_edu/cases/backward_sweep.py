"""The backward sweep: from the last step and the output layer down, the right case at each.

Of the loss, only the direct term is seen: δ of case 1, and the first term of case 3. Of a rule,
the incoming signal err, and f and f' as its backward pass takes them.
"""

from typing import Any

import numpy as np

from stbp_edu.cases import vector
from stbp_edu.cases.vector import case_at
from stbp_edu.checks import Array
from stbp_edu.losses import RATE, LossLike
from stbp_edu.losses.reading import checked, direct_term
from stbp_edu.network import Adjoints, Gradients, Params, Trace, check_trace
from stbp_edu.neuron import LIF
from stbp_edu.rules import backward_gate


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
        neuron: the neuron of that pass; with a hard reset, from which the cases are derived.
        rule: ``"exact"``, err = ε (id ``err-exact``); ``"classic"``, err = δ ⊙ h(U)
            (id ``err-classic``), and what a loss on the potential adds: all of ε but what was
            carried; or an ablation of :mod:`stbp_edu.rules`.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term ∂L/∂o^{t,N}, (T, S, n[N]).

    Raises:
        TypeError, ValueError: if shapes or dtypes do not fit, the rule is unknown, or the neuron
            has the soft reset.

    >>> from stbp_edu.network import forward, init_params
    >>> rng = np.random.default_rng(0)
    >>> neuron, params = LIF(tau=0.5, v_th=0.5), init_params([3, 2, 1], rng)
    >>> trace = forward(rng.random((4, 2, 3)), params, neuron)
    >>> sweep(trace, np.ones((2, 1)), params, neuron).delta[1].shape
    (4, 2, 2)
    """
    _, S = check_trace(trace, params)
    dL_do, dL_du = direct_term(checked(loss, trace, targets), trace, targets, S)
    if dL_do is None:
        dL_do = np.zeros_like(trace.O[-1])
    delta, epsilon = _adjoints(trace, dL_do, dL_du, params, neuron, rule)
    O, layers = trace.O, range(1, params.N + 1)
    gradients = Gradients(
        W=[None, *(vector.c5_w(epsilon[n], O[n - 1]) for n in layers)],
        b=[None, *(vector.c5_b(epsilon[n]) for n in layers)],
    )
    return Adjoints(delta=delta, epsilon=epsilon, gradients=gradients)


def _adjoints(
    trace: Trace, dL_do: Array, dL_du: Array | None, params: Params, neuron: LIF, rule: str
) -> tuple[list[Any], list[Any]]:
    """Return every δ and every ε, given ∂L/∂o^{t,N} and ∂L/∂u^{t,N} at every t."""
    f, df = backward_gate(neuron, rule)
    if neuron.gate == "soft":
        raise ValueError(
            "neuron must have a hard reset in the five cases, got gate='soft'; for its gradients "
            "take stbp_edu.backward, and for δ and ε stbp_edu.arrows with soft_reset"
        )
    U, O, W, N, T = trace.U, trace.O, params.W, params.N, len(dL_do)
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
                    delta[n][t] = vector.c3_delta(dL_do[t], after, u, df(o))  # p2-loss-delta
                    epsilon[n][t] = vector.c3_epsilon(delta[n][t], h, epsilon[n][t + 1], f(o))
                case 4:
                    above = err(t, n + 1)
                    delta[n][t] = vector.c4_delta(above, W[n + 1], err(t + 1, n), u, df(o))
                    epsilon[n][t] = vector.c4_epsilon(delta[n][t], h, epsilon[n][t + 1], f(o))
            if n == N and dL_du is not None:
                epsilon[n][t] += dL_du[t]  # p2-loss-epsilon: the arrow u^{t,N} → L
    return delta, epsilon
