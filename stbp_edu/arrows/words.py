"""Words and paths: the oracle of the recursion, and how many of them a rule keeps.

Every path from a node to the loss is walked neuron by neuron, and the factors on its arrows are
multiplied. Nothing is reused between paths, and no transpose is used: a linear map is taken as the
matrix that its forward direction makes.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows.factors import LocalDerivatives
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import RULES, Rule, as_rule
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
    node: Node, local: LocalDerivatives, rule: Rule = RULES["exact"], s: int = 0
) -> Iterator[tuple[Arrow, Node, Any]]:
    """Yield every arrow that leaves a node, with the node at its head and its factor.

    A rule leaves out the arrows across the edges of its blocks, and says which factors forget.
    """
    kind, n, t, i = node
    T = len(local.direct)
    for arrow in local.net.arrows[n] if kind != LOSS else ():
        after = t + arrow.step
        if arrow.source != kind or after >= T or rule.cuts(arrow, t):
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
            if after is None or t + arrow.step >= T or rule.cuts(arrow, t):
                continue
            if arrow.target == LOSS:
                if t in reads:
                    yield (arrow.kind,)
                continue
            for rest in walk(n + arrow.layer, arrow.target, t + arrow.step, after):
                yield (arrow.kind, *rest)

    found = walk(n, net.layers[n].neuron.input, 0, rule.start)
    return sorted(set(found), key=lambda word: (len(word), word))


def forbidding_word(net: Network, rule: str | Rule) -> Word | None:
    """Return the shortest word that forbids an online form, or None if there is none.

    It takes a step after it has left the neuron, or leaves by an arrow that takes a step.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> " ".join(forbidding_word(network("2-2-1", hard_reset(LIF())), "exact"))
    'enter spike weight carry spike readout'
    >>> forbidding_word(network("2-2-1", hard_reset(LIF())), "ottt")
    """
    rule = as_rule(rule)
    first = [(n, net.layers[n].neuron.input, rule.start) for n in range(1, net.N + 1)]
    first += [
        (n, enter.target, rule.start)
        for n in range(1, net.N + 1)
        for _, enter in net.layers[n].neuron.enters
    ]
    found: dict[Any, Word] = {(*node, False, False): ("enter",) for node in first}
    queue = list(found)
    for n, state, q, left, bad in queue:  # grows while it is read: breadth first
        word = found[n, state, q, left, bad]
        for arrow in (a for a in net.arrows[n] if a.source == state):
            if (head := rule.move(q, arrow)) is None:
                continue
            late = bad or bool(arrow.step and (left or arrow.leaves))
            if arrow.target == LOSS and late:
                return (*word, arrow.kind)
            node = n + arrow.layer, arrow.target, head, left or arrow.leaves, late
            if arrow.target != LOSS and node not in found:
                found[node] = (*word, arrow.kind)
                queue.append(node)
    return None
