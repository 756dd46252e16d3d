"""Any rule of Part II on a network of Part I, more slowly than the engine's five."""

from typing import Any

from stbp_edu import checks
from stbp_edu.arrays import by_layer
from stbp_edu.arrows.adjoints import LocalDerivatives, derivatives_on, gradients, lambdas
from stbp_edu.arrows.models import LayerParams, network
from stbp_edu.arrows.neurons import from_lif
from stbp_edu.arrows.readouts import Loss
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.checks import Array
from stbp_edu.losses import RATE
from stbp_edu.losses.reading import Built, Direct, checked, direct_term
from stbp_edu.network import Gradients, Params, Trace, check_trace
from stbp_edu.neuron import LIF


def backward(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    rule: str | Rule,
    loss: Built | Direct = RATE,
    *,
    S: int | None = None,
) -> Gradients:
    """Return dL/dW and dL/db of a forward pass of Part I under a rule of Part II.

    Args:
        trace: the forward pass, perhaps of some samples only.
        targets: Y of these samples.
        params: the parameters of that pass.
        neuron: the neuron of that pass.
        rule: a name in ``RULES``, or a :class:`Rule`.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term; of spikes or of potentials.
        S: the number of samples that the loss averages; those of ``trace`` where None.

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
    local = as_local(trace, targets, params, neuron, loss, S=S)
    rule = as_rule(rule)
    return Gradients(**by_name(gradients(local, lambdas(local, rule), rule.start)))


def as_local(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    loss: Built | Direct = RATE,
    *,
    S: int | None = None,
) -> LocalDerivatives:
    """Return the factor of every arrow on a forward pass of Part I, as :func:`lambdas` takes them.

    The arguments are those of :func:`backward`.
    """
    _, here = check_trace(trace, params)
    checks.instance("neuron", neuron, LIF)
    averaged = here if S is None else checks.count("S", S)
    direct = direct_term(checked(loss, trace, targets), trace, targets, averaged)
    if direct.o is not None and direct.u is not None:
        raise ValueError(
            "loss must read spikes or potentials, got a direct term of both; add up the gradients "
            "of Direct(o) and Direct(None, u)"
        )
    state = "o" if direct.u is None else "u"
    net = network(params.sizes, from_lif(neuron), Loss("given", state))
    run = {"u": list(trace.U), "o": list(trace.O)}
    return derivatives_on(net, by_layer(params), run, getattr(direct, state))


def by_name(layers: LayerParams) -> dict[str, list[Any]]:
    """Return parameters or gradients of Part II as the lists W and b of Part I."""
    return {name: [None, *(layer[name] for layer in layers[1:])] for name in ("W", "b")}
