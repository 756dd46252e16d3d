"""Backward: the factor of every arrow, and the recursion λ(node, q), the same for every rule."""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import models
from stbp_edu.arrows.forward_run import check_follows, check_params, check_run
from stbp_edu.arrows.rules import Rule, as_rule, gain_groups, norms, step_back
from stbp_edu.arrows.table import Arrow, like
from stbp_edu.parameters import LayerArrays

Factors = list[dict[tuple[str, bool], Any]]
"""By layer: (kind of arrow, whether it forgets the spike) to an array (T, S, *shape)."""
Lambda = list[dict[tuple[str, str], Any]]
"""By layer, λ of a state of the neuron and a state of the rule: arrays (T, S, *shape)."""


def around(states: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's states at each step, and as "u-1" and "u+1" those of the steps next to it.

    Before the first step they are 0; the step after the last one is not there to be read.
    """
    before = {
        f"{s}-1": np.concatenate([np.zeros_like(a[:1]), a[:-1]])
        for s, a in states.items()
    }
    return (
        states
        | before
        | {f"{s}+1": np.concatenate([a[1:], a[-1:]]) for s, a in states.items()}
    )


@dataclass(frozen=True)
class LocalDerivatives:
    """The factor of every arrow: numbers from a forward run, letters, or ones to count paths.

    Attributes:
        net: the network.
        factors: of the arrows inside the neurons, and of those from what is learned.
        params: the weights that arrows with a linear map carry.
        direct: ∂L/∂state of the last layer, shape (T, S, *shape).
        outputs: by layer, what the weights are multiplied by: the input, and each layer's spikes.
    """

    net: models.Network
    factors: Factors
    params: models.LayerParams
    direct: Any
    outputs: list[Any]

    @property
    def T(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of steps."""
        return len(self.direct)

    @cached_property
    def matrices(self) -> dict[tuple[int, str], tuple[Any, Any]]:
        """By layer and arrow, its linear map as a matrix, and where that can differ from 0."""
        found = {}
        for n, arrow in (
            (n, arrow) for n, table in enumerate(self.net.arrows) for arrow in table
        ):
            if (link := arrow.link) is not None:
                W = self.params[n + arrow.layer][link.parameter]
                found[n, arrow.kind] = (
                    link.matrix(W),
                    link.matrix(np.ones(W.shape)) != 0,
                )
        return found

    def factor(self, arrow: Arrow, n: int, rule: Rule) -> Any:
        """Return an arrow's factor as a rule sees it."""
        forgets = arrow.kind in rule.forgets and arrow.leak is not None
        return self.factors[n][arrow.kind, forgets]

    def handed_back(
        self, rule: Rule, lam: Lambda, arrow: Arrow, head: str, t: int, n: int
    ) -> Any:
        """Return one arrow's contribution: its factor times the adjoint at its head."""
        if arrow.kind == "readout":
            return self.direct[t]
        adjoint = lam[n + arrow.layer][arrow.target, head][t + arrow.step]
        if arrow.link is not None:
            W = self.params[n + arrow.layer][arrow.link.parameter]
            return arrow.link.back(adjoint.reshape(len(adjoint), *arrow.link.shape), W)
        return self.factor(arrow, n, rule)[t] * adjoint

    def held(self, n: int, rule: Rule) -> dict[tuple[str, str], Any]:
        """Return by node of layer n what a gain limit multiplies the arrows that reach it by.

        Only arrows through time are held: the nodes are those of the next step.
        """
        found, limit = {}, checks.number("gain_limit", rule.gain_limit)
        shape = (*self.direct.shape[:2], *self.net.shape_of(n))
        nodes, matrix = step_back(
            self.net, n, rule, partial(self.factor, n=n, rule=rule)
        )
        for group in gain_groups(self.net, n, rule):
            norm = norms(matrix[..., group, :][..., group])
            scale = np.broadcast_to(
                limit / np.maximum(norm, limit), shape
            )  # gain-limit
            found.update({nodes[k]: scale for k in group})
        return found


def local_derivatives(
    net: models.Network,
    params: LayerArrays,
    trace: models.Series,
    targets: Array,
) -> LocalDerivatives:
    """Return the factor of every arrow on a forward run; the arguments are those of backward."""
    layers = check_params(net, params)
    check_run(net, trace, targets)
    check_follows(net, layers, trace)
    direct = net.loss.direct(trace[net.loss.state][net.N], targets)
    return derivatives_on(net, layers, trace, direct)


def derivatives_on(
    net: models.Network, params: models.LayerParams, trace: models.Series, direct: Array
) -> LocalDerivatives:
    """Return the factor of every arrow on a run whose direct term ∂L/∂state is known."""
    factors: Factors = [{}]
    for n, layer in enumerate(net.layers[1:], 1):
        states = around({name: trace[name][n] for name in net.states[n]})
        table = {}
        for arrow in (*layer.neuron.arrows, *layer.neuron.enters):
            for forgets, factor in ((False, arrow.factor), (True, arrow.leak)):
                if factor is not None:
                    value = factor(states, params[n])
                    what = f"the factor of arrow {arrow.kind!r}"
                    table[arrow.kind, forgets] = like(states[arrow.target], value, what)
        factors.append(table)
    outputs = [trace[net.output_of(n)][n] for n in range(net.N + 1)]
    return LocalDerivatives(net, factors, params, direct, outputs)


@dataclass(frozen=True)
class Backward:
    """What a backward run returns.

    Attributes:
        adjoints: by state, a list over layers of arrays (T, S, *shape): ``["o"]`` is δ, ``["u"]``
            is ε.
        gradients: as the parameters.
    """

    adjoints: dict[str, list[Any]]
    gradients: models.LayerParams


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
    net, rule = checks.instance("local", local, LocalDerivatives).net, as_rule(rule)
    rule.check(net)
    (T, S), limited = local.direct.shape[:2], rule.gain_limit is not None
    lam: Lambda = [{}]
    for n in range(1, net.N + 1):
        zeros = np.zeros((T, S, *net.shape_of(n)), local.direct.dtype)
        lam.append({node: zeros.copy() for node in product(net.states[n], rule.moves)})
    held = [local.held(n, rule) if limited and n else {} for n in range(net.N + 1)]
    for t, n in product(reversed(range(T)), reversed(range(1, net.N + 1))):
        for state, q in product(reversed(net.states[n]), rule.moves):
            adjoint = lam[n][state, q][t]
            for arrow, head in rule.moves_from(net, n, state, q):
                if t + arrow.step < T and not rule.cuts(arrow, t):
                    term = local.handed_back(rule, lam, arrow, head, t, n)
                    if limited and arrow.step and not arrow.leaves:
                        term = term * held[n][arrow.target, head][t]
                    adjoint += term  # p2-arrow, p2-rule
    return lam


def gradients(local: LocalDerivatives, lam: Lambda, q: str) -> models.LayerParams:
    """Return ∂L/∂parameters from λ in the state where a rule starts: case 5."""
    result: models.LayerParams = [None]
    for n, layer in enumerate(local.net.layers[1:], 1):
        epsilon = lam[n][
            layer.neuron.input, q
        ]  # p2-current-w: γ where there is a current
        found = {"W": layer.link.gradient(epsilon, local.outputs[n - 1])}
        found["b"] = epsilon.sum((0, 1, *range(3, epsilon.ndim)))
        if layer.recurrent:
            flat = epsilon[1:].reshape(*epsilon[1:].shape[:2], layer.recurrent.units)
            found["R"] = layer.recurrent.gradient(
                flat, local.outputs[n][:-1]
            )  # p2-recur-r
        for arrow in layer.neuron.enters:
            over = (0, 1) if arrow.source in layer.neuron.each else None
            total = (
                local.factors[n][arrow.kind, False] * lam[n][arrow.target, q]
            )  # p2-leak
            found[arrow.source] = np.asarray(total.sum(over)) + found.get(
                arrow.source, 0
            )
        result.append(found)
    return result


def backward(
    net: models.Network,
    params: LayerArrays,
    trace: models.Series,
    targets: Array,
    rule: str | Rule = "exact",
) -> Backward:
    """Return every adjoint and gradient of a forward run under a rule.

    ``params`` are those of the run that ``trace`` holds, ``targets`` have shape (S, n[N]), and
    ``rule`` is a name in :data:`RULES`, or a :class:`Rule`.

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
    local = local_derivatives(net, params, trace, targets)
    lam = lambdas(local, rule)
    adjoints = {s: [of.get((s, rule.start)) for of in lam] for s in trace}
    return Backward(adjoints, gradients(local, lam, rule.start))
