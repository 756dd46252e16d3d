"""Backward: the recursion λ(node, q), the same few lines for every network and rule."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows.factors import LocalDerivatives, Steps, local_derivatives
from stbp_edu.arrows.link import Link
from stbp_edu.arrows.models import Network, Trace
from stbp_edu.arrows.parameters import LayerParams
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import Arrow
from stbp_edu.checks import Array

Lambda = list[dict[tuple[str, str], Any]]
"""By layer, λ of a state of the neuron and a state of the rule: arrays (T, S, *shape)."""


@dataclass(frozen=True)
class Backward:
    """What a backward run returns.

    Attributes:
        adjoints: by state, a list over layers of arrays (T, S, *shape): ``["o"]`` is δ, ``["u"]``
            is ε.
        gradients: as the parameters.
    """

    adjoints: dict[str, list[Any]]
    gradients: LayerParams


def lambdas(local: LocalDerivatives, rule: str | Rule = "exact") -> Lambda:
    """Return λ of every node and every state of the rule, from the last step and layer down.

    λ(node, q) = Σ factor(a) · λ(head, move(q, a)) over the arrows a that leave the node and that
    the rule lets move on from q.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import draw_params, forward, hard_reset, network
    >>> net = network("2-1", hard_reset(LIF()))
    >>> params = draw_params(net, np.random.default_rng(0))
    >>> trace = forward(net, params, np.ones((3, 1, 2)))
    >>> local = local_derivatives(net, params, trace, np.ones((1, 1)))
    >>> sorted(lambdas(local, "classic")[1])
    [('o', 'free'), ('o', 'owes'), ('u', 'free'), ('u', 'owes')]
    """
    net, rule = local.net, as_rule(rule)
    rule.check(net)
    T, S = local.direct.shape[:2]
    lam: Lambda = [{}]
    for n in range(1, net.N + 1):
        states = product((s.name for s in net.layers[n].neuron.states), rule.moves)
        shape = (T, S, *net.shape_of(n))
        lam.append({node: np.zeros(shape, local.direct.dtype) for node in states})
    for t, n in product(reversed(range(T)), reversed(range(1, net.N + 1))):
        for state, q in product(reversed(net.layers[n].neuron.order), rule.moves):
            adjoint = lam[n][state, q][t]
            for arrow, head in rule.moves_from(net, n, state, q):
                if t + arrow.step < T and not rule.cuts(arrow, t):
                    adjoint += handed_back(local, rule, lam, arrow, head, t, n)  # p2-arrow, p2-rule
    return lam


def handed_back(
    local: LocalDerivatives, rule: Rule, lam: Lambda, arrow: Arrow, head: str, t: int, n: int
) -> Any:
    """Return what one arrow hands back: its factor times the adjoint at its head."""
    if arrow.kind == "readout":
        return local.direct[t]
    adjoint = lam[n + arrow.layer][arrow.target, head][t + arrow.step]
    if arrow.link is not None:
        W = local.params[n + arrow.layer][arrow.link.parameter]
        return arrow.link.back(adjoint.reshape(len(adjoint), *arrow.link.shape), W)
    return local.factor(arrow, n, rule)[t] * adjoint


def gradients(net: Network, params: LayerParams, trace: Trace, lam: Lambda, q: str) -> LayerParams:
    """Return ∂L/∂parameters from λ in the state where a rule starts: case 5."""
    result: LayerParams = [None]
    for n in range(1, net.N + 1):
        layer, below = net.layers[n], net.output_of(n - 1)
        epsilon = lam[n][layer.neuron.input, q]  # p2-current-w: γ where there is a current
        found = through_link(layer.link, epsilon, trace[below][n - 1])
        if layer.recurrent:
            flat = epsilon[1:].reshape(*epsilon[1:].shape[:2], -1)
            before = trace[layer.neuron.output][n][:-1]
            found["R"] = layer.recurrent.gradient(flat, before)  # p2-recur-r
        states = Steps({k: series[n] for k, series in trace.items()})
        for name, enter in layer.neuron.enters:
            factor, adjoint = enter.factor(states, params[n]), lam[n][enter.target, q]
            if enter.step:
                factor, adjoint = factor[:-1], adjoint[1:]
            entered = (factor * adjoint).sum(axis=(0, 1) if enter.each else None)  # p2-leak
            found[name] = np.asarray(entered) + found.get(name, 0)
        result.append(found)
    return result


def through_link(link: Link, epsilon: Any, below: Any) -> dict[str, Any]:
    """Return ∂L/∂W and ∂L/∂b from the adjoint of the state that they enter."""
    over = tuple(k for k in range(epsilon.ndim) if k != 2)
    return {"W": link.gradient(epsilon, below), "b": epsilon.sum(axis=over)}


def backward(
    net: Network,
    params: LayerParams,
    trace: Trace,
    targets: Array,
    rule: str | Rule = "exact",
) -> Backward:
    """Return every adjoint and gradient of a forward run under a rule.

    Args:
        net: the network.
        params: the parameters of that run.
        trace: the run.
        targets: shape (S, n[N]).
        rule: a name in :data:`RULES`, or a :class:`Rule`.

    Raises:
        TypeError, ValueError: if shapes do not fit, or the rule keeps no word of this network.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import draw_params, forward, hard_reset, network
    >>> net = network("2-1", hard_reset(LIF(tau=0.5, v_th=0.5)))
    >>> params = [None, {"W": np.ones((1, 2)), "b": np.zeros(1)}]
    >>> trace = forward(net, params, np.full((2, 1, 2), 0.1))
    >>> backward(net, params, trace, np.ones((1, 1))).gradients[1]["b"].round(4)
    array([-0.6364])
    """
    rule = as_rule(rule)
    lam = lambdas(local_derivatives(net, params, trace, targets), rule)
    adjoints: dict[str, list[Any]] = {name: [None] * (net.N + 1) for name in trace}
    for n in range(1, net.N + 1):
        for state in net.layers[n].neuron.states:
            adjoints[state.name][n] = lam[n][state.name, rule.start]
    return Backward(adjoints, gradients(net, params, trace, lam, rule.start))
