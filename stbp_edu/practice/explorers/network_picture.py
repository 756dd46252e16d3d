"""The graph of a network, unrolled in time from one node on: every neuron, as explorers draw it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stbp_edu.arrows import Edge, LocalDerivatives, Node
from stbp_edu.plotting import drawing
from stbp_edu.plotting.drawing import Arrow, Drawing, Laid, Word
from stbp_edu.plotting.graph import edges_on, network_graph

COLUMN, PHONE = 150, 331  # pixels: of a column, and of a picture set for a phone
VALUES: dict[str, tuple[str, tuple[float, float]]] = {
    "o": ("end", (-20, -13)), "u": ("middle", (0, 34)), "L": ("start", (26, 5)),
}  # fmt: skip
"""Where the value of a node is written: its anchor, and how far from the node."""


def node_id(node: Node) -> str:
    """Return the name of a node: kind, layer, step, neuron, counted from 1."""
    return "L" if node.kind == "L" else f"{node.kind}-{node.n}-{node.t + 1}-{node.i + 1}"


def picture(graph: LocalDerivatives, start: Node, factors: Mapping[Edge, str]) -> Drawing:
    """Return the graph from a node on, with these factors, and with room for a value at each node.

    The node has the first step and the lowest layer.
    """
    arrows = {
        edge: Arrow(edge.source, edge.target, factor=factors.get(edge, ""))
        for edge in edges_on(graph, start)
    }
    shown = network_graph(graph.net, arrows, start)
    places = [(node.at, VALUES[one.kind]) for one, node in shown.nodes.items() if one.kind != "L"]
    return replace(shown, kept=[Word(at, "−00/00", *where) for at, where in places])


def wide(shown: Drawing) -> Laid:
    """Return a drawing as wide as its columns need."""
    x = [node.at[0] for node in shown.nodes.values()]
    room = 2 * drawing.SIDE + (56 if shown.rows else 0)
    return Laid(shown, round(room + COLUMN * (max(x) - min(x) or 1)))


def views(shown: Drawing) -> list[dict[str, Any]]:
    """Return what a page draws, wide and on a phone."""
    return [wide(shown).data(), Laid(shown, PHONE).data()]
