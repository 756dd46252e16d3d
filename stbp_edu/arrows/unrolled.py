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
from stbp_edu.arrows.adjoints import LocalDerivatives, lambdas
from stbp_edu.arrows.letters import tabulated
from stbp_edu.arrows.link import AveragePool, Shape
from stbp_edu.arrows.models import Network, network
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import LOSS

Word = tuple[str, ...]
"""The kinds of the edges on a path."""
PARAMETERS = ("W", "b", "R")
"""The parameters from which paths are walked."""
MOST_PATHS, MOST_STEPS = 200_000, 200
"""A node with more paths is refused, and so is a longer run."""


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
        return int(-1 < self.source.t < self.target.t)


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
        return (self.edges[0].source, *(edge.target for edge in self.edges))

    @property
    def contribution(self) -> Any:
        """The product of the factors on the way."""
        return math.prod(edge.factor for edge in self.edges)

    def dropped_by(self, rule: str | Rule = "classic") -> bool:
        """Return whether a rule drops this path."""
        rule = as_rule(rule)
        q: str | None = rule.start
        for edge in self.edges:
            q = (
                None
                if q is None or rule.cuts(edge, edge.source.t)
                else rule.move(q, edge)
            )
        return q is None


def edges_from(
    node: Node, local: LocalDerivatives, rule: str | Rule = "exact", s: int = 0
) -> Iterator[Edge]:
    """Yield every edge that leaves a node, those inside the neuron first, for sample s.

    A rule leaves out the edges across the ends of its blocks, and says which factors forget. None
    leaves the loss.
    """
    net, rule = checks.instance("local", local, LocalDerivatives).net, as_rule(rule)
    kind, n, t, i, _ = checks.instance("node", node, Node)
    checks.count("s", s, at_least=0, at_most=local.direct.shape[1] - 1)
    if isinstance(kind, str) and kind == LOSS:
        return
    check_node(node, net, local.T)
    if kind in PARAMETERS:
        yield from _entries(node, local, s)
        return
    for arrow in sorted(net.arrows[n], key=lambda arrow: arrow.leaves):
        after = t + arrow.step
        if arrow.source != kind or after >= local.T or rule.cuts(arrow, t):
            continue
        if arrow.target == LOSS:
            if t in net.loss.steps(local.T):
                yield Edge(arrow.kind, node, Node(LOSS), local.direct[t, s].flat[i])
        elif arrow.link is None:
            factor = local.factor(arrow, n, rule)[t, s].flat[i]
            yield Edge(arrow.kind, node, Node(arrow.target, n, after, i), factor)
        else:
            matrix, there = local.matrices[n, arrow.kind]
            for j in np.flatnonzero(there[:, i]).tolist():
                target = Node(arrow.target, n + arrow.layer, after, j)
                yield Edge(arrow.kind, node, target, matrix[j, i])


def _entries(node: Node, local: LocalDerivatives, s: int) -> Iterator[Edge]:
    """Yield the edges from a parameter, at every step: the factor is what it is multiplied by."""
    kind, n, _, i, j = node
    step, layer = int(kind == "R"), local.net.layers[n]
    link = layer.recurrent if step else layer.link
    rows = link.rows(
        local.outputs[n - 1 + step][:, s]
    )  # (T, neurons with the same weights, P)
    for t, k in product(range(step, local.T), range(rows.shape[1])):
        target = Node(layer.neuron.input, n, t, i * rows.shape[1] + k)
        yield Edge("enter", node, target, 1 if kind == "b" else rows[t - step, k, j])


def check_node(start: Node, net: Network, T: int) -> None:
    """Check that a network of T steps has this node."""
    kind, n, t, i, j = checks.instance("start", start, Node)
    checks.instance("start.kind", kind, str)
    for name, index in zip("ntij", (n, t, i, j), strict=True):
        checks.count(f"start.{name}", index, at_least=-1)
    fits = 1 <= n <= net.N
    if fits and kind in PARAMETERS:
        shape = net.layers[n].shapes.get(kind, (0,))
        fits = 0 <= i < shape[0] and (kind == "b" or 0 <= j < math.prod(shape[1:]))
    elif fits:
        checks.choice("start kind", kind, (*net.layers[n].neuron.order, *PARAMETERS))
        fits = 0 <= t < T and 0 <= i < net.sizes[n]
    if not fits:
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
    rule = as_rule(rule)
    check_node(start, checks.instance("local", local, LocalDerivatives).net, local.T)
    leaving = cache(lambda node: list(edges_from(node, local, rule, s)))

    def walk(node: Node, q: str) -> Iterator[tuple[Edge, ...]]:
        """Yield the edges of every path from a node, in a state of the rule."""
        if node.kind == LOSS:
            yield ()
        for edge in leaving(node):
            if (after := rule.move(q, edge)) is not None:
                for rest in walk(edge.target, after):
                    yield (edge, *rest)

    found = [Path(edges) for edges in islice(walk(start, rule.start), MOST_PATHS + 1)]
    if len(found) > MOST_PATHS:
        many, _ = count_paths(local.net, local.T, rule, start)
        raise ValueError(
            f"T = {local.T} must make at most {MOST_PATHS} paths, got {checks.brief(many)} "
            f"from {start}; take fewer steps"
        )
    return found


def count_paths(net: Network, T: int, rule: str | Rule, start: Node) -> tuple[int, int]:
    """Return how many paths from a node a rule keeps, and how many it drops.

    No path is walked by itself.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> count_paths(network("1-2-2", hard_reset(LIF())), 4, "classic", Node("u", 1, 0, 0))
    (40, 58)
    """
    T, rule = checks.count("T", T, at_most=MOST_STEPS), as_rule(rule)
    check_node(start, checks.instance("net", net, Network), T)
    local = _ones(net, T)
    starts = [start]
    if start.kind in PARAMETERS:
        starts = [edge.target for edge in _entries(start, local, 0)]

    def counted(rule: Rule) -> int:
        """Return how many paths a rule keeps: the sweep counts where every factor is 1."""
        lam = lambdas(local, replace(rule, gain_limit=None))
        return round(
            sum(lam[n][k, rule.start][t, 0].flat[i] for k, n, t, i, _ in starts)
        )

    kept = counted(rule)
    return kept, counted(as_rule("exact")) - kept


def _ones(net: Network, T: int) -> LocalDerivatives:
    """Return a network in which every factor is 1."""

    def weight(shape: Shape, name: str, n: int) -> Any:
        """Return the factor that turns each arrow of a map into 1: the size of its pools."""
        maps = net.layers[n].link.maps if name == "w" else ()
        return np.full(
            shape, math.prod(m.k**2 for m in maps if isinstance(m, AveragePool)), object
        )

    return tabulated(net, T, lambda shape, *_: np.full(shape, 1, object), weight)


def words(net: Network, T: int, rule: str | Rule = "exact", n: int = 1) -> list[Word]:
    """Return every word that a rule keeps from the input state of layer n at the first step.

    Shortest first; it begins after ``enter``. Where T is large there are many.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> lost = set(words(net, 2)) - set(words(net, 2, "classic"))
    >>> [" ".join(word) for word in lost]
    ['spike weight carry spike readout']
    """
    checks.count("n", n, at_most=checks.instance("net", net, Network).N)
    T, rule = checks.count("T", T, at_most=MOST_STEPS), as_rule(rule)
    rule.check(net)
    below = net.layers[1:]  # with one neuron a layer, each path has a word of its own
    sizes = "-".join(["1", *("1R" if layer.recurrent else "1" for layer in below)])
    thin = network(sizes, [layer.neuron for layer in below], net.loss)
    start = Node(net.layers[n].neuron.input, n, 0, 0)
    found = [path.word for path in paths_from(start, _ones(thin, T), rule)]
    return sorted(found, key=lambda word: (len(word), word))
