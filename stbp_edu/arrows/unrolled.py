"""The network unrolled in time: its nodes, the edges between them, and every path to the loss.

Unrolled, a network is a graph without loops, and the chain rule says what a derivative is: the sum,
over every path from a node to the loss, of the product of the factors on its edges. Here each path
is walked by itself and nothing is reused between paths, so nothing can be forgotten in passing
on; a linear map is taken as the matrix that its forward direction makes. So the sums over paths
prove the recursion, in numbers and in letters.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.links import AveragePool
from stbp_edu.arrows.adjoints import LocalDerivatives, lambdas
from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.letters import letters
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import Table, network

Word = tuple[str, ...]
"""The kinds of the edges on a path."""
PARAMETERS = ("W", "b", "R")
"""The parameters from which paths are walked."""
MOST_PATHS = 200_000
"""A node with more paths is refused."""
MOST_STEPS = 200
"""A longer run is refused."""


class Node(NamedTuple):
    """A quantity of one sample's network, unrolled. An index that its kind does not have is -1.

    Attributes:
        kind: a state, such as "u" or "o", with n, t, i; "W" or "R" with n, i, j; "b" with n, i; or
            "L", the loss.
        n: the layer, from 1.
        t: the step, from 0.
        i: the neuron, from 0, as an index into the flattened layer; of a convolution's weights the
            channel.
        j: the neuron below, from 0; of a convolution's weights the place in its kernel.
    """

    kind: str
    n: int = -1
    t: int = -1
    i: int = -1
    j: int = -1


class Edge(NamedTuple):
    """One arrow at its place in the graph: factor = ∂ target / ∂ source."""

    kind: str
    source: Node
    target: Node
    factor: Any

    @property
    def step(self) -> int:
        """1 if it leads from a step to the next, else 0."""
        takes_time = -1 < self.source.t < self.target.t
        return int(takes_time)


class Path(NamedTuple):
    """A chain of edges that ends in the loss."""

    edges: tuple[Edge, ...]

    @property
    def word(self) -> Word:
        """The kinds of its edges."""
        return tuple(edge.kind for edge in self.edges)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes on the way, the first and the loss included."""
        first = self.edges[0].source
        later = [edge.target for edge in self.edges]
        return (first, *later)

    @property
    def contribution(self) -> Any:
        """The product of the factors on the way."""
        return math.prod(edge.factor for edge in self.edges)

    def dropped_by(self, rule: str | Rule = "classic") -> bool:
        """Return whether a rule drops this path."""
        rule = as_rule(rule)
        q = rule.start
        for edge in self.edges:
            after = rule.move(q, edge)
            if after is None or rule.cuts(edge, edge.source.t):
                return True
            q = after
        return False


def edges_from(
    node: Node, local: LocalDerivatives, rule: str | Rule = "exact", s: int = 0
) -> Iterator[Edge]:
    """Yield every edge that leaves a node, those inside the neuron first, for sample s.

    A rule leaves out the edges across the ends of its blocks, and says which factors forget. None
    leaves the loss.
    """
    net = checks.instance("local", local, LocalDerivatives).net
    rule = as_rule(rule)
    checks.count("s", s, at_least=0, at_most=local.direct.shape[1] - 1)
    if node.kind == LOSS:
        return
    check_node(node, net, local.T)
    if node.kind in PARAMETERS:
        yield from _entries(node, local, s)
        return
    inside_first = sorted(net.arrows[node.n], key=lambda arrow: arrow.leaves)
    for arrow in inside_first:
        if arrow.source == node.kind and not rule.cuts(arrow, node.t):
            yield from _along(arrow, node, local, rule, s)


def _along(
    arrow: Arrow, node: Node, local: LocalDerivatives, rule: Rule, s: int
) -> Iterator[Edge]:
    """Yield the edges of one arrow, if it leads to a step that there is."""
    t = node.t + arrow.step
    if t >= local.T:
        return
    kind, n, i = arrow.kind, node.n, node.i
    if arrow.target == LOSS:
        if t in local.net.loss.steps(local.T):
            slopes = local.direct[t, s]
            yield Edge(kind, node, Node(LOSS), slopes.flat[i])
    elif arrow.link is None:
        factors = local.factor(arrow, n, rule)[node.t, s]
        yield Edge(kind, node, Node(arrow.target, n, t, i), factors.flat[i])
    else:
        matrix, there = local.matrices[n, kind]
        for j in np.flatnonzero(there[:, i]).tolist():
            head = Node(arrow.target, n + arrow.layer, t, j)
            yield Edge(kind, node, head, matrix[j, i])


def _entries(node: Node, local: LocalDerivatives, s: int) -> Iterator[Edge]:
    """Yield the edges from a parameter, at every step: the factor is what it is multiplied by."""
    kind, n, _, i, j = node
    layer = local.net.layers[n]
    step = int(kind == "R")
    link = layer.recurrent if step else layer.link
    # (T, P, neurons with the same weights)
    columns = link.columns(local.outputs[n - 1 + step][:, s])
    sharing = columns.shape[2]
    for t, k in product(range(step, local.T), range(sharing)):
        target = Node(layer.neuron.input, n, t, i * sharing + k)
        factor = 1 if kind == "b" else columns[t - step, j, k]
        yield Edge("enter", node, target, factor)


def check_node(start: Node, net: Table, T: int) -> None:
    """Check that a network of T steps has this node."""
    kind, n, t, i, j = checks.instance("start", start, Node)
    there = 1 <= n <= net.N
    if there and kind in PARAMETERS:
        many, *row = net.layers[n].shapes.get(kind, (0,))
        there = 0 <= i < many and (kind == "b" or 0 <= j < math.prod(row))
    elif there:
        checks.choice("start kind", kind, (*net.states[n], *PARAMETERS))
        there = 0 <= t < T and 0 <= i < net.sizes[n]
    if not there:
        raise ValueError(
            f"start must be a node of a network of sizes {net.sizes} and {T} steps, got {start}; "
            f"layers count from 1 to {net.N}, steps and neurons from 0"
        )


def paths_from(
    start: Node, local: LocalDerivatives, rule: str | Rule = "exact", s: int = 0
) -> list[Path]:
    """Return every path from a node to the loss that the rule keeps, for sample s.

    Raises:
        ValueError: if the network has no such node, or it has more paths than ``MOST_PATHS``.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, letters, network
    >>> local = letters(network("1-1", hard_reset(LIF())), T=2)
    >>> for path in paths_from(Node("u", n=1, t=0, i=0), local):
    ...     print(" ".join(path.word))
    spike reset spike readout
    spike readout
    carry spike readout
    """
    net = checks.instance("local", local, LocalDerivatives).net
    rule = as_rule(rule)
    check_node(start, net, local.T)
    leaving = cache(lambda node: list(edges_from(node, local, rule, s)))

    def walk(node: Node, q: str) -> Iterator[tuple[Edge, ...]]:
        """Yield the edges of every path from a node, in a state of the rule."""
        if node.kind == LOSS:
            yield ()
        for edge in leaving(node):
            after = rule.move(q, edge)
            if after is None:
                continue
            for rest in walk(edge.target, after):
                yield (edge, *rest)

    walked = islice(walk(start, rule.start), MOST_PATHS + 1)
    found = [Path(edges) for edges in walked]
    if len(found) > MOST_PATHS:
        many, _ = count_paths(net, local.T, rule, start)
        raise ValueError(
            f"T = {local.T} must make at most {MOST_PATHS} paths, got {checks.brief(many)} "
            f"from {start}; take fewer steps"
        )
    return found


def count_paths(net: Table, T: int, rule: str | Rule, start: Node) -> tuple[int, int]:
    """Return how many paths from a node a rule keeps, and how many it drops.

    No path is walked by itself.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> count_paths(network("1-2-2", hard_reset(LIF())), 4, "classic", Node("u", 1, 0, 0))
    (40, 58)
    """
    T = checks.count("T", T, at_most=MOST_STEPS)
    rule = as_rule(rule)
    check_node(start, checks.instance("net", net, Table), T)
    local = _ones(net, T)
    starts = [start]
    if start.kind in PARAMETERS:
        starts = [edge.target for edge in _entries(start, local, 0)]

    def counted(rule: Rule) -> int:
        """Return how many paths a rule keeps: the sweep counts where every factor is 1."""
        lam = lambdas(local, replace(rule, gain_limit=None))
        return round(
            sum(lam[n][kind, rule.start][t, 0].flat[i] for kind, n, t, i, _ in starts)
        )

    kept = counted(rule)
    return kept, counted(as_rule("exact")) - kept


def _ones(net: Table, T: int) -> LocalDerivatives:
    """Return a network in which every factor is 1; so weights undo the shares of their pools."""
    local = letters(net, T, lambda name: 1)
    factors = [
        {kind: np.abs(factor) for kind, factor in layer.items()}
        for layer in local.factors
    ]
    for n, layer in enumerate(net.layers[1:], 1):
        for below in layer.link.maps:
            if isinstance(below, AveragePool):
                local.params[n]["W"] *= below.k**2
    return replace(local, factors=factors)


def words(net: Table, T: int, rule: str | Rule = "exact", n: int = 1) -> list[Word]:
    """Return every word that a rule keeps from the input state of layer n at the first step.

    Shortest first; it begins after ``enter``. Where T is large there are many.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> lost = set(words(net, 2)) - set(words(net, 2, "classic"))
    >>> [" ".join(word) for word in lost]
    ['spike weight carry spike readout']
    """
    checks.count("n", n, at_most=net.N)
    T = checks.count("T", T, at_most=MOST_STEPS)
    as_rule(rule).check(net)
    layers = net.layers[1:]
    sizes = ["1", *("1R" if layer.recurrent else "1" for layer in layers)]
    neurons = [layer.neuron for layer in layers]
    slim = network(
        sizes, neurons, net.loss
    )  # of one neuron a layer each path is a word
    start = Node(neurons[n - 1].input, n, 0, 0)
    found = [path.word for path in paths_from(start, _ones(slim, T), rule)]
    return sorted(found, key=lambda word: (len(word), word))
