"""The explorer of the error pulse: one pulse that runs back from the loss to a node.

Jupyter, GitHub and a page without scripts show a picture of its end where it cannot be played.
"""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows import Edge, LocalDerivatives, Node, Path
from stbp_edu.network import Params, forward
from stbp_edu.neuron import LIF
from stbp_edu.plotting.drawing import LETTER, LINE, Arrow, Drawing
from stbp_edu.plotting.graph import edges_on
from stbp_edu.plotting.palette import TERMS
from stbp_edu.plotting.svg_figure import elements, sheet, text
from stbp_edu.practice.explorers.pulse_steps import SYMBOLS, Writer
from stbp_edu.practice.explorers.widget import VALUES, node_id, picture, views, wide, widget_class
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.rules import RULES
from stbp_edu.surrogates import Rectangle
from stbp_edu.verify.paths import paths_from, unroll

Json = dict[str, Any]
FIRST = Node("o", n=1, t=0, i=0)
FRAMES = (
    "@keyframes run{0%{offset-distance:100%;opacity:1}99%{opacity:1}"
    "100%{offset-distance:0%;opacity:0}}.pulse{opacity:0;offset-rotate:0deg}"
)
PACE = 0.9  # seconds for a step where it moves by itself


def one_neuron() -> ForwardPass:
    """Return one neuron for three steps: four paths lead from its first spike to the loss."""
    neuron = LIF(tau=0.5, v_th=1.0, surrogate=Rectangle(a=4 / 3), gate="linear")
    params = Params(W=[None, np.array([[0.5, 0.125]])], b=[None, np.array([0.0])])
    spikes = np.array([[[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 1.0]]])
    trace = forward(spikes, params, neuron)
    words = "linear gate, τ = 1/2, V_th = 1, rectangle of width 4/3"
    return ForwardPass(trace, np.array([[1.0]]), params, neuron, words)


@dataclass(frozen=True, repr=False)
class Pulse:
    """An error pulse over the paths of the first sample: played where it can be, else a picture.

    Attributes:
        net: the network, small: every path is walked.
        start: the spike or potential that it runs back to.
        rule: the rule that is shown first.
    """

    net: ForwardPass
    start: Node = FIRST
    rule: str = "exact"

    def __post_init__(self) -> None:
        """Check the arguments, and walk the paths."""
        checks.choice("rule", self.rule, RULES)
        start = checks.instance("start", self.start, Node)
        checks.choice("start kind", start.kind, ("o", "u"))
        assert self.paths  # which refuses a node that the network has not

    @cached_property
    def graph(self) -> LocalDerivatives:
        """The network's arrows with their factors."""
        return unroll(self.net.trace, self.net.targets, self.net.params, self.net.neuron)

    @cached_property
    def paths(self) -> list[Path]:
        """The paths from the start to the loss."""
        return paths_from(self.start, self.graph)

    @cached_property
    def edges(self) -> list[Edge]:
        """The arrows, in the order of the picture."""
        return edges_on(self.graph, self.start)

    @cached_property
    def drawing(self) -> Drawing:
        """The graph, with the factors of the arrows that lead from the start to the loss."""
        used = {edge for path in self.paths for edge in path.edges}
        return picture(self.graph, self.start, {edge: SYMBOLS[edge.kind] for edge in used})

    @cached_property
    def data(self) -> Json:
        """What the explorer shows: the graph, and every step under each of the rules."""
        writer = Writer(self.graph, self.start, self.paths, self.edges)
        return {
            "T": self.graph.T,
            "sizes": list(self.graph.net.sizes),
            "words": self.net.description,
            "views": views(self.drawing),
            "nodes": [
                {
                    **{"id": node_id(node), "kind": node.kind, "label": shown.label},
                    "value": VALUES[node.kind],
                }
                for node, shown in self.drawing.nodes.items()
            ],
            "edges": [
                {"from": node_id(e.source), "to": node_id(e.target), "symbol": SYMBOLS[e.kind]}
                for e in self.edges
            ],
            "used": [k for k, arrow in enumerate(self.drawing.arrows) if arrow.factor],
            "start": node_id(self.start),
            "goal": writer.name(self.start),
            "rule": self.rule,
            "rules": {name: writer.rule(name) for name in RULES},
        }

    def __repr__(self) -> str:
        return f"[Explorer: {self.alternative}]"

    @property
    def alternative(self) -> str:
        """The picture in words."""
        return (
            f"The network unrolled in time, and one error pulse that runs back from the loss L to "
            f"{self.data['goal']} over every arrow that leads there. "
            f"{self.data['rules'][self.rule]['end']}"
        )

    def still(self, moving: bool = False, scale: float = 1.0) -> str:
        """Return the picture after the last step, as SVG.

        Args:
            moving: let the pulse run through it once; never where less motion is asked for.
            scale: how much larger than its numbers it is shown.
        """
        shown = self.data["rules"][self.rule]
        laid = wide(replace(self.drawing, arrows=self._followed(shown)))
        x, top, width, height = laid.box
        lines = [shown["sum"], *wrap(shown["end"], int(width / LETTER))]
        below = [
            text((width / 2, top + height + 12 + LINE * k), line) for k, line in enumerate(lines)
        ]
        box = [x, top, width, height + 8 + LINE * len(lines)]
        inside = [*(self._copies(shown) if moving else ()), *elements(laid), *below]
        return sheet(box, self.alternative, "\n".join(inside), scale)

    def _followed(self, shown: Json) -> list[Arrow]:
        """Return the arrows: thick where the pulse went, lost where it ended."""
        moves = [move for step in shown["steps"] for move in step["moves"]]
        passed: dict[int, float] = {}
        for move in (move for move in moves if not move["ends"]):
            passed[move["edge"]] = max(move["weight"], passed.get(move["edge"], 0.0))
        ended = {move["edge"] for move in moves if move["ends"]}
        return [
            replace(arrow, colour=TERMS[edge.kind], width=1.6 + 3 * passed[k])
            if k in passed
            else replace(arrow, lost=k in ended)
            for k, (arrow, edge) in enumerate(zip(self.drawing.arrows, self.edges, strict=True))
        ]

    def _copies(self, shown: Json) -> list[str]:
        """Return the copies of the pulse, which run over the arrows once."""
        ways, moved, copies = self.data["views"][0]["arrows"], "", []
        for k, step in enumerate(shown["steps"][1:]):
            moved += f".s{k}{{animation:run {PACE}s {0.3 + k * PACE:.1f}s ease-in-out}}"
            for move in step["moves"]:
                colour, way = TERMS[self.edges[move["edge"]].kind], ways[move["edge"]]["d"]
                look = f"fill: {colour}; offset-path:path('{way}')"
                size = 5 + 6 * move["weight"]
                copies.append(f'<circle class="pulse s{k}" r="{size:.1f}" style="{look}"/>')
        motion = f"@media (prefers-reduced-motion: no-preference){{{moved}}}"
        return [f"<style>{FRAMES}{motion}</style>", *copies]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return picture and words and, where Jupyter has anywidget, the explorer."""
        bundle = {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        try:
            shown = widget_class("pulse")(data=self.data)._repr_mimebundle_()
        except ImportError:
            return bundle
        live = shown[0] if isinstance(shown, tuple) else shown or {}
        return {**live, **bundle}

    def _repr_svg_(self) -> str:
        """Return the picture, with what a page needs to play it."""
        kept = escape(json.dumps(self.data, separators=(",", ":"), ensure_ascii=False), quote=False)
        live = f'<metadata data-explorer="pulse">{kept}</metadata><title>'
        return self.still().replace("<title>", live, 1)


def pulse_data(net: ForwardPass, start: Node = FIRST, rule: str = "exact") -> Json:
    """Return the graph from a node on, with every step of the pulse, for each of the rules.

    Steps and neurons are counted from 1, as on paper.

    >>> data = pulse_data(one_neuron())
    >>> [data["rules"][rule]["arrived"] for rule in ("exact", "classic")]
    [4, 3]
    """
    return Pulse(net, start, rule=rule).data
