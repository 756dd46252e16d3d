"""Backward: the factor of every arrow, and the recursion λ(node, q), the same for every rule."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Arrow, Neuron, Parameters, StateArrays
from stbp_edu.arrows.forward_run import around, check_run
from stbp_edu.arrows.rules import Node, Rule, as_rule, groups, norms
from stbp_edu.arrows.table import LayerParams, Series, Table, check_params
from stbp_edu.parameters import LayerArrays

FactorsOfLayer = dict[tuple[str, bool], Any]
"""(Kind of arrow, whether it forgets the spike) to an array (T, S, *shape)."""
Factors = list[FactorsOfLayer]
"""The factors by layer."""
OfNodes = dict[Node, Any]
"""By a state of the neuron and a state of the rule, arrays (T, S, *shape) of one layer."""
Lambda = list[OfNodes]
"""By layer, λ of each node."""


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

    net: Table
    factors: Factors
    params: LayerParams
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
        for n, table in enumerate(self.net.arrows):
            for arrow in table:
                if arrow.link:
                    W = self.params[n + arrow.layer][arrow.link.parameter]
                    there = arrow.link.matrix(np.ones(W.shape)) != 0
                    found[n, arrow.kind] = arrow.link.matrix(W), there
        return found

    def factor(self, arrow: Arrow, n: int, rule: Rule) -> Any:
        """Return an arrow's factor as a rule sees it."""
        forgets = arrow.kind == "carry" and arrow.kind in rule.forgets
        return self.factors[n][arrow.kind, forgets]

    def handed_back(
        self, rule: Rule, lam: Lambda, arrow: Arrow, head: str, t: int, n: int
    ) -> Any:
        """Return one arrow's contribution: its factor times the adjoint at its head."""
        if arrow.kind == "readout":
            return self.direct[t]
        above = n + arrow.layer
        adjoint = lam[above][arrow.target, head][t + arrow.step]
        link = arrow.link
        if link is None:
            return self.factor(arrow, n, rule)[t] * adjoint
        shaped = adjoint.reshape(len(adjoint), *link.shape)
        return link.back(shaped, self.params[above][link.parameter])

    def held(self, n: int, rule: Rule) -> OfNodes:
        """Return by node of layer n what a gain limit multiplies the arrows that reach it by.

        Only arrows through time are held: the nodes are those of the next step.
        """
        limit: Any = rule.gain_limit
        gains: dict[Node, dict[Node, Any]] = {}  # by node, from nodes of the next step
        ends: set[Node] = set()
        for node in product(reversed(self.net.states[n]), rule.moves):
            own = gains[node] = {}
            for arrow, q in rule.moves_from(self.net, n, *node):
                if arrow.leaves:
                    continue
                head = arrow.target, q
                factor = self.factor(arrow, n, rule)
                if arrow.step:
                    ends.add(head)
                for end, gain in ({head: 1.0} if arrow.step else gains[head]).items():
                    own[end] = own.get(end, 0.0) + factor * gain
        nodes = sorted(ends)
        there = [[end in gains[node] for end in nodes] for node in nodes]
        none = np.zeros((*self.direct.shape[:2], *self.net.shape_of(n)))
        found = {}
        for group in groups(there):
            of = [nodes[k] for k in group]
            rows = [[gains[node].get(end, none) for end in of] for node in of]
            norm = norms(np.moveaxis(np.array(rows), (0, 1), (-2, -1)))
            for node in of:
                found[node] = limit / np.maximum(norm, limit)  # gain-limit
        return found


def local_derivatives(
    net: Table,
    params: LayerArrays,
    trace: Series,
    targets: Array,
) -> LocalDerivatives:
    """Return the factor of every arrow on a forward run; the arguments are those of backward."""
    layers = check_params(net, params)
    check_run(net, trace, targets)
    read = trace[net.loss.state][net.N]
    direct = net.loss.direct(read, targets)
    return derivatives_on(net, layers, trace, direct)


def derivatives_on(
    net: Table, params: LayerParams, trace: Series, direct: Array
) -> LocalDerivatives:
    """Return the factor of every arrow on a run whose direct term ∂L/∂state is known."""
    factors: Factors = [{}]
    outputs = [trace["o"][0]]
    for n in range(1, net.N + 1):
        neuron = net.layers[n].neuron
        own = {name: trace[name][n] for name in neuron.order}
        factors.append(factors_of(neuron, around(own), params[n]))
        outputs.append(own[neuron.output])
    return LocalDerivatives(net, factors, params, direct, outputs)


def factors_of(neuron: Neuron, states: StateArrays, p: Parameters) -> FactorsOfLayer:
    """Return the factor of every arrow of one layer, from its states and parameters."""
    found = {}
    for arrow in (*neuron.arrows, *neuron.enters):
        found[arrow.kind, False] = neuron.value(arrow, states, p)
        if arrow.kind == "carry":
            found[arrow.kind, True] = neuron.value(arrow.under(("carry",)), states, p)
    return found


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
    net = checks.instance("local", local, LocalDerivatives).net
    rule = as_rule(rule)
    rule.check(net)
    layers = range(1, net.N + 1)
    lam: Lambda = [{}]
    held: Lambda = [{}]
    for n in layers:
        shape = (*local.direct.shape[:2], *net.shape_of(n))
        nodes = product(net.states[n], rule.moves)
        lam.append({node: np.zeros(shape, local.direct.dtype) for node in nodes})
        held.append({} if rule.gain_limit is None else local.held(n, rule))
    for t in reversed(range(local.T)):
        for n in reversed(layers):
            _step_back(local, rule, lam, held[n], t, n)
    return lam


def _step_back(
    local: LocalDerivatives, rule: Rule, lam: Lambda, held: OfNodes, t: int, n: int
) -> None:
    """Fill λ of layer n at step t, from those of the layer above and of the step after."""
    net = local.net
    for state in reversed(net.states[n]):
        for q in rule.moves:
            adjoint = lam[n][state, q][t]
            for arrow, head in rule.moves_from(net, n, state, q):
                at_end = arrow.step > 0 and t == local.T - 1
                if at_end or rule.cuts(arrow, t):
                    continue
                term = local.handed_back(rule, lam, arrow, head, t, n)
                if held and arrow.step and not arrow.leaves:
                    term = term * held[arrow.target, head][t]
                adjoint += term  # p2-arrow, p2-rule


def gradients(local: LocalDerivatives, lam: Lambda, q: str) -> LayerParams:
    """Return ∂L/∂parameters from λ in the state where a rule starts: case 5."""
    layers = range(1, local.net.N + 1)
    return [None, *(_gradients_of_layer(local, lam[n], q, n) for n in layers)]


def _gradients_of_layer(
    local: LocalDerivatives, lam: OfNodes, q: str, n: int
) -> dict[str, Any]:
    """Return ∂L/∂parameters of layer n from its λ."""
    layer = local.net.layers[n]
    neuron = layer.neuron
    # p2-current-w: γ where there is a current
    epsilon = lam[neuron.input, q]
    all_but_neurons = (0, 1, *range(3, epsilon.ndim))
    below = local.outputs[n - 1]
    found = {"W": layer.link.gradient(epsilon, below)}
    found["b"] = epsilon.sum(all_but_neurons)
    if layer.recurrent:
        later = epsilon[1:]
        flat = later.reshape(*later.shape[:2], layer.recurrent.units)
        sent = local.outputs[n][:-1]
        found["R"] = layer.recurrent.gradient(flat, sent)  # p2-recur-r
    for arrow in neuron.enters:
        name = arrow.source
        products = local.factors[n][arrow.kind, False] * lam[arrow.target, q]  # p2-leak
        summed = products.sum((0, 1) if name in neuron.each else None)
        found[name] = np.asarray(summed) + found.get(name, 0)
    return found


def backward(
    net: Table,
    params: LayerArrays,
    trace: Series,
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
    start = rule.start
    adjoints = {state: [one.get((state, start)) for one in lam] for state in trace}
    return Backward(adjoints, gradients(local, lam, start))
