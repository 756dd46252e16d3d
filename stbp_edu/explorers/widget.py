"""How an explorer is shown in a notebook: as HTML with its module, and the graph that it draws.

The module is the one that the site's pages have. The graph is a network unrolled in time from one
node on, with every neuron.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from stbp_edu.arrows import Edge, LocalDerivatives, Node
from stbp_edu.plotting import drawing
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, Label, Laid
from stbp_edu.plotting.graph import edges_on, network_graph
from stbp_edu.plotting.palette import css
from stbp_edu.plotting.svg_elements import PHONE
from stbp_edu.practice.tasks import ForwardPass

START = """(() => {
const place = document.currentScript.parentElement;
MODULE
const data = JSON.parse(place.querySelector("script").textContent);
const still = place.firstElementChild;
const el = place.insertBefore(document.createElement("div"), still);
const model = { get: (name) => (name === "data" ? data : undefined) };
render({ model, el }).then(() => still.remove());
})();"""
Json = dict[str, Any]
JS = Path(__file__).parent / "js"
COLUMN = 150  # pixels
BESIDE = 24  # pixels beside the outermost nodes on a phone, for the words of the rows
VALUES: dict[str, tuple[str, tuple[float, float]]] = {
    "o": ("end", (-20, -13)),
    "u": ("middle", (0, 34)),
    "L": ("start", (26, 5)),
}
"""Where the value of a node is written: its anchor, and how far from the node."""


@dataclass(frozen=True)
class Explorer:
    """An explorer in a notebook: its module's name, and the values that it shows."""

    name: str
    data: Json = field(repr=False)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> dict[str, str]:
        """Return the explorer as HTML, and words where it cannot be played."""
        words = f"<p>The explorer {self.name}: run this cell to play it.</p>"
        html = playable(self.name, self.data, words)
        return {"text/html": html, "text/plain": repr(self)}


def playable(name: str, data: Json, still: str) -> str:
    """Return HTML that plays an explorer, and shows a picture or words where no script runs.

    JupyterLab runs no script of a notebook that it does not trust. What is saved can be played
    again without a kernel.
    """
    values = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    values = values.replace("</", r"<\/")
    return (
        f'<div class="stbp-explorer">{still}<script type="application/json" '
        f'data-explorer="{name}">{values}</script><script>{_script(name)}</script></div>'
    )


@cache
def _script(name: str) -> str:
    """Return an explorer's module with what it imports, as a script that starts it."""
    common = (JS / "common.js").read_text(encoding="utf-8").replace("export ", "")
    common = common.replace("import.meta.url", "location.href")
    colours = css('[data-jp-theme-light="false"]')
    common = common.replace('PALETTE = ""', f"PALETTE = {json.dumps(colours)}")
    module = (JS / f"{name}.js").read_text(encoding="utf-8")
    own = module.split('from "./common.js";\n', 1)[-1]
    own = own.replace("export default { render };", "")
    return START.replace("MODULE", common + own)


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
