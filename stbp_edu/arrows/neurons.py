"""The neurons of the course as forward lines: Part I's, and what changes when the model changes."""

import re

from stbp_edu import checks
from stbp_edu.arrows.lines.text import read_lines
from stbp_edu.arrows.table import Neuron, neuron_from
from stbp_edu.neuron import HARD_GATES, LIF

GATES = {"exponential": "tau * exp(-o / tau)", "linear": "tau * (1 - o)"}
SPIKE = "o = spike(u - v_th)"
HARD = "u = u * f(o) + x"
# p2-soft-epsilon, p2-soft-delta, p2-soft-delta-output: the derivatives of this line by u and o
SOFT = "u = tau * u + x - v_th * o"  # p2-soft-u
CURRENT = "i = alpha * i + x"  # p2-current-c; p2-current-gamma: its derivative by i
# p2-adapt-delta, p2-adapt-zeta: its derivatives by o and a, and those of the spike's line
ADAPTATION = "a = rho * a + o"  # p2-adapt-a
RAISED = r"o = spike(\1 - beta * a)"  # p2-adapt-o, p2-adapt-epsilon


def lif_lines(lif: LIF) -> str:
    """Return a neuron of Part I as forward lines.

    >>> print(lif_lines(LIF(gate="linear")))
    f(o) = tau * (1 - o)
    u = u * f(o) + x
    o = spike(u - v_th)
    """
    if checks.instance("lif", lif, LIF).gate not in GATES:
        return f"{SOFT}\n{SPIKE}"
    return f"f(o) = {GATES[lif.gate]}\n{HARD}\n{SPIKE}"


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
    if checks.instance("lif", lif, LIF).gate not in HARD_GATES:
        raise ValueError(
            f"lif.gate must be one of {HARD_GATES}, got {lif.gate!r}; use soft_reset(lif)"
        )
    return _neuron(lif, lif_lines(lif), learn_leak)


def soft_reset(lif: LIF, *, learn_leak: bool = False) -> Neuron:
    """Return the neuron whose spike takes V_th off: u^{t+1} = τ u^t + x^{t+1} + b - V_th o^t.

    Arrows: carry τ, reset -V_th, spike h(u). The gate of ``lif`` plays no part.

    >>> soft_reset(LIF(v_th=1.0)).arrows[2].letters
    '-V_{th}'
    """
    return _neuron(checks.instance("lif", lif, LIF), f"{SOFT}\n{SPIKE}", learn_leak)


def from_lif(lif: LIF) -> Neuron:
    """Return the neuron of an LIF, whose gate says how it resets."""
    return _neuron(lif, lif_lines(lif), learn_leak=False)


def _neuron(lif: LIF, text: str, learn_leak: bool) -> Neuron:
    """Return the neuron of a text with the constants of Part I."""
    lines = read_lines(text, {"tau": lif.tau, "v_th": lif.v_th})
    learn_leak = checks.instance("learn_leak", learn_leak, bool)
    return neuron_from(lines, lif.surrogate, ["tau"] if learn_leak else [], h_of_u=True)


def with_current(neuron: Neuron, alpha: float) -> Neuron:
    """Return the neuron with a synaptic current between input and potential.

    i^{t+1} = α i^t + x^{t+1} + b enters u^{t+1} in place of x^{t+1} + b. Arrows: decay α from i to
    i, charge 1 from i to u.

    >>> with_current(hard_reset(LIF()), alpha=0.5).order
    ('i', 'u', 'o')
    """
    text = checks.instance("neuron", neuron, Neuron).lines.text
    driven = re.sub(r"\bx\b", "i", text)  # p2-current-u
    return _changed(neuron, f"{CURRENT}\n{driven}", alpha=alpha)


def with_adaptation(neuron: Neuron, beta: float, rho: float) -> Neuron:
    """Return the neuron with a threshold that rises with each spike: V_th + β a.

    a^{t+1} = ρ a^t + o^t. Arrows: adapt 1 from o to the next a, relax ρ from a to the next a,
    threshold -β h from a to o.

    >>> with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).order[-1]
    'o'
    """
    text = checks.instance("neuron", neuron, Neuron).lines.text
    raised = re.sub(r"o = spike\((.*)\)", RAISED, text)
    return _changed(neuron, raised.replace("u = ", f"{ADAPTATION}\nu = "), beta=beta, rho=rho)


def _changed(neuron: Neuron, text: str, **constants: float) -> Neuron:
    """Return a neuron with other lines, which learns what it learned before."""
    lines = read_lines(text, {**neuron.lines.constants, **constants})
    layer = [name for name in neuron.learned if name not in neuron.each]
    return neuron_from(lines, neuron.surrogate, layer, neuron.each, h_of_u=True)
