"""Part I as tables of arrows: its neuron, what may be added to it, and any rule on its networks.

The engine has five rules, and is quicker.
"""

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
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.table import network
from stbp_edu.forward_pass import Trace, check_trace
from stbp_edu.lines import expressions as ex
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.losses import RATE
from stbp_edu.losses.of_states import Built, Direct, direct_term
from stbp_edu.neuron import HARD_GATES, LIF
from stbp_edu.parameters import Gradients, Params, by_layer, by_name
from stbp_edu.surrogates import Surrogate

Updates = Mapping[str, ex.Expression]
"""The update of each state, in the order of a step."""

X = ex.Name("x", "now")
U = ex.Name("u", "now")
U_LAST = ex.Name("u", "last")
I = ex.Name("i", "now")
I_LAST = ex.Name("i", "last")
A = ex.Name("a", "now")
A_LAST = ex.Name("a", "last")
O_LAST = ex.Name("o", "last")
O_GIVEN = ex.Name("o", "argument")
TAU = ex.Name("tau")
V_TH = ex.Name("v_th")
ALPHA = ex.Name("alpha")
BETA = ex.Name("beta")
RHO = ex.Name("rho")

GATES = {
    "exponential": TAU * ex.call("exp", -O_GIVEN / TAU),
    "linear": TAU * (1 - O_GIVEN),
}
"""The forget gate f(o) of a hard reset."""


def lif_lines(gate: str) -> Updates:
    """Return the lines of the neuron of Part I.

    >>> print(written(lif_lines("linear")))
    f(o) = tau * (1 - o)
    u = u * f(o) + x
    o = spike(u - v_th)
    """
    if gate == "soft":
        # p2-soft-epsilon, p2-soft-delta, p2-soft-delta-output: its derivatives by u and o
        u = TAU * U_LAST + X - V_TH * O_LAST  # p2-soft-u
    else:
        f = ex.Function("f", (O_GIVEN,), GATES[gate])
        u = U_LAST * ex.Call(f, (O_LAST,)) + X
    return {"u": u, "o": ex.call("spike", U - V_TH)}


def written(lines: Updates) -> str:
    """Return lines as a text, with a line for each function that they call."""
    text = {}
    for state, line in lines.items():
        for f in ex.ops_in(line):
            if isinstance(f, ex.Function):
                names = ", ".join(one.name for one in f.parameters)
                left = f"{f.label}({names})"
                text[f.label] = f"{left} = {ex.python(f.body)}"
        text[state] = f"{state} = {ex.python(_as_names(line))}"
    return "\n".join(text.values())


def _as_names(tree: ex.Expression) -> ex.Expression:
    """Return an expression in which each call of a function of its own is a name."""
    if not isinstance(tree, ex.Call):
        return tree
    args = tuple(map(_as_names, tree.args))
    if isinstance(tree.op, ex.Function):
        written_args = ", ".join(map(ex.python, args))
        return ex.Name(f"{tree.op.label}({written_args})")
    return ex.Call(tree.op, args)


def neuron_of(
    lines: Updates,
    constants: Mapping[str, float],
    surrogate: Surrogate,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
) -> Neuron:
    """Return the neuron of lines that are built, as the course writes its formulas."""
    forward = ForwardLines(written(lines), lines, constants)
    return neuron_from(forward, surrogate, learn, learn_each, h_of_u=True)


def from_lif(
    lif: LIF, *, learn: Collection[str] = (), learn_each: Collection[str] = ()
) -> Neuron:
    """Return the table of a neuron of Part I, with the reset that its gate names.

    ``learn`` names the constants that each layer learns, ``learn_each`` those that each neuron
    learns.

    >>> [arrow.kind for arrow in from_lif(LIF(gate="linear")).arrows]
    ['spike', 'carry', 'reset']
    """
    lines = lif_lines(checks.instance("lif", lif, LIF).gate)
    constants = {"tau": lif.tau, "v_th": lif.v_th}
    return neuron_of(lines, constants, lif.surrogate, learn, learn_each)


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
    return from_lif(lif, learn=_leak(learn_leak))


def soft_reset(lif: LIF, *, learn_leak: bool = False) -> Neuron:
    """Return the neuron whose spike takes V_th off: u^{t+1} = τ u^t + x^{t+1} + b - V_th o^t.

    Arrows: carry τ, reset -V_th, spike h(u). The gate of ``lif`` plays no part.

    >>> soft_reset(LIF(v_th=1.0)).arrows[2].letters
    '-V_{th}'
    """
    soft = replace(checks.instance("lif", lif, LIF), gate="soft")
    return from_lif(soft, learn=_leak(learn_leak))


def _leak(learned: bool) -> list[str]:
    """Return the names of the learned constants: τ, or none."""
    checks.instance("learn_leak", learned, bool)
    if learned:
        return ["tau"]
    return []


def with_current(neuron: Neuron, alpha: float) -> Neuron:
    """Return the neuron with a synaptic current between input and potential.

    i^{t+1} = α i^t + x^{t+1} + b enters u^{t+1} in place of x^{t+1} + b. Arrows: decay α from i to
    i, charge 1 from i to u.

    >>> with_current(hard_reset(LIF()), alpha=0.5).order
    ('i', 'u', 'o')
    """
    own = checks.instance("neuron", neuron, Neuron).lines.lines
    # p2-current-gamma: its derivative by i
    lines: dict[str, ex.Expression] = {"i": ALPHA * I_LAST + X}  # p2-current-c
    for state, line in own.items():
        lines[state] = ex.replaced(line, {X: I})  # p2-current-u
    return _changed(neuron, lines, alpha=alpha)


def with_adaptation(neuron: Neuron, beta: float, rho: float) -> Neuron:
    """Return the neuron with a threshold that rises with each spike: V_th + β a.

    a^{t+1} = ρ a^t + o^t. Arrows: adapt 1 from o to the next a, relax ρ from a to the next a,
    threshold -β h from a to o.

    >>> with_adaptation(hard_reset(LIF()), beta=0.5, rho=0.9).order[-1]
    'o'
    """
    own = checks.instance("neuron", neuron, Neuron).lines.lines
    lines: dict[str, ex.Expression] = {}
    for state, line in own.items():
        if state == "u":
            # p2-adapt-delta, p2-adapt-zeta: its derivatives by o and a
            lines["a"] = RHO * A_LAST + O_LAST  # p2-adapt-a
        lines[state] = line
    (distance,) = lines["o"].args  # type: ignore[union-attr]  # a spike is a call
    lines["o"] = ex.call("spike", distance - BETA * A)  # p2-adapt-o, p2-adapt-epsilon
    return _changed(neuron, lines, beta=beta, rho=rho)


def _changed(neuron: Neuron, lines: Updates, **constants: float) -> Neuron:
    """Return a neuron with other lines, which learns what it learned before."""
    every = dict(neuron.lines.constants)
    for name, value in constants.items():
        every[name] = checks.number(name, value)
    layer = [name for name in neuron.learned if name not in neuron.each]
    return neuron_of(lines, every, neuron.surrogate, layer, neuron.each)


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
    check_trace(trace, params)
    checks.instance("neuron", neuron, LIF)
    direct = direct_term(loss, trace, targets)
    if direct.o is not None and direct.u is not None:
        raise ValueError(
            "loss must read spikes or potentials, got a direct term of both; add up the gradients "
            "of Direct(o) and Direct(None, u)"
        )
    state = "o" if direct.u is None else "u"
    slope: Any = getattr(direct, state)
    net = network(params.sizes, from_lif(neuron), Loss("given", state))
    run = {"u": list(trace.U), "o": list(trace.O)}
    return derivatives_on(net, by_layer(params), run, slope)
