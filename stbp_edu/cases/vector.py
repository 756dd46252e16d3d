"""The five cases in vector form, for a whole batch; where each holds; and the sweep over all.

A row is a sample: δ, ε, err, U and O at one (t, n) have shape (S, n[n]). So the
(W^{n+1})ᵀ err, for a column, reads ``err @ W`` here. ``err`` is the incoming signal: ε for the
exact rule, δ ⊙ h(U) for the classic one.

``c1_delta`` is the rate loss's. Another loss puts its own ∂L/∂o^{t,N} there and in place of the
first term of ``c3_delta``; one that reads the potential adds ∂L/∂u^{t,N} to ε at the output. Of a
rule, the sweep sees the incoming signal err, and f and f' as its backward pass takes them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Adjoints, Trace, check_trace
from stbp_edu.losses import RATE, LossLike
from stbp_edu.losses.of_states import direct_term
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params

CASE_RULES = ("exact", "classic")
"""The two rules; they differ in one expression, the incoming signal err."""

CARRIED: dict[str, Callable[[Any, float], Any]] = {
    "detached-reset": lambda f, tau: f,
    "leak-only": lambda f, tau: tau,
    "spatial-only": lambda f, tau: 0.0,
}
"""What each ablation takes for f, which carries ε to the step before; for f' all take 0."""

ABLATIONS = tuple(CARRIED)
"""The ablations: the exact rule with the gate's f or f' changed in the backward pass only."""

Gate = Callable[[Array], Array]
"""f or f': spikes to factors, elementwise."""


def case_at(t: int, n: int, T: int, N: int) -> int:
    """Return which case holds at step t (from 0) and layer n (1 to N).

    In the paper's t, from 1: case 1 where t = T, n = N; 2 where t = T, n < N; 3 where t < T,
    n = N; 4 where t < T, n < N.

    Raises:
        TypeError, ValueError: if an argument is not an integer or lies outside the grid.

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


def c1_delta(Y: Array, O: Array) -> Array:
    """Return Δ^{T,N} = -1/(TS) · (Y - 1/T Σ_k O^{k,N}), shape (S, n[N]).

    Args:
        Y: targets, shape (S, n[N]).
        O: output spikes at every step, shape (T, S, n[N]).

    >>> c1_delta(np.array([[1.0]]), np.array([[[0.0]], [[1.0]]]))
    array([[-0.25]])
    """
    T, S, _ = O.shape
    return -(Y - O.mean(axis=0)) / (T * S)  # c1-delta


def c1_epsilon(delta: Array, h: Array) -> Array:
    """Return E^{T,N} = Δ^{T,N} ⊙ h(U^{T,N}).

    >>> c1_epsilon(np.array([[-0.25]]), np.array([[0.5]]))
    array([[-0.125]])
    """
    return delta * h  # c1-epsilon


def c2_delta(err_above: Array, W_above: Array) -> Array:
    """Return Δ^{T,n} = (W^{n+1})ᵀ err^{T,n+1}.

    Args:
        err_above: err^{T,n+1}, shape (S, n[n+1]).
        W_above: W^{n+1}, shape (n[n+1], n[n]).

    >>> c2_delta(np.array([[1.0, 2.0]]), np.array([[0.5], [-1.0]]))
    array([[-1.5]])
    """
    return err_above @ W_above  # c2-delta, c2-delta-classic


def c2_epsilon(delta: Array, h: Array) -> Array:
    """Return E^{T,n} = Δ^{T,n} ⊙ h(U^{T,n}).

    >>> c2_epsilon(np.array([[-1.5]]), np.array([[0.5]]))
    array([[-0.75]])
    """
    return delta * h  # c2-epsilon


def c3_delta(direct: Array, err_next: Array, U: Array, df: Array) -> Array:
    """Return Δ^{t,N} = ∂L/∂O^{t,N} + err^{t+1,N} ⊙ U^{t,N} ⊙ f'(O^{t,N}), shape (S, n[N]).

    The rate loss has the same ``direct``, ∂L/∂O^{t,N}, at every step: it is Δ^{T,N}.

    >>> one = np.ones((1, 1))
    >>> c3_delta(-one, one, 2 * one, -one)
    array([[-3.]])
    """
    return direct + err_next * U * df  # c3-delta, c3-delta-classic


def c3_epsilon(delta: Array, h: Array, epsilon_next: Array, f: Array) -> Array:
    """Return E^{t,N} = Δ^{t,N} ⊙ h(U^{t,N}) + E^{t+1,N} ⊙ f(O^{t,N}).

    >>> one = np.ones((1, 1))
    >>> c3_epsilon(-one, one / 2, one, one / 4)
    array([[-0.25]])
    """
    return delta * h + epsilon_next * f  # c3-epsilon


def c4_delta(err_above: Array, W_above: Array, err_next: Array, U: Array, df: Array) -> Array:
    """Return Δ^{t,n} = (W^{n+1})ᵀ err^{t,n+1} + err^{t+1,n} ⊙ U^{t,n} ⊙ f'(O^{t,n}), (S, n[n]).

    >>> one = np.ones((1, 1))
    >>> c4_delta(one, one / 2, one, 2 * one, -one)
    array([[-1.5]])
    """
    return err_above @ W_above + err_next * U * df  # c4-delta, c4-delta-classic


def c4_epsilon(delta: Array, h: Array, epsilon_next: Array, f: Array) -> Array:
    """Return E^{t,n} = Δ^{t,n} ⊙ h(U^{t,n}) + E^{t+1,n} ⊙ f(O^{t,n}).

    >>> one = np.ones((1, 1))
    >>> c4_epsilon(one, one / 2, one, one / 4)
    array([[0.75]])
    """
    return delta * h + epsilon_next * f  # c4-epsilon


def c5_b(epsilon: Array) -> Array:
    """Return ∂L/∂b^n = Σ_t E^{t,n}, summed over samples: (T, S, n[n]) -> (n[n],).

    >>> c5_b(np.ones((3, 2, 4)))
    array([6., 6., 6., 6.])
    """
    return epsilon.sum(axis=(0, 1))  # c5-b


def c5_w(epsilon: Array, O_below: Array) -> Array:
    """Return ∂L/∂W^n = Σ_t E^{t,n} (O^{t,n-1})ᵀ, summed over samples.

    Every step comes in: (T, S, n[n]), (T, S, n[n-1]) -> (n[n], n[n-1]).

    >>> c5_w(np.ones((3, 2, 1)), np.ones((3, 2, 2)))
    array([[6., 6.]])
    """
    return (epsilon.swapaxes(1, 2) @ O_below).sum(axis=0)  # c5-w


def backward_gate(neuron: LIF, rule: str) -> tuple[Gate, Gate]:
    """Return f and f' as the backward pass of this rule sees them.

    ``exact`` and ``classic``: the neuron's own. ``detached-reset``: f' := 0, as where a framework
    detaches the reset; the page on resets lists which do so by default. ``leak-only``: f := τ
    too, as if no spike had reset. ``spatial-only``: nothing flows from step to step.

    >>> f, df = backward_gate(LIF(tau=0.5), "leak-only")
    >>> f(np.array([0.0, 1.0])), df(np.array([0.0, 1.0]))
    (array([0.5, 0.5]), array([0., 0.]))
    """
    checks.instance("neuron", neuron, LIF)
    if checks.choice("rule", rule, CASE_RULES + ABLATIONS) in CASE_RULES:
        return neuron.f, neuron.df

    def carried(o: Array) -> Array:
        """Return the factor used for f(o)."""
        return np.full_like(o, CARRIED[rule](neuron.f(o), neuron.tau))

    return carried, np.zeros_like


def sweep(
    trace: Trace,
    targets: ArrayLike | None,
    params: Params,
    neuron: LIF,
    rule: str = "exact",
    loss: LossLike = RATE,
) -> Adjoints:
    """Return every δ, every ε and both gradients of a forward pass, by the five cases.

    Args:
        trace: the forward pass.
        targets: Y, shape (S, n[N]); not read where ``loss`` is a direct term.
        params: the parameters of that pass, unchanged since.
        neuron: the neuron of that pass; with a hard reset, from which the cases are derived.
        rule: ``"exact"``, err = ε (id ``err-exact``); ``"classic"``, err = δ ⊙ h(U)
            (id ``err-classic``), and what a loss on the potential adds: all of ε but what was
            carried; or an ablation, see :func:`backward_gate`.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term ∂L/∂o^{t,N}, (T, S, n[N]).

    Raises:
        TypeError, ValueError: if shapes or dtypes do not fit, the rule is unknown, or the neuron
            has the soft reset.

    >>> from stbp_edu.forward_pass import forward
    >>> from stbp_edu.parameters import init_params
    >>> rng = np.random.default_rng(0)
    >>> neuron, params = LIF(tau=0.5, v_th=0.5), init_params([3, 2, 1], rng)
    >>> trace = forward(rng.random((4, 2, 3)), params, neuron)
    >>> sweep(trace, np.ones((2, 1)), params, neuron).delta[1].shape
    (4, 2, 2)
    """
    check_trace(trace, params, neuron)
    dL_do, dL_du = direct_term(loss, trace, targets)
    if dL_do is None:
        dL_do = np.zeros_like(trace.O[-1])
    delta, epsilon = _adjoints(trace, dL_do, dL_du, params, neuron, rule)
    O, layers = trace.O, range(1, params.N + 1)
    gradients = Gradients(
        W=[None, *(c5_w(epsilon[n], O[n - 1]) for n in layers)],
        b=[None, *(c5_b(epsilon[n]) for n in layers)],
    )
    return Adjoints(delta=delta, epsilon=epsilon, gradients=gradients)


def backward(
    trace: Trace,
    targets: ArrayLike | None,
    params: Params,
    neuron: LIF,
    rule: str = "exact",
    loss: LossLike = RATE,
) -> Gradients:
    """Return dL/dW and dL/db of a forward pass: the gradients of :func:`sweep`.

    The arguments are those of :func:`sweep`. For other neurons, for more rules and for speed,
    take ``stbp_edu.network``.

    Raises:
        TypeError, ValueError: if shapes or dtypes do not fit, the rule is unknown, or the neuron
            is not an :class:`LIF` with a hard reset.

    >>> from stbp_edu.forward_pass import forward
    >>> params = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> neuron = LIF(tau=0.5, v_th=2.0)
    >>> trace = forward(np.ones((3, 1, 1)), params, neuron)
    >>> backward(trace, np.array([[1.0]]), params, neuron).b[1].round(4)
    array([-0.2957])
    """
    return sweep(trace, targets, params, neuron, rule, loss).gradients


def check_reset(neuron: LIF) -> None:
    """Check that a neuron has the reset of the five cases."""
    if neuron.gate == "soft":
        raise ValueError(
            "neuron must have a hard reset in the five cases, got gate='soft'; for its gradients "
            "take stbp_edu.network, and for δ and ε stbp_edu.arrows with soft_reset"
        )


def _adjoints(
    trace: Trace, dL_do: Array, dL_du: Array | None, params: Params, neuron: LIF, rule: str
) -> tuple[list[Any], list[Any]]:
    """Return every δ and every ε, given ∂L/∂o^{t,N} and ∂L/∂u^{t,N} at every t."""
    f, df = backward_gate(neuron, rule)
    check_reset(neuron)
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
                    epsilon[n][t] = c1_epsilon(delta[n][t], h)
                case 2:
                    delta[n][t] = c2_delta(err(t, n + 1), W[n + 1])
                    epsilon[n][t] = c2_epsilon(delta[n][t], h)
                case 3:
                    delta[n][t] = c3_delta(dL_do[t], err(t + 1, n), u, df(o))  # p2-loss-delta
                    epsilon[n][t] = c3_epsilon(delta[n][t], h, epsilon[n][t + 1], f(o))
                case 4:
                    delta[n][t] = c4_delta(err(t, n + 1), W[n + 1], err(t + 1, n), u, df(o))
                    epsilon[n][t] = c4_epsilon(delta[n][t], h, epsilon[n][t + 1], f(o))
            if n == N and dL_du is not None:
                epsilon[n][t] += dL_du[t]  # p2-loss-epsilon: the arrow u^{t,N} → L
    return delta, epsilon
