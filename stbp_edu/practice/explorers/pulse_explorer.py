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
from stbp_edu.plotting.curves import LETTER, LINE
from stbp_edu.plotting.drawing import DrawnArrow
from stbp_edu.plotting.graph import edges_on
from stbp_edu.plotting.palette import TERMS
from stbp_edu.plotting.svg_elements import elements, text
from stbp_edu.plotting.svg_figure import image, sheet
from stbp_edu.practice.explorers import widget
from stbp_edu.practice.explorers.pulse_steps import SYMBOLS, PulseWriter
from stbp_edu.practice.explorers.widget import Json, node_id
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

    >>> from stbp_edu.practice.explorers.pencil_network import one_neuron
    >>> rules = Pulse(one_neuron()).data["rules"]
    >>> [rules[rule]["arrived"] for rule in ("exact", "classic")]
    [4, 3]
    """

    def __init__(
        self, net: ForwardPass, start: Node = FIRST, rule: str = "exact"
    ) -> None:
        """Walk every path of a small network from a node on; the rule is the one shown first."""
        self.net, self.start, self.rule = (
            net,
            checks.instance("start", start, Node),
            rule,
        )
        checks.choice("rule", rule, CASE_RULES)
        checks.choice("start kind", start.kind, ("o", "u"))
        self.graph = unroll(net.trace, net.targets, net.params, net.neuron)
        self.paths, self.edges = (
            paths_from(start, self.graph),
            edges_on(self.graph, start),
        )
        symbols = {
            edge: SYMBOLS[edge.kind] for path in self.paths for edge in path.edges
        }
        self.drawing = widget.picture(self.graph, start, symbols)

    @cached_property
    def data(self) -> Json:
        """What the explorer shows: the graph, and every step under each of the rules.

        Steps and neurons are counted from 1, as on paper.
        """
        writer = PulseWriter(self.graph, self.start, self.paths, self.edges)
        goal, rules = (
            writer.name(self.start),
            {name: writer.rule(name) for name in CASE_RULES},
        )
        return {
            "T": self.graph.T,
            "sizes": list(self.graph.net.sizes),
            "words": self.net.description,
            "views": widget.views(self.drawing),
            "nodes": [
                {
                    **{"id": node_id(node), "kind": node.kind, "label": shown.label},
                    "value": widget.VALUES[node.kind],
                }
                for node, shown in self.drawing.nodes.items()
            ],
            "edges": [
                {
                    "from": node_id(e.source),
                    "to": node_id(e.target),
                    "symbol": SYMBOLS[e.kind],
                }
                for e in self.edges
            ],
            "used": [k for k, arrow in enumerate(self.drawing.arrows) if arrow.factor],
            "start": node_id(self.start),
            "goal": goal,
            "rule": self.rule,
            "rules": rules,
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

    def still(
        self, moving: bool = False, scale: float = 1.0, *, words: bool = True
    ) -> str:
        """Return the picture after the last step, as SVG.

        Args:
            moving: let the pulse run through it once; never where less motion is asked for.
            scale: how much larger than its numbers it is shown.
            words: write below the graph what has arrived.
        """
        shown = self.data["rules"][self.rule]
        laid = widget.wide(replace(self.drawing, arrows=self._followed(shown)))
        x, top, width, height = laid.box
        lines = []
        if words:
            lines = [shown["sum"], *wrap(shown["end"], int(width / LETTER))]
        below = [
            text((width / 2, top + height + 12 + LINE * k), line)
            for k, line in enumerate(lines)
        ]
        box = [x, top, width, height + 8 + LINE * len(lines)]
        inside = [*(self._copies(shown) if moving else ()), *elements(laid), *below]
        return sheet(box, self.alternative, "\n".join(inside), scale)

    def _followed(self, shown: Json) -> list[DrawnArrow]:
        """Return the arrows: thick where the pulse went, lost where it ended."""
        passed: dict[int, float] = {}
        ended = set()
        for move in (move for step in shown["steps"] for move in step["moves"]):
            if move["ends"]:
                ended.add(move["edge"])
            else:
                passed[move["edge"]] = max(
                    move["weight"], passed.get(move["edge"], 0.0)
                )
        return [
            replace(arrow, colour=TERMS[edge.kind], width=1.6 + 3 * passed[k])
            if k in passed
            else replace(arrow, lost=k in ended)
            for k, (arrow, edge) in enumerate(
                zip(self.drawing.arrows, self.edges, strict=True)
            )
        ]

    def _copies(self, shown: Json) -> list[str]:
        """Return the copies of the pulse, which run over the arrows once."""
        ways, moved, copies = self.data["views"][0]["arrows"], "", []
        for k, step in enumerate(shown["steps"][1:]):
            moved += f".s{k}{{animation:run {PACE}s {0.3 + k * PACE:.1f}s ease-in-out}}"
            for move in step["moves"]:
                colour, way = (
                    TERMS[self.edges[move["edge"]].kind],
                    ways[move["edge"]]["d"],
                )
                look = f"fill: {colour}; offset-path:path('{way}')"
                size = 5 + 6 * move["weight"]
                copies.append(
                    f'<circle class="pulse s{k}" r="{size:.1f}" style="{look}"/>'
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
