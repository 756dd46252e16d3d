"""The unrolled graph: every state as a node, every dependence as an arrow.

``unrolled`` has a node for a layer, ``network_graph`` one for each neuron of any kind, and
``two_layers`` names the arrows of a kind.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

from stbp_edu import arrows
from stbp_edu.arrows import LocalDerivatives, Network
from stbp_edu.arrows.table import LOSS
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, DrawnNode
from stbp_edu.plotting.palette import ABOVE, GRID, INK, NEXT, TERMS
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
            yield "spike", ("u", t, n), ("o", t, n)
            if n < N:
                yield "weight", ("o", t, n), ("u", t, n + 1)
            if t < T:
                yield "carry", ("u", t, n), ("u", t + 1, n)
                yield "reset", ("o", t, n), ("u", t + 1, n)
        yield "readout", ("o", t, N), "L"


def path_edges(path: Sequence[GraphNode]) -> list[GraphEdge]:
    """Return the arrows along a path that is given by its nodes.

    >>> path_edges([("u", 2, 1), ("o", 2, 1), "L"])
    [(('u', 2, 1), ('o', 2, 1)), (('o', 2, 1), 'L')]
    """
    return list(pairwise(path))


def below_loss(
    nodes: Mapping[Any, DrawnNode],
    arrows: Sequence[DrawnArrow],
    columns: Mapping[float, str],
    rows: Mapping[float, str],
    bow: float = 0.1,
) -> Drawing:
    """Return nodes and arrows, the loss above them; arrows to it are bowed outward."""
    x, y = zip(*(node.at for node in nodes.values()), strict=True)
    middle = (min(x) + max(x)) / 2
    heads = {arrow.head for arrow in arrows} - nodes.keys()
    loss = {head: DrawnNode((middle, max(y) + UP_TO_LOSS), "L") for head in heads}
    found = []
    for arrow in arrows:
        tail = nodes[arrow.tail].at[0]
        outward = (
            bow * ((tail < middle) - (tail > middle)) if arrow.head in loss else 0.0
        )
        found.append(replace(arrow, bow=arrow.bow or outward))
    return Drawing({**nodes, **loss}, found, columns, rows)


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
    known: dict[GraphEdge, str] = {
        (tail, head): kind for kind, tail, head in edges(T, N)
    }
    lit, dropped = set(highlight), set(dropped)
    if unknown := (lit | dropped) - known.keys():
        raise ValueError(
            f"highlight and dropped must be arrows of the graph, got {unknown}; "
            "nodes are ('u', t, n) and ('o', t, n) with t from 1, and 'L'"
        )
    written = labels if isinstance(labels, Mapping) else KINDS if labels else {}
    first = {kind: edge for edge, kind in reversed(known.items())}.values()
    named = lit | dropped or set(first)
    drawn = [
        DrawnArrow(
            *edge,
            TERMS[kind] if edge in lit else GRID,
            factor=written.get(kind, "") if edge in named else "",
            lost=edge in dropped,
        )
        for edge, kind in known.items()
    ]
    places, high = {}, 1 + GAP
    for kind, t, n in sorted(tail for _, tail, _ in edges(T, N)):
        row = high * n + (kind == "o")
        places[kind, t, n] = DrawnNode(
            (t, row), kind, kind == "o", (kind, t, n) in nodes
        )
    return below_loss(
        places,
        drawn,
        {t: f"t = {t}" for t in range(1, T + 1)},
        {high * n + 0.5: f"n = {n}" for n in range(1, N + 1)},
    )


def subscript(i: int) -> str:
    """Return a neuron's number, counted from 1, as a subscript."""
    return str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def label(node: arrows.Node, net: Network) -> str:
    """Return the label of a node: its state, with the neuron's number among several."""
    crowd = node.kind != LOSS and net.sizes[node.n] > 1
    return node.kind + (subscript(node.i) if crowd else "")


def edges_on(local: LocalDerivatives, start: arrows.Node) -> list[arrows.Edge]:
    """Return every arrow from a node's step and layer on, neuron by neuron."""
    return [
        edge
        for t, n in product(range(start.t, local.T), range(start.n, local.net.N + 1))
        for i, kind in product(
            range(local.net.sizes[n]), local.net.layers[n].neuron.order
        )
        for edge in arrows.edges_from(arrows.Node(kind, n, t, i), local)
    ]


def network_graph(
    net: Network,
    drawn: Mapping[arrows.Edge, DrawnArrow],
    asked: arrows.Node | None = None,
    gap: float = GAP,
    aside: float = 0.0,
) -> Drawing:
    """Return the arrows of a network, drawn like this, and their nodes.

    A layer's neurons lean to the right; every other state is ``aside``, and a layer so many
    rows above the last state of the one below.
    """
    heads = [edge.target for edge in drawn if edge.target.kind != LOSS]
    ends = dict.fromkeys([edge.source for edge in drawn] + heads)
    steps, layers = (sorted({getattr(end, name) for end in ends}) for name in "tn")
    order = net.layers[net.N].neuron.order
    high = len(order) - 1 + gap + UP * (max(net.sizes[n] for n in layers) - 1)

    def node(one: arrows.Node) -> DrawnNode:
        k, lean = order.index(one.kind), one.i - (net.sizes[one.n] - 1) / 2
        place = (
            one.t + 1 + ACROSS * lean + aside * (k % 2),
            high * one.n + UP * one.i + k,
        )
        return DrawnNode(place, label(one, net), one.kind == "o", one == asked)

    return below_loss(
        {end: node(end) for end in ends},
        [*drawn.values()],
        {t + 1 + aside / 2: f"t = {t + 1}" for t in steps},
        {
            high * n + (len(order) - 1) / 2: f"n = {n}"
            for n in layers
            if len(layers) > 1
        },
    )


def two_layers(net: Network) -> Shown:
    """Return the last two layers of a network, at steps t and t + 1, each kind of arrow named once.

    >>> from stbp_edu import LIF
    >>> two_layers(arrows.network("1-1-1", arrows.soft_reset(LIF())))
    [Figure: Two steps and two layers of a neuron with the states u, o. Arrows in each layer: spike
    from u to o; carry from u to the next u; reset from o to the next u. Between layers: weight.]
    """
    order = net.layers[net.N].neuron.order
    found = edges_on(arrows.letters(net, T=2), arrows.Node(order[0], net.N - 1, 0, 0))
    written = set[str]()
    drawn = {}
    for edge in (edge for edge in found if edge.target.kind != LOSS):
        k, m = (order.index(end.kind) for end in (edge.source, edge.target))
        up = edge.target.n > edge.source.n
        colour = NEXT if edge.step else ABOVE if up else INK
        bow = 0.0 if edge.step or (k - m) % 2 else -0.2  # about a state between them
        word = "" if edge.kind in written else edge.kind
        written.add(edge.kind)
        drawn[edge] = DrawnArrow(edge.source, edge.target, colour, word, bow, width=1.5)
    graph = network_graph(net, drawn, gap=1.75, aside=ASIDE)
    columns, rows = (
        dict(zip(places, (letter, f"{letter} + 1"), strict=True))
        for places, letter in ((graph.columns, "t"), (graph.rows, "n"))
    )
    shown = replace(graph, columns=columns, rows=rows)
    return show(shown, alt=_described(net))


def _described(net: Network) -> str:
    """Return the picture in words."""
    neuron = net.layers[net.N].neuron
    inside = []
    for arrow in neuron.arrows:
        head = f"the next {arrow.target}" if arrow.step else arrow.target
        inside.append(f"{arrow.kind} from {arrow.source} to {head}")
    links = [arrow.kind for arrow in net.arrows[net.N - 1] if arrow.link]
    between = ", ".join(dict.fromkeys(links))
    return (
        f"Two steps and two layers of a neuron with the states {', '.join(neuron.order)}. Arrows "
        f"in each layer: {'; '.join(inside)}. Between layers: {between}."
    )
