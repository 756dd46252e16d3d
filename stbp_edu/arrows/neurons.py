"""Neurons as tables of arrows: Part I's, and what changes when the model changes."""

from dataclasses import replace
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.table import Arrow, Enter, Neuron, Parameters, State, States
from stbp_edu.neuron import HARD_GATES, LIF


def _with_leak(lif: LIF, p: Parameters) -> LIF:
    """Return the neuron's constants with the layer's own leak, where that is learned."""
    return replace(lif, tau=float(p["tau"])) if "tau" in p else lif


def _neuron(lif: LIF, potential: Any, carry: Arrow, reset: Arrow) -> Neuron:
    """Return the neuron with one potential u and the spike o."""
    spike = Arrow("spike", "u", "o", lambda s, p: lif.h(s["u"]), "h(u{})")
    return Neuron(
        states=(State("u", r"\varepsilon", potential), State("o", r"\delta")),
        arrows=(spike, carry, reset),
        distance=lambda s: s["u"] - lif.v_th,
        surrogate=lif.surrogate,
    )


def hard_reset(lif: LIF, *, learn_leak: bool = False) -> Neuron:
    """Return the neuron of Part I: u^{t+1} = u^t f(o^t) + x^{t+1} + b.

    Arrows: carry f(o), reset u f'(o), spike h(u).

    Args:
        lif: τ, V_th, surrogate, and the gate f: exponential or linear.
        learn_leak: whether τ is a parameter of each layer, with a gradient of its own.

    Raises:
        ValueError: if the gate is the soft one.

    >>> [arrow.kind for arrow in hard_reset(LIF()).arrows]
    ['spike', 'carry', 'reset']
    """
    if lif.gate not in HARD_GATES:
        raise ValueError(
            f"lif.gate must be one of {HARD_GATES}, got {lif.gate!r}; use soft_reset(lif)"
        )

    def potential(now: States, past: States, x: Any, p: Parameters) -> Any:
        """Return u: what the gate lets through, and what comes in."""
        return past["u"] * _with_leak(lif, p).f(past["o"]) + x

    def leak(s: States, p: Parameters) -> Any:
        """Return τ, as if no spike had reset."""
        return np.full_like(s["u"], _with_leak(lif, p).tau)

    def by_tau(s: States, p: Parameters) -> Any:
        """Return u ∂f/∂τ."""
        o, tau = s["o"], _with_leak(lif, p).tau
        return s["u"] * (1 - o if lif.gate == "linear" else np.exp(-o / tau) * (1 + o / tau))

    carry = Arrow(
        "carry", "u", "u", lambda s, p: _with_leak(lif, p).f(s["o"]), "f(o{})", step=1, leak=leak
    )
    reset = Arrow(
        "reset", "o", "u", lambda s, p: s["u"] * _with_leak(lif, p).df(s["o"]), "u{} f'(o{})", 1
    )
    letters = r"u{} \partial_{\tau}f(o{})"
    neuron = _neuron(lif, potential, carry, reset)
    return _learning_leak(neuron, by_tau, letters, lif) if learn_leak else neuron


def soft_reset(lif: LIF, *, learn_leak: bool = False) -> Neuron:
    """Return the neuron whose spike takes V_th off: u^{t+1} = τ u^t + x^{t+1} + b - V_th o^t.

    Arrows: carry τ, reset -V_th, spike h(u). The gate of ``lif`` plays no part.

    >>> soft_reset(LIF(v_th=1.0)).arrows[2].letters
    '-V_{th}'
    """

    def potential(now: States, past: States, x: Any, p: Parameters) -> Any:
        """Return u."""
        return _with_leak(lif, p).tau * past["u"] + x - lif.v_th * past["o"]  # p2-soft-u

    def tau(s: States, p: Parameters) -> Any:
        """Return τ."""
        return np.full_like(s["u"], _with_leak(lif, p).tau)  # p2-soft-epsilon

    def off(s: States, p: Parameters) -> Any:
        """Return -V_th."""
        return np.full_like(s["u"], -lif.v_th)  # p2-soft-delta, p2-soft-delta-output

    carry = Arrow("carry", "u", "u", tau, r"\tau", step=1, leak=tau)
    neuron = _neuron(lif, potential, carry, Arrow("reset", "o", "u", off, "-V_{th}", step=1))
    return _learning_leak(neuron, lambda s, p: s["u"], "u{}", lif) if learn_leak else neuron


def _learning_leak(neuron: Neuron, by_tau: Any, letters: str, lif: LIF) -> Neuron:
    """Return the neuron with τ among its parameters."""
    return replace(neuron, learned={"tau": Enter("u", by_tau, letters, lif.tau)})


def with_current(neuron: Neuron, alpha: float) -> Neuron:
    """Return the neuron with a synaptic current between input and potential.

    i^{t+1} = α i^t + x^{t+1} + b enters u^{t+1} in place of x^{t+1} + b. Arrows: decay α from i to
    i, charge 1 from i to u.

    >>> with_current(hard_reset(LIF()), alpha=0.5).order
    ('i', 'u', 'o')
    """
    alpha = checks.number("alpha", alpha)

    def current(now: States, past: States, x: Any, p: Parameters) -> Any:
        """Return i."""
        return alpha * past["i"] + x  # p2-current-c

    def driven(state: State) -> State:
        """Return a state whose input is the current."""
        if state.name != neuron.input or state.update is None:
            return state
        old = state.update
        return replace(
            state,
            update=lambda now, past, x, p: old(now, past, now["i"], p),  # p2-current-u
        )

    new = (  # p2-current-gamma
        Arrow("decay", "i", "i", lambda s, p: np.full_like(s["i"], alpha), r"\alpha", step=1),
        Arrow("charge", "i", neuron.input, lambda s, p: np.ones_like(s["i"]), ""),
    )
    states = (State("i", r"\gamma", current), *map(driven, neuron.states))
    return replace(neuron, states=states, arrows=neuron.arrows + new, input="i")


def with_adaptation(neuron: Neuron, beta: float, rho: float) -> Neuron:
    """Return the neuron with a threshold that rises with each spike: V_th + β a.

    a^{t+1} = ρ a^t + o^t. Arrows: adapt 1 from o to the next a, relax ρ from a to the next a,
    threshold -β h from a to o.

    >>> with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).order[-1]
    'o'
    """
    beta, rho = checks.number("beta", beta), checks.number("rho", rho)

    def distance(s: States) -> Any:
        """Return u - V_th - β a."""
        return neuron.distance(s) - beta * s["a"]  # p2-adapt-o

    def h(s: States, p: Parameters) -> Any:
        """Return the surrogate at this distance."""
        return neuron.surrogate.derivative(distance(s))

    def level(now: States, past: States, x: Any, p: Parameters) -> Any:
        """Return a."""
        return rho * past["a"] + past["o"]  # p2-adapt-a

    higher = r"h(u{}-\beta a{})"
    # p2-adapt-epsilon
    kept = [replace(a, factor=h, letters=higher) if a.kind == "spike" else a for a in neuron.arrows]
    new = (
        Arrow("adapt", "o", "a", lambda s, p: np.ones_like(s["o"]), "", step=1),  # p2-adapt-delta
        Arrow("relax", "a", "a", lambda s, p: np.full_like(s["a"], rho), r"\rho", step=1),
        # p2-adapt-zeta: this arrow and the one above
        Arrow("threshold", "a", "o", lambda s, p: -beta * h(s, p), r"-\beta " + higher),
    )
    return replace(
        neuron,
        states=(*neuron.states, State("a", r"\zeta", level)),
        arrows=(*kept, *new),
        distance=distance,
    )
