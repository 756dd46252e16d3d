"""Oracle by paths: every path from a node to the loss, and the sum of their products.

Unrolled in time, the network is a graph without loops. The chain rule says what a derivative
is: the sum, over every path from a node to the loss, of the product of the local derivatives on
its edges. Nothing is reused between paths, so that nothing can be forgotten in passing on.
The edges and their local derivatives are listed in :mod:`stbp_edu.verify.unrolled`.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from stbp_edu import checks
from stbp_edu.checks import Array, choice
from stbp_edu.losses import RATE, LossLike
from stbp_edu.network import Adjoints, Params, Trace
from stbp_edu.neuron import LIF
from stbp_edu.verify.coordinates import Node
from stbp_edu.verify.unrolled import Edge, Unrolled, batch_adjoints, edges_from

MOST_PATHS = 200_000
"""A node with more paths is refused."""

RULES = ("exact", "classic", "detached-reset", "spatial-only")
"""The rules whose paths are known."""


class Path(NamedTuple):
    """A chain of edges that ends in the loss."""

    edges: tuple[Edge, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes on the way, the first and the loss included."""
        return (self.edges[0].source, *(edge.target for edge in self.edges))

    @property
    def contribution(self) -> Any:
        """The product of the local derivatives on the way."""
        return math.prod(edge.factor for edge in self.edges)

    def dropped_by(self, rule: str = "classic") -> bool:
        """Return whether a rule forgets this path.

        The classic rule hands on δ · h: what came into a potential from a spike (by ``weight``
        or ``reset``) must leave it as a spike. So it forgets a path that is carried on instead.
        ``detached-reset`` cuts every reset edge, ``spatial-only`` every edge through time.
        """
        kinds = [edge.kind for edge in self.edges]
        if choice("rule", rule, RULES) == "classic":
            return any(a in ("weight", "reset") and b == "carry" for a, b in pairwise(kinds))
        cut = {"detached-reset": {"reset"}, "spatial-only": {"reset", "carry"}}.get(rule, set())
        return not cut.isdisjoint(kinds)


def count_paths(start: Node, net: Unrolled) -> int:
    """Return the number of paths from a node to the loss, without walking them."""
    _check_start(start, net)

    @cache
    def count(node: Node) -> int:
        """Return the number of paths from ``node``, worked out once."""
        return sum(count(edge.target) for edge in edges_from(node, net)) if node.kind != "L" else 1

    return count(start)


def _check_start(start: Node, net: Unrolled) -> None:
    """Check that the network has this node."""
    checks.instance("net", net, Unrolled)
    checks.instance("start", start, Node)
    kind, n, t, i, j = start
    choice("start kind", kind, ("u", "o", "w", "b"))
    fits = 1 <= n <= net.N and 0 <= i < net.sizes[n]
    fits = fits and (kind not in "uo" or 0 <= t < net.T)
    if not fits or (kind == "w" and not 0 <= j < net.sizes[n - 1]):
        raise ValueError(
            f"start must be a node of a network of sizes {net.sizes} and {net.T} steps, "
            f"got {start}; layers count from 1, steps and neurons from 0"
        )


def paths_from(start: Node, net: Unrolled) -> list[Path]:
    """Return every path from a node to the loss.

    Raises:
        ValueError: if the network has no such node, or it has more paths than ``MOST_PATHS``.

    >>> import numpy as np
    >>> from stbp_edu.network import forward
    >>> from stbp_edu.verify.unrolled import unroll
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> neuron = LIF(tau=0.5, v_th=2.0)
    >>> net = unroll(forward(np.ones((3, 1, 1)), p, neuron), np.ones((1, 1)), p, neuron)
    >>> for path in paths_from(Node("o", n=1, t=1, i=0), net):
    ...     print(" ".join(edge.kind for edge in path.edges), round(path.contribution, 4))
    reset spike readout 0.0385
    readout -0.2222
    """
    many = count_paths(start, net)
    if many > MOST_PATHS:
        raise ValueError(f"start {start} has {many} paths, more than {MOST_PATHS}; fewer steps?")

    def walk(node: Node) -> Iterator[tuple[Edge, ...]]:
        """Yield the edges of every path from ``node``."""
        if node.kind == "L":
            yield ()
        for edge in edges_from(node, net):
            for rest in walk(edge.target):
                yield (edge, *rest)

    return [Path(edges) for edges in walk(start)]


def total(paths: list[Path], rule: str = "exact") -> Any:
    """Return the sum of the contributions of the paths that a rule keeps."""
    return sum(path.contribution for path in paths if not path.dropped_by(rule))


def shares(paths: list[Path]) -> list[float]:
    """Return the size of each contribution as a fraction of the sum of all sizes; 0 if all are 0.

    Contributions may cancel: the sizes say how much a path carries, not what is left of it.
    """
    sizes = [abs(float(path.contribution)) for path in paths]
    whole = sum(sizes)
    return [size / whole if whole > 0 else 0.0 for size in sizes]


def derivatives(
    trace: Trace,
    targets: Array,
    params: Params,
    neuron: LIF,
    rule: str = "exact",
    loss: LossLike = RATE,
) -> Adjoints:
    """Return every δ, every ε and both gradients, each summed over its own paths.

    Args:
        trace: the forward pass; float64.
        targets: Y, shape (S, n[N]).
        params: the parameters of that pass.
        neuron: the neuron of that pass.
        rule: which paths to keep; see :meth:`Path.dropped_by`.
        loss: a loss of :mod:`stbp_edu.losses`, or its direct term.

    Raises:
        TypeError, ValueError: if the arguments do not fit together, or a node has too many paths.
    """
    return batch_adjoints(
        lambda net: lambda node: total(paths_from(node, net), rule),
        trace,
        targets,
        params,
        neuron,
        loss,
    )
