"""Words and paths: the oracle of the recursion, and how many of them a rule keeps.

Every path from a node to the loss is walked neuron by neuron, and the factors on its arrows are
multiplied. Nothing is reused between paths, and no transpose is used: a linear map is taken as the
matrix that its forward direction makes.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows.adjoints import Factors, LocalDerivatives, sweep
from stbp_edu.arrows.maps import AveragePool, Link
from stbp_edu.arrows.models import Layer, LayerParams, Network
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import LOSS, Arrow

Word = tuple[str, ...]
"""The kinds of the arrows on a path, from a node to the loss."""


class Node(NamedTuple):
    """A quantity of the network; layers count from 1, steps and neurons from 0.

    Attributes:
        kind: the state; ``"L"`` is the loss.
        n: the layer.
        t: the step.
        i: the neuron, as an index into the flattened layer.
    """

    kind: str
    n: int
    t: int
    i: int


class Path(NamedTuple):
    """A path from a node to the loss: its word, the nodes after the first, and its product."""

    word: Word
    nodes: tuple[Node, ...]
    contribution: Any


def arrows_from(
    node: Node, local: LocalDerivatives, rule: Rule, s: int = 0
) -> Iterator[tuple[Arrow, Node, Any]]:
    """Yield every arrow that leaves a node, with the node at its head and its factor."""
    kind, n, t, i = node
    T = len(local.direct)
    for arrow in local.net.arrows[n] if kind != LOSS else ():
        after = t + arrow.step
        if arrow.source != kind or after >= T:
            continue
        if arrow.target == LOSS:
            if t in local.net.loss.steps(T):
                yield arrow, Node(LOSS, -1, -1, -1), local.direct[t, s].flat[i]
        elif arrow.link is None:
            factor = local.factor(arrow, n, rule)[t, s].flat[i]
            yield arrow, Node(arrow.target, n, after, i), factor
        else:
            matrix, there = local.matrices[n, arrow.kind]
            for j in np.flatnonzero(there[:, i]).tolist():
                yield arrow, Node(arrow.target, n + arrow.layer, after, j), matrix[j, i]


def paths_from(
    start: Node, local: LocalDerivatives, rule: str | Rule = "exact", s: int = 0
) -> list[Path]:
    """Return every path from a node to the loss whose word the rule keeps, for sample s.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, letters, network
    >>> local = letters(network("1-1", hard_reset(LIF())), T=2)
    >>> for path in paths_from(Node("u", n=1, t=0, i=0), local):
    ...     print(" ".join(path.word))
    spike readout
    spike reset spike readout
    carry spike readout
    """
    rule = as_rule(rule)
    net = local.net
    there = 1 <= start.n <= net.N and 0 <= start.t < len(local.direct)
    if not (
        there
        and start.kind in net.layers[start.n].neuron.order
        and 0 <= start.i < math.prod(net.shape_of(start.n))
    ):
        raise ValueError(
            f"start must be a node of the network, got {start}; layers count from 1 to {net.N}, "
            f"steps from 0 to {len(local.direct) - 1}"
        )

    def walk(node: Node, q: str) -> Iterator[Path]:
        """Yield every path from a node, in a state of the rule."""
        if node.kind == LOSS:
            yield Path((), (), 1)
        for arrow, head, factor in arrows_from(node, local, rule, s):
            if (after := rule.move(q, arrow)) is not None:
                for word, nodes, product in walk(head, after):
                    yield Path((arrow.kind, *word), (head, *nodes), factor * product)

    return list(walk(start, rule.start))


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
    rule, reads = as_rule(rule), net.loss.steps(T)

    def walk(n: int, state: str, t: int, q: str) -> Iterator[Word]:
        """Yield the words from a state."""
        for arrow in net.arrows[n]:
            after = rule.move(q, arrow) if arrow.source == state else None
            if after is None or t + arrow.step >= T:
                continue
            if arrow.target == LOSS:
                if t in reads:
                    yield (arrow.kind,)
                continue
            for rest in walk(n + arrow.layer, arrow.target, t + arrow.step, after):
                yield (arrow.kind, *rest)

    found = walk(n, net.layers[n].neuron.input, 0, rule.start)
    return sorted(set(found), key=lambda word: (len(word), word))


def count_paths(net: Network, T: int, rule: str | Rule, start: Node) -> tuple[int, int]:
    """Return how many paths from a node a rule keeps, and how many it drops.

    Nothing is walked: it is the recursion with 1 for every factor.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> count_paths(network("1-2-2", hard_reset(LIF())), 4, "classic", Node("u", 1, 0, 0))
    (40, 58)
    """
    ones = _ones(net, T)
    kept, every = (
        int(sweep(ones, one)[start.n][start.kind, one.start][start.t, 0].flat[start.i])
        for one in (as_rule(rule), as_rule("exact"))
    )
    return kept, every - kept


def _ones(net: Network, T: int) -> LocalDerivatives:
    """Return 1 for every factor, as Python integers, which never overflow."""

    def counted(link: Link) -> Link:
        """Return a link whose pooling counts what it pools."""
        maps = (replace(m, share=1) if isinstance(m, AveragePool) else m for m in link.maps)
        return replace(link, maps=tuple(maps))

    def ones(*shape: int) -> Any:
        """Return integers 1."""
        return np.ones(shape, int).astype(object)

    layers = [replace(layer, link=counted(layer.link)) for layer in net.layers[1:]]
    unit = replace(net, layers=(None, *layers))
    factors: Factors = [{}]
    params: LayerParams = [None]
    for n in range(1, net.N + 1):
        layer: Layer = unit.layers[n]
        kinds = [(a.kind, forgets) for a in layer.neuron.arrows for forgets in (False, True)]
        factors.append({key: ones(T, 1, *net.shape_of(n)) for key in kinds})
        params.append({name: ones(*shape) for name, shape in layer.shapes.items()})
    direct = ones(T, 1, *net.shape_of(net.N))
    direct[: net.loss.steps(T).start] = 0
    return LocalDerivatives(unit, factors, params, direct)
