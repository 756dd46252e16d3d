"""The explorer of the error pulse: one pulse that runs back from the loss to a node.

Where no script runs, as on GitHub, a picture of its end is shown.
"""

from dataclasses import replace
from functools import cached_property
from textwrap import wrap
from typing import Any

from stbp_edu._support import checks
from stbp_edu.arrows import Node
from stbp_edu.case_rules import CASE_RULES
from stbp_edu.explorers import widget
from stbp_edu.explorers.pulse_steps import SYMBOLS, PulseWriter
from stbp_edu.explorers.widget import Json, node_id
from stbp_edu.plotting.arrow_shapes import LETTER, LINE
from stbp_edu.plotting.drawing import DrawnArrow
from stbp_edu.plotting.graph import edges_on
from stbp_edu.plotting.palette import TERMS
from stbp_edu.plotting.svg_elements import elements, sheet, text
from stbp_edu.plotting.svg_figure import image
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.verify.paths import paths_from, unroll

FIRST = Node("o", n=1, t=0, i=0)
FRAMES = (
    "@keyframes run{0%{offset-distance:100%;opacity:1}99%{opacity:1}"
    "100%{offset-distance:0%;opacity:0}}.pulse{opacity:0;offset-rotate:0deg}"
)
PACE = 0.9  # seconds for a step where it moves by itself


class Pulse:
    """An error pulse over the paths of the first sample: played where it can be, else a picture.

    >>> from stbp_edu.explorers.pencil_network import one_neuron
    >>> rules = Pulse(one_neuron()).data["rules"]
    >>> [rules[rule]["arrived"] for rule in ("exact", "classic")]
    [4, 3]
    """

    def __init__(
        self, net: ForwardPass, start: Node = FIRST, rule: str = "exact"
    ) -> None:
        """Walk every path of a small network from a node on; the rule is the one shown first."""
        self.net = net
        self.start = checks.instance("start", start, Node)
        self.rule = checks.choice("rule", rule, CASE_RULES)
        checks.choice("start kind", start.kind, ("o", "u"))
        self.graph = unroll(net.trace, net.targets, net.params, net.neuron)
        self.paths = paths_from(start, self.graph)
        self.edges = edges_on(self.graph, start)
        symbols = {}
        for path in self.paths:
            for edge in path.edges:
                symbols[edge] = SYMBOLS[edge.kind]
        self.drawing = widget.picture(self.graph, start, symbols)

    @cached_property
    def data(self) -> Json:
        """What the explorer shows: the graph, and every step under each of the rules.

        Steps and neurons are counted from 1, as on paper.
        """
        writer = PulseWriter(self.graph, self.start, self.paths, self.edges)
        nodes = []
        for node, shown in self.drawing.nodes.items():
            nodes.append(
                {
                    "id": node_id(node),
                    "kind": node.kind,
                    "label": shown.label,
                    "value": widget.VALUES[node.kind],
                }
            )
        edges = []
        for edge in self.edges:
            tail = node_id(edge.source)
            head = node_id(edge.target)
            edges.append({"from": tail, "to": head, "symbol": SYMBOLS[edge.kind]})
        return {
            "T": self.graph.T,
            "sizes": list(self.graph.net.sizes),
            "words": self.net.description,
            "views": widget.views(self.drawing),
            "nodes": nodes,
            "edges": edges,
            "used": [k for k, arrow in enumerate(self.drawing.arrows) if arrow.factor],
            "start": node_id(self.start),
            "goal": writer.name(self.start),
            "rule": self.rule,
            "rules": {name: writer.rule(name) for name in CASE_RULES},
        }

    @property
    def alternative(self) -> str:
        """The picture in words."""
        return (
            f"The network unrolled in time, and one error pulse that runs back from the loss L to "
            f"{self.data['goal']} over every arrow that leads there. "
            f"{self.data['rules'][self.rule]['end']}"
        )

    def __repr__(self) -> str:
        return f"[Explorer: {self.alternative}]"

    def still(self, moving: bool = False, scale: float = 1.0) -> str:
        """Return the picture after the last step, as SVG.

        Args:
            moving: let the pulse run through it once; never where less motion is asked for.
            scale: how much larger than its numbers it is shown.
        """
        shown = self.data["rules"][self.rule]
        laid = widget.wide(replace(self.drawing, arrows=self._followed(shown)))
        x, top, width, height = laid.box
        inside = []
        if moving:
            inside += self._copies(shown)
        inside += elements(laid)
        letters = int(width / LETTER)
        lines = [shown["sum"], *wrap(shown["end"], letters)]
        for k, line in enumerate(lines):
            y = top + height + 12 + LINE * k
            inside.append(text(complex(width / 2, y), line))
        box = [x, top, width, height + 8 + LINE * len(lines)]
        return sheet(box, self.alternative, "\n".join(inside), scale)

    def _followed(self, shown: Json) -> list[DrawnArrow]:
        """Return the arrows: thick where the pulse went, lost where it ended."""
        passed: dict[int, float] = {}
        ended = set()
        for step in shown["steps"]:
            for move in step["moves"]:
                k = move["edge"]
                if move["ends"]:
                    ended.add(k)
                else:
                    passed[k] = max(move["weight"], passed.get(k, 0.0))
        followed = []
        for k, arrow in enumerate(self.drawing.arrows):
            if k in passed:
                colour = TERMS[self.edges[k].kind]
                width = 1.6 + 3 * passed[k]
                followed.append(replace(arrow, colour=colour, width=width))
            else:
                followed.append(replace(arrow, lost=k in ended))
        return followed

    def _copies(self, shown: Json) -> list[str]:
        """Return the copies of the pulse, which run over the arrows once."""
        wide, _ = self.data["views"]
        moved = ""
        copies = []
        for k, step in enumerate(shown["steps"][1:]):
            start = 0.3 + k * PACE
            moved += f".s{k}{{animation:run {PACE}s {start:.1f}s ease-in-out}}"
            for move in step["moves"]:
                edge = move["edge"]
                colour = TERMS[self.edges[edge].kind]
                way = wide["arrows"][edge]["d"]
                look = f"fill: {colour}; offset-path:path('{way}')"
                radius = 5 + 6 * move["weight"]
                copies.append(
                    f'<circle class="pulse s{k}" r="{radius:.1f}" style="{look}"/>'
                )
        motion = f"@media (prefers-reduced-motion: no-preference){{{moved}}}"
        return [f"<style>{FRAMES}{motion}</style>", *copies]

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> dict[str, Any]:
        """Return HTML that plays it, with a picture where no script runs; and words."""
        still = image(self.still(), self.alternative)
        html = widget.playable("pulse", self.data, still)
        return {"text/html": html, "text/plain": repr(self)}
