"""The graph that explorers draw: a network unrolled in time from one node on, with every neuron."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stbp_edu.arrows import Edge, LocalDerivatives, Node
from stbp_edu.plotting import drawing
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, Label, Laid
from stbp_edu.plotting.graph import edges_on, network_graph
from stbp_edu.plotting.svg_elements import PHONE
from stbp_edu.practice.tasks import ForwardPass

Json = dict[str, Any]
COLUMN = 150  # pixels
BESIDE = 24  # pixels beside the outermost nodes on a phone, for the words of the rows
VALUES: dict[str, tuple[str, tuple[float, float]]] = {
    "o": ("end", (-20, -13)),
    "u": ("middle", (0, 34)),
    "L": ("start", (26, 5)),
}
"""Where the value of a node is written: its anchor, and how far from the node."""


def node_id(node: Node) -> str:
    """Return the name of a node: kind, layer, step, neuron, counted from 1."""
    if node.kind == "L":
        return "L"
    return f"{node.kind}-{node.n}-{node.t + 1}-{node.i + 1}"


def rounded(x: float) -> float:
    """Return six digits, which do not differ from machine to machine."""
    return float(f"{x:.6g}")


def picture(
    graph: LocalDerivatives, start: Node, factors: Mapping[Edge, str]
) -> Drawing:
    """Return the graph from a node on, with these factors, and with room for a value at each node.

    The node has the first step and the lowest layer.
    """
    arrows = [
        DrawnArrow(edge.source, edge.target, factor=factors.get(edge, ""))
        for edge in edges_on(graph, start)
    ]
    shown = network_graph(graph.net, arrows, start)
    kept = [
        Label(node.at, "−00/00", *VALUES[name.kind])
        for name, node in shown.nodes.items()
        if name.kind != "L"
    ]
    return replace(shown, kept=kept)


def wide(shown: Drawing) -> Laid:
    """Return a drawing as wide as its columns need."""
    columns = [node.at[0] for node in shown.nodes.values()]
    across = max(columns) - min(columns) or 1
    room = 2 * drawing.SIDE + (56 if shown.rows else 0)
    return Laid(shown, round(room + COLUMN * across))


def graph_data(net: ForwardPass, shown: Drawing) -> Json:
    """Return the graph of a network by its names, laid out wide and for a phone."""
    beside = BESIDE if shown.rows else drawing.SIDE
    return {
        "T": net.shape[0],
        "sizes": list(net.params.sizes),
        "words": net.description,
        "views": [wide(shown).data(), Laid(shown, PHONE, beside).data()],
        "nodes": [
            {"id": node_id(name), "label": node.label}
            for name, node in shown.nodes.items()
        ],
        "edges": [
            {"from": node_id(arrow.tail), "to": node_id(arrow.head)}
            for arrow in shown.arrows
        ],
    }
