"""Graphs: every state as a node, every dependence as an arrow; and a rule as an automaton.

Of a network unrolled in time, ``unrolled`` has a node for a layer, ``network_graph`` one for each
neuron of any kind, and ``two_layers`` names the arrows of a kind. ``states``, ``fan_out`` and
``read_outs`` are small: what leaves a neuron, and what the loss reads of it. An automaton has a
circle for each state, an arrow for each move, and a cross for none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np

from stbp_edu import arrows
from stbp_edu.arrows import LocalDerivatives, Rule, Table
from stbp_edu.arrows.arrow import LOSS
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, DrawnNode, Label
from stbp_edu.plotting.palette import ABOVE, DIRECT, GRID, INK, LOST, NEXT, TERMS
from stbp_edu.plotting.svg_figure import Shown, show

NodeName = tuple[str, int, int]
"""("u", t, n) or ("o", t, n) with t = 1..T."""
GraphNode = NodeName | str
"""A state, or "L"."""
GraphEdge = tuple[GraphNode, GraphNode]
"""An arrow: (tail, head)."""
KINDS = {
    "spike": "h",
    "weight": "W",
    "carry": "f",
    "reset": "u f′",
    "readout": "direct",
}
GAP = 1.05  # rows from the last state of a layer to the first of the next
UP_TO_LOSS = 1.15  # rows
ACROSS, UP = 0.38, 0.29  # columns and rows from a neuron to the next one of its layer
ASIDE = 0.26  # where a kind has many states, every other one is so far to the right


def edges(T: int, N: int) -> Iterator[tuple[str, NodeName, GraphNode]]:
    """Yield (kind, tail, head) for every arrow of the unrolled graph.

    ``spike`` u → o; ``weight`` o → u of the layer above; ``carry`` u → u of the next step;
    ``reset`` o → u of the next step; ``readout`` o of the output layer → L.

    >>> sum(1 for _ in edges(T=2, N=1))
    8
    """
    for t in range(1, T + 1):
        yield "weight", ("o", t, 0), ("u", t, 1)
        for n in range(1, N + 1):
            potential, spike = ("u", t, n), ("o", t, n)
            yield "spike", potential, spike
            if n < N:
                yield "weight", spike, ("u", t, n + 1)
            if t < T:
                later = ("u", t + 1, n)
                yield "carry", potential, later
                yield "reset", spike, later
        yield "readout", ("o", t, N), "L"


def path_edges(path: Sequence[GraphNode]) -> list[GraphEdge]:
    """Return the arrows along a path that is given by its nodes.

    >>> path_edges([("u", 2, 1), ("o", 2, 1), "L"])
    [(('u', 2, 1), ('o', 2, 1)), (('o', 2, 1), 'L')]
    """
    return list(pairwise(path))


def to_loss(
    nodes: dict[Any, DrawnNode], arrows: Iterable[DrawnArrow], bow: float = 0.1
) -> list[DrawnArrow]:
    """Put the loss above the middle of the nodes; bow the arrows to it away from the middle."""
    x, y = zip(*(node.at for node in nodes.values()), strict=True)
    middle = (min(x) + max(x)) / 2
    loss = DrawnNode((middle, max(y) + UP_TO_LOSS), "L")
    states = {*nodes}
    found = []
    for arrow in arrows:
        if arrow.head not in states:
            nodes[arrow.head] = loss
            aside = np.sign(middle - nodes[arrow.tail].at[0])
            arrow = replace(arrow, bow=bow * aside)
        found.append(arrow)
    return found


def unrolled(
    T: int,
    N: int,
    highlight: Iterable[GraphEdge] = (),
    dropped: Iterable[GraphEdge] = (),
    nodes: Collection[GraphNode] = (),
    labels: bool | Mapping[str, str] = True,
) -> Drawing:
    """Return the unrolled graph of T steps and N layers.

    Args:
        T: number of time steps.
        N: number of layers, without the input.
        highlight: arrows (tail, head) to draw thick, in the colours of their terms; see
            :func:`path_edges`.
        dropped: arrows to draw dashed, and struck out with a cross.
        nodes: the nodes that are asked about, such as ``{("o", 2, 1)}``.
        labels: write each arrow's factor beside it, on what is highlighted or, where nothing is,
            on the first arrow of each kind; or other words for each kind.

    Raises:
        ValueError: if a highlighted or dropped arrow is not in the graph.

    >>> path = [("u", 1, 1), ("o", 1, 1), ("u", 2, 1), ("o", 2, 1), "L"]
    >>> graph = unrolled(T=2, N=1, highlight=path_edges(path))
    >>> [arrow.factor for arrow in graph.arrows if arrow.factor]
    ['h', 'u f′', 'h', 'direct']
    """
    known = {(tail, head): kind for kind, tail, head in edges(T, N)}
    lit, dropped = set(highlight), set(dropped)
    if unknown := (lit | dropped) - known.keys():
        raise ValueError(
            f"highlight and dropped must be arrows of the graph, got {unknown}; "
            "nodes are ('u', t, n) and ('o', t, n) with t from 1, and 'L'"
        )
    if isinstance(labels, bool):
        labels = KINDS if labels else {}
    first = {kind: edge for edge, kind in reversed(known.items())}
    named = lit | dropped or {*first.values()}
    high = 1 + GAP
    drawn: dict[GraphNode, DrawnNode] = {}
    for name in sorted(tail for tail, _ in known):
        kind, t, n = name
        is_spike = kind == "o"
        drawn[name] = DrawnNode((t, high * n + is_spike), kind, is_spike, name in nodes)
    arrows = []
    for edge, kind in known.items():
        colour = TERMS[kind] if edge in lit else GRID
        factor = labels.get(kind, "") if edge in named else ""
        arrows.append(DrawnArrow(*edge, colour, factor, lost=edge in dropped))
    columns: dict[float, str] = {t: f"t = {t}" for t in range(1, T + 1)}
    rows = {high * n + 0.5: f"n = {n}" for n in range(1, N + 1)}
    return Drawing(drawn, to_loss(drawn, arrows), columns, rows)


def subscript(i: int) -> str:
    """Return a neuron's number, counted from 1, as a subscript."""
    return str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def label(node: arrows.Node, net: Table) -> str:
    """Return the label of a node: its state, with the neuron's number among several."""
    if node.kind == LOSS or net.sizes[node.n] == 1:
        return node.kind
    return node.kind + subscript(node.i)


def edges_on(local: LocalDerivatives, start: arrows.Node) -> list[arrows.Edge]:
    """Return every arrow from a node's step and layer on, neuron by neuron."""
    net = local.net
    return [
        edge
        for t, n in product(range(start.t, local.T), range(start.n, net.N + 1))
        for i, state in product(range(net.sizes[n]), net.layers[n].neuron.order)
        for edge in arrows.edges_from(arrows.Node(state, n, t, i), local)
    ]


def network_graph(
    net: Table,
    drawn: Sequence[DrawnArrow],
    asked: arrows.Node | None = None,
    gap: float = GAP,
    aside: float = 0.0,
) -> Drawing:
    """Return these arrows between the nodes of a network, and their nodes.

    A layer's neurons lean to the right; every other state is ``aside``, and a layer so many
    rows above the last state of the one below.
    """
    ends = [arrow.tail for arrow in drawn] + [arrow.head for arrow in drawn]
    states = dict.fromkeys(end for end in ends if end.kind != LOSS)
    layers = sorted({end.n for end in states})
    order = net.layers[net.N].neuron.order
    last = len(order) - 1
    high = last + gap + UP * (max(net.sizes[n] for n in layers) - 1)
    nodes = {}
    for end in states:
        k = order.index(end.kind)
        lean = end.i - (net.sizes[end.n] - 1) / 2
        at = end.t + 1 + ACROSS * lean + aside * (k % 2), high * end.n + UP * end.i + k
        nodes[end] = DrawnNode(at, label(end, net), end.kind == "o", end == asked)
    found = to_loss(nodes, drawn)
    steps = sorted({end.t + 1 for end in states})
    columns = {t + aside / 2: f"t = {t}" for t in steps}
    rows = {high * n + last / 2: f"n = {n}" for n in layers} if len(layers) > 1 else {}
    return Drawing(nodes, found, columns, rows)


def two_layers(net: Table) -> Shown:
    """Return the last two layers of a network, at steps t and t + 1, each kind of arrow named once.

    >>> from stbp_edu import LIF
    >>> two_layers(arrows.network("1-1-1", arrows.soft_reset(LIF())))
    [Figure: Two steps and two layers of a neuron with the states u, o. Arrows in each layer: spike
    from u to o; carry from u to the next u; reset from o to the next u. Between layers: weight.]
    """
    order = net.layers[net.N].neuron.order
    start = arrows.Node(order[0], net.N - 1, 0, 0)
    drawn: list[DrawnArrow] = []
    written = set()
    for edge in edges_on(arrows.letters(net, T=2), start):
        tail, head = edge.source, edge.target
        if head.kind == LOSS:
            continue
        colour = NEXT if edge.step else ABOVE if head.n > tail.n else INK
        bow = 0.0
        if not edge.step and (order.index(tail.kind) - order.index(head.kind)) % 2 == 0:
            bow = -0.2  # about a state between them
        word = "" if edge.kind in written else edge.kind
        written.add(word)
        drawn.append(DrawnArrow(tail, head, colour, word, bow, width=1.5))
    graph = network_graph(net, drawn, gap=1.75, aside=ASIDE)
    columns = dict(zip(graph.columns, ("t", "t + 1"), strict=True))
    rows = dict(zip(graph.rows, ("n", "n + 1"), strict=True))
    return show(replace(graph, columns=columns, rows=rows), alt=_described(net))


def _described(net: Table) -> str:
    """Return the picture in words."""
    neuron = net.layers[net.N].neuron
    inside = [
        f"{arrow.kind} from {arrow.source} to {'the next ' * arrow.step}{arrow.target}"
        for arrow in neuron.arrows
    ]
    links = (arrow.kind for arrow in net.arrows[net.N - 1] if arrow.link)
    return (
        f"Two steps and two layers of a neuron with the states {', '.join(neuron.order)}. Arrows "
        f"in each layer: {'; '.join(inside)}. Between layers: {', '.join(dict.fromkeys(links))}."
    )


PlacedState = tuple[str, float, float]
"""Its name; its column, in time steps from t; its row."""


def states(
    arrows: Sequence[tuple[PlacedState, PlacedState, str, str]],
    lit: Collection[PlacedState] = (),
) -> Drawing:
    """Return states with arrows, each (tail, head, factor, colour); those ``lit`` are asked about.

    Spikes are round, all other states square; an arrow drawn in ``GRID`` is thin.

    >>> u, o, later = ("u", 0, 0), ("o", 0, 1), ("u", 1, 0)
    >>> arrows = [(u, o, "h(u)", INK), (u, later, "f(o)", TERMS["carry"])]
    >>> list(states(arrows).nodes) == [u, o, later]
    True
    """
    nodes = {}
    for arrow in arrows:
        for state in arrow[:2]:
            name, x, y = state
            nodes[state] = DrawnNode((x, y), name, name[0] == "o", state in lit)
    drawn = [
        DrawnArrow(tail, head, colour, text) for tail, head, text, colour in arrows
    ]
    return Drawing(nodes, drawn, columns={0: "t", 1: "t + 1"})


def fan_out() -> Drawing:
    """Return the arrows that leave the spike and the potential of a neuron, for t < T and n < N.

    From o_i^{t,n} up to the potential of each of three neurons of layer n + 1 at the same step,
    and on to its own next potential; from u_i^{t,n} to its spike and its next potential.

    >>> [arrow.factor for arrow in fan_out().arrows]
    ['w₁ᵢ', 'w₂ᵢ', 'w₃ᵢ', 'u f′', 'h', 'f']
    """
    u, spike, after = ("uᵢ", 0.0, 0.0), ("oᵢ", 0.0, 1.0), ("uᵢ", 1.0, 0.0)
    arrows = [
        (spike, (f"u{j}", 0.45 * (k - 1), 2.4), f"w{j}ᵢ", ABOVE)
        for k, j in enumerate("₁₂₃")
    ]
    arrows += [
        (spike, after, "u f′", TERMS["reset"]),
        (u, spike, "h", INK),
        (u, after, "f", TERMS["carry"]),
    ]
    return replace(states(arrows, {u, spike}), rows={0.5: "n", 2.4: "n + 1"})


def read_outs(T: int, reads: Collection[tuple[str, int]], title: str = "") -> Drawing:
    """Return an output neuron over T steps, with an arrow to the loss from each state it reads.

    The neuron's own arrows are grey: u_i^t to its spike, and both to the next potential.

    Args:
        T: number of time steps; with more than 4, arrows from potentials may cross spikes.
        reads: what the loss reads, such as ``{("o", 3)}`` for the spike of step 3; steps count
            from 1.
        title: the text above it.

    >>> len(read_outs(T=3, reads={("u", 3)}).arrows)
    8
    """
    nodes = {
        (name, t): DrawnNode((t, row), name, name == "o", (name, t) in reads)
        for t in range(1, T + 1)
        for row, name in enumerate("uo")
    }
    arrows = [
        DrawnArrow(a[:2], b[:2])
        for kind, a, b in edges(T, 1)
        if a[2] and kind != "readout"
    ]
    arrows += [DrawnArrow(read, "L", DIRECT) for read in sorted(reads)]
    arrows = to_loss(nodes, arrows, bow=0.06)
    for k, arrow in enumerate(arrows):
        name, t = arrow.tail
        from_middle = t - (T + 1) / 2
        if arrow.head == "L" and name == "u" and abs(from_middle) < 1:
            # From a potential below L a straight arrow would cross the spike above it.
            arrows[k] = replace(arrow, bow=-0.28 if from_middle < 0 else 0.28)
    columns: dict[float, str] = {t: str(t) for t in range(1, T + 1)}
    return Drawing(nodes, arrows, columns, title=title)


def automaton(rule: Rule, net: Table) -> Drawing:
    """Return the states of a rule in a row, the first in a halo, with the moves between them.

    A loop is above its state, and below it, crossed, the arrows at which a word is dropped.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, hard_reset, network
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> [(a.tail, a.head, a.factor) for a in automaton(RULES["classic"], net).arrows][-1:]
    [('owes', 'free', 'spike')]
    """
    kinds: dict[tuple[str, str | None], list[str]] = {}
    for q, arrow, head in rule.met(net):  # to None those without a move
        some = kinds.setdefault((q, head), [])
        if arrow.kind not in some:
            some.append(arrow.kind)
    many = 1 if len(rule.moves) > 2 else 2  # kinds in a line
    nodes = {
        q: DrawnNode((x, 0), q, round=True, asked=q == rule.start)
        for x, q in enumerate(rule.moves)
    }
    arrows = []
    words = []
    for (q, head), some in kinds.items():
        lines = [", ".join(some[k : k + many]) for k in range(0, len(some), many)]
        text = ",\n".join(lines)
        if head is None:
            words.append(Label(nodes[q].at, f"✕ {text}", by=(0, 48), colour=LOST))
        else:
            arrows.append(DrawnArrow(q, head, INK, text, bow=0.16, width=1.5))
    return Drawing(nodes, arrows, words=words, title=rule.name, radius=24)
