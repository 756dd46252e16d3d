"""The neurons of Part I as tables of arrows, what may be added to them, and their gradients.

``backward`` takes any rule on a network of Part I; :func:`stbp_edu.backward` takes five.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.adjoints import (
    LocalDerivatives,
    derivatives_on,
    gradients,
    lambdas,
)
from stbp_edu.arrows.arrow import Neuron, neuron_from
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import Loss, network
from stbp_edu.forward_pass import Trace, check_trace
from stbp_edu.lines.text import read_lines
from stbp_edu.losses import RATE
from stbp_edu.losses.of_states import Built, Direct, direct_term
from stbp_edu.neuron import HARD_GATES, LIF, LINES
from stbp_edu.parameters import Gradients, Params, by_layer, by_name
from stbp_edu.surrogates import Surrogate


def neuron_of(
    text: str,
    constants: Mapping[str, float],
    surrogate: Surrogate,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
) -> Neuron:
    """Return the neuron of a text, as the course writes its formulas."""
    lines = replace(read_lines(text, constants), h_of_u=True)
    return neuron_from(lines, surrogate, learn, learn_each)


def from_lif(lif: LIF, *, learn: Collection[str] = ()) -> Neuron:
    """Return the table of a neuron of Part I, with the reset that its gate names.

    ``learn`` names the constants that each layer learns.

    >>> [arrow.kind for arrow in from_lif(LIF(gate="linear")).arrows]
    ['spike', 'carry', 'reset']
    """
    text = LINES[checks.instance("lif", lif, LIF).gate]
    constants = {"tau": lif.tau, "v_th": lif.v_th}
    return neuron_of(text, constants, lif.surrogate, learn)


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
    checks.instance("lif", lif, LIF)
    if lif.gate not in HARD_GATES:
        raise ValueError(
            f"lif.gate must be one of {HARD_GATES}, got {lif.gate!r}; use soft_reset(lif)"
        )
    return from_lif(lif, learn=["tau"] if learn_leak else [])


def soft_reset(lif: LIF, *, learn_leak: bool = False) -> Neuron:
    """Return the neuron whose spike takes V_th off: u^{t+1} = τ u^t + x^{t+1} + b - V_th o^t.

    Arrows: carry τ, reset -V_th, spike h(u). The gate of ``lif`` plays no part.

    >>> soft_reset(LIF(v_th=1.0)).arrows[2].letters
    '-V_{th}'
    """
    soft = replace(checks.instance("lif", lif, LIF), gate="soft")
    return from_lif(soft, learn=["tau"] if learn_leak else [])


def with_current(neuron: Neuron, alpha: float) -> Neuron:
    """Return the neuron with a synaptic current between input and potential.

    i^{t+1} = α i^t + x^{t+1} + b enters u^{t+1} in place of x^{t+1} + b. Arrows: decay α from i to
    i, charge 1 from i to u.

    >>> with_current(hard_reset(LIF()), alpha=0.5).order
    ('i', 'u', 'o')
    """
    own = checks.instance("neuron", neuron, Neuron).lines.text
    # p2-current-gamma: its derivative by i
    current = "i = alpha * i + x"  # p2-current-c
    rest = re.sub(r"\bx\b", "i", own)  # p2-current-u
    return _changed(neuron, f"{current}\n{rest}", alpha=alpha)


def with_adaptation(neuron: Neuron, beta: float, rho: float) -> Neuron:
    """Return the neuron with a threshold that rises with each spike: V_th + β a.

    a^{t+1} = ρ a^t + o^t. Arrows: adapt 1 from o to the next a, relax ρ from a to the next a,
    threshold -β h from a to o.

    >>> with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).order[-1]
    'o'
    """
    own = checks.instance("neuron", neuron, Neuron).lines.text
    # p2-adapt-delta, p2-adapt-zeta: its derivatives by o and a
    adaptation = "a = rho * a + o"  # p2-adapt-a
    text = re.sub(r"^u\b", f"{adaptation}\nu", own, flags=re.M)
    # p2-adapt-o, p2-adapt-epsilon: the derivative of the spike
    text = re.sub(r"\bspike\((.*)\)", r"spike(\1 - beta * a)", text)
    return _changed(neuron, text, beta=beta, rho=rho)


def _changed(neuron: Neuron, text: str, **constants: float) -> Neuron:
    """Return a neuron with other lines, which learns what it learned before."""
    every = dict(neuron.lines.constants)
    for name, value in constants.items():
        every[name] = checks.number(name, value)
    layer = [name for name in neuron.learned if name not in neuron.each]
    return neuron_of(text, every, neuron.surrogate, layer, neuron.each)


def backward(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    rule: str | Rule,
    loss: Built | Direct = RATE,
) -> Gradients:
    """Return dL/dW and dL/db of a forward pass of Part I under a rule of Part II.

    The arguments are those of :func:`stbp_edu.backward`, but for ``rule``, a name in ``RULES`` or a
    :class:`Rule`, and ``loss``, which may be a direct term, of spikes or of potentials.

    Raises:
        TypeError, ValueError: if the arguments are not those of one pass, the loss reads spikes
            and potentials at once, or the rule is unknown or keeps no word of this network.

    >>> import numpy as np, stbp_edu
    >>> rng, neuron = np.random.default_rng(0), stbp_edu.LIF()
    >>> params = stbp_edu.init_params([3, 2, 1], rng)
    >>> run = stbp_edu.forward(rng.random((4, 2, 3)), params, neuron), np.ones((2, 1))
    >>> same = stbp_edu.backward(*run, params, neuron, "classic").W[1]
    >>> np.allclose(backward(*run, params, neuron, "classic").W[1], same)
    True
    """
    local = as_local(trace, targets, params, neuron, loss)
    rule = as_rule(rule)
    lam = lambdas(local, rule)
    layers = gradients(local, lam, rule.start)
    return Gradients(**by_name(layers))


def as_local(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    loss: Built | Direct = RATE,
) -> LocalDerivatives:
    """Return the factor of every arrow on a forward pass of Part I, as :func:`lambdas` takes them.

    The arguments are those of :func:`backward`.
    """
    check_trace(trace, params, neuron)
    direct = direct_term(loss, trace, targets)
    if direct.o is not None and direct.u is not None:
        raise ValueError(
            "loss must read spikes or potentials, got a direct term of both; add up the gradients "
            "of Direct(o) and Direct(None, u)"
        )
    state = "o" if direct.u is None else "u"
    slope: Any = getattr(direct, state)
    net = network(params.sizes, from_lif(neuron), Loss(state))
    run = {"u": list(trace.U), "o": list(trace.O)}
    return derivatives_on(net, by_layer(params), run, slope)
