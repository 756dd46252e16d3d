"""The graph of a network, unrolled in time from one node on: every neuron, as explorers draw it."""

from collections.abc import Mapping
from typing import Any

from stbp_edu.arrows import Edge, LocalDerivatives, Node
from stbp_edu.plotting import drawing
from stbp_edu.plotting.drawing import Arrow, Drawing, Laid, Word
from stbp_edu.plotting.graph import LAYER, readout_bow
from stbp_edu.plotting.palette import GRID
from stbp_edu.verify.paths import edges_from

ACROSS, UP = 0.38, 0.29  # columns and rows from a neuron to the next one of its layer
COLUMN, PHONE = 150, 331  # pixels: of a column, and of a picture set for a phone
VALUES: dict[str, tuple[str, tuple[float, float]]] = {
    "o": ("end", (-20, -13)), "u": ("middle", (0, 34)), "L": ("start", (26, 5)),
}  # fmt: skip
"""Where the value of a node is written: its anchor, and how far from the node."""


def node_id(node: Node) -> str:
    """Return the name of a node: kind, layer, step, neuron, counted from 1."""
    return "L" if node.kind == "L" else f"{node.kind}-{node.n}-{node.t + 1}-{node.i + 1}"


def subscript(i: int) -> str:
    """Return a neuron's number, counted from 1, as a subscript."""
    return str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def letter(node: Node, graph: LocalDerivatives) -> str:
    """Return what is written on a node: u, o with the neuron's number if it has neighbours."""
    crowd = node.kind != "L" and graph.net.sizes[node.n] > 1
    return node.kind + (subscript(node.i) if crowd else "")


def nodes_from(graph: LocalDerivatives, start: Node) -> list[Node]:
    """Return the potentials and spikes from a node's step and layer on."""
    return [
        Node(kind, n=n, t=t, i=i)
        for t in range(start.t, graph.T)
        for n in range(start.n, graph.net.N + 1)
        for i in range(graph.net.sizes[n])
        for kind in "uo"
    ]


def all_edges(graph: LocalDerivatives, nodes: list[Node]) -> list[Edge]:
    """Return the arrows that leave these nodes."""
    return [edge for node in nodes for edge in edges_from(node, graph)]


def picture(graph: LocalDerivatives, start: Node, factors: Mapping[Edge, str]) -> Drawing:
    """Return the graph from a node on, with the loss; a layer's neurons lean to the right.

    Args:
        graph: of the network.
        start: the node with the first step and the lowest layer.
        factors: what is written beside arrows.
    """
    sizes, high = graph.net.sizes, LAYER + UP * (max(graph.net.sizes[start.n :]) - 1)

    def node(one: Node) -> drawing.Node:
        size = sizes[one.n]
        x = one.t + 1 + ACROSS * (one.i - (size - 1) / 2)
        row = high * one.n + UP * one.i + (one.kind == "o")
        return drawing.Node((x, row), letter(one, graph), one.kind == "o", one == start)

    found = {one: node(one) for one in nodes_from(graph, start)}
    middle = (start.t + 1 + graph.T) / 2
    top = max(one.at[1] for one in found.values()) + 1.15
    arrows = [
        Arrow(
            edge.source, edge.target, GRID, factors.get(edge, ""),
            bow=readout_bow(found[edge.source].at[0], middle) if edge.kind == "readout" else 0.0,
        )
        for edge in all_edges(graph, [*found])
    ]  # fmt: skip
    layers = range(start.n, graph.net.N + 1)
    return Drawing(
        {**found, Node("L"): drawing.Node((middle, top), "L")}, arrows,
        columns={t + 1: f"t = {t + 1}" for t in range(start.t, graph.T)},
        rows={high * n + 0.5: f"n = {n}" for n in layers} if len(layers) > 1 else {},
        kept=[Word(one.at, "−00/00", *VALUES[one.label[0]]) for one in found.values()],
    )  # fmt: skip


def wide(shown: Drawing) -> Laid:
    """Return a drawing as wide as its columns need."""
    x = [node.at[0] for node in shown.nodes.values()]
    room = 2 * drawing.SIDE + (56 if shown.rows else 0)
    return Laid(shown, round(room + COLUMN * (max(x) - min(x) or 1)))


def views(shown: Drawing) -> list[dict[str, Any]]:
    """Return what a page draws, wide and on a phone."""
    return [wide(shown).data(), Laid(shown, PHONE).data()]
