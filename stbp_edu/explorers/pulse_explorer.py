"""The explorer of the error pulse: one pulse that runs back from the loss to a node.

It moves one arrow a step, over every path at once. At a node the pulse splits, over each arrow the
copy is multiplied by the arrow's factor, and copies that meet add up. A copy from which no path is
left that the rule keeps ends at a cross. A notebook has a picture of the end, which a page of the
site plays.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from textwrap import wrap
from typing import Any, NamedTuple

from stbp_edu._support import checks
from stbp_edu.arrows import Edge, Node, Path, paths_from
from stbp_edu.cases import CASE_RULES
from stbp_edu.explorers.network_explorers import (
    VALUES,
    Json,
    graph_data,
    node_id,
    picture,
    wide,
)
from stbp_edu.explorers.pencil_network import frac
from stbp_edu.plotting.drawing import LETTER, LINE, DrawnArrow
from stbp_edu.plotting.graph import edges_on, label
from stbp_edu.plotting.palette import TERMS, sheet
from stbp_edu.plotting.svg_figure import elements, image, text
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.verify.paths import unroll


class Move(NamedTuple):
    """The copies that go over one arrow in one step, added up.

    Attributes:
        edge: the arrow; the copies go from its target to its source.
        before: their value before its factor.
        value: their value behind it.
        paths: the paths from the start to the loss that they stand for.
        ends: whether they end on this arrow, at a cross.
    """

    edge: Edge
    before: float
    value: float
    paths: tuple[Path, ...]
    ends: bool


def pulse_moves(paths: Sequence[Path], rule: str = "exact") -> list[list[Move]]:
    """Return the moves of each step of a pulse over these paths, which begin in one node.

    >>> from stbp_edu.explorers.pencil_network import one_neuron
    >>> from stbp_edu.explorers.pulse_explorer import Pulse
    >>> paths = Pulse(one_neuron()).paths
    >>> [len(step) for step in pulse_moves(paths)]
    [3, 2, 3, 2, 1]
    >>> [move.edge.kind for step in pulse_moves(paths, "classic") for move in step if move.ends]
    ['carry']
    """
    # A part of a path begins at some node and ends at the loss.
    beyond: dict[tuple[Edge, ...], list[Path]] = defaultdict(list)
    for path in paths:
        for k in range(len(path.edges)):
            beyond[path.edges[k:]].append(path)
    hopeless = {
        part
        for part, those in beyond.items()
        if all(path.dropped_by(rule) for path in those)
    }
    together = defaultdict(list)
    for part in sorted(beyond, key=len):
        if part[1:] not in hopeless:
            together[len(part), part[0], part in hopeless].append(part)
    steps: list[list[Move]] = [[] for _ in range(max(map(len, beyond)))]
    for (length, edge, ends), parts in together.items():
        before = worth(Path(part[1:]) for part in parts)
        value = worth(Path(part) for part in parts)
        those = tuple(path for part in parts for path in beyond[part])
        steps[length - 1].append(Move(edge, before, value, those, ends))
    return steps


def worth(paths: Iterable[Path]) -> float:
    """Return the sum of the paths' contributions."""
    return float(sum(path.contribution for path in paths))


FIRST = Node("o", n=1, t=0, i=0)
SYMBOLS = {
    "spike": "h",
    "carry": "f",
    "reset": "u f′",
    "weight": "w",
    "readout": "direct",
}
LARGEST = 5000  # denominator of a fraction that is still read at a glance


class Pulse:
    """An error pulse over the paths of the first sample: a picture, played on the site's pages.

    >>> from stbp_edu.explorers.pencil_network import one_neuron
    >>> rules = Pulse(one_neuron()).data["rules"]
    >>> [rules[rule]["sum"].split(" = ")[-1] for rule in ("exact", "classic")]
    ['−395/2304', '−443/2304']
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
        used = {edge for path in self.paths for edge in path.edges}
        self.drawing = picture(
            self.graph, start, {edge: SYMBOLS[edge.kind] for edge in used}
        )
        moves = [move for step in pulse_moves(self.paths) for move in step]
        values = [move.value for move in moves]
        numbers = values + [float(move.edge.factor) for move in moves]
        self.most = max(map(abs, values)) or 1.0
        self.in_fractions = all(
            abs(Fraction(x).limit_denominator(LARGEST) - x) < 1e-12 for x in numbers
        )

    @cached_property
    def data(self) -> Json:
        """What the explorer shows: the graph, and every step under each of the rules.

        Steps and neurons are counted from 1, as on paper.
        """
        shown = graph_data(self.net, self.drawing)
        for node, data in zip(self.drawing.nodes, shown["nodes"], strict=True):
            data["name"] = self.name(node)
        for edge, data in zip(self.edges, shown["edges"], strict=True):
            data["symbol"] = SYMBOLS[edge.kind]
        return {
            **shown,
            "values": VALUES,
            "used": [k for k, arrow in enumerate(self.drawing.arrows) if arrow.factor],
            "start": node_id(self.start),
            "paths": len(self.paths),
            "rule": self.rule,
            "rules": {name: self.under(name) for name in CASE_RULES},
        }

    def write(self, x: float) -> str:
        """Return a number as a fraction, if all are small ones, with a real minus sign."""
        text = frac(x) if self.in_fractions else f"{x + 0.0:.4g}"
        return text.replace("-", "−")

    def name(self, node: Node) -> str:
        """Return a node in words; a pair of numbers is its cell (t, n)."""
        if node.kind == "L":
            return "L"
        place = f"({node.t + 1}, {node.n})"
        if self.graph.net.sizes[self.start.n :] == (1,):
            place = f"t = {node.t + 1}"
        return f"{label(node, self.graph.net)} at {place}"

    def under(self, rule: str) -> Json:
        """Return the steps under one rule, each with what is at the nodes when it is over."""
        steps: list[Json] = [
            {"moves": [], "rest": [{"node": "L", "label": "1", "weight": 1.0}]}
        ]
        came: list[float] = []
        arrived = 0
        for step in pulse_moves(self.paths, rule):
            there: dict[Node, float] = defaultdict(float)
            for move in step:
                if move.ends:
                    continue
                if move.edge.source == self.start:
                    came.append(move.value)
                    arrived += len(move.paths)
                else:
                    there[move.edge.source] += move.value
            if came:
                there[self.start] = sum(came)
            rest = [
                {"node": node_id(node), **self.sized(value)}
                for node, value in there.items()
            ]
            steps.append({"moves": [self.move(move) for move in step], "rest": rest})
        end = self.end(sum(came), arrived)
        return {"steps": steps, "sum": self.added(came), "end": end}

    def sized(self, value: float) -> Json:
        """Return a value as it is written, and how large it is drawn, from 0 to 1."""
        weight = min(1.0, abs(value) / self.most) ** 0.5
        return {"label": self.write(value), "weight": round(weight, 3)}

    def move(self, move: Move) -> Json:
        """Return one move; ``worth`` is what its paths add to the start."""
        return {
            "edge": self.edges.index(move.edge),
            **self.sized(move.value),
            "before": self.write(move.before),
            "factor": self.write(float(move.edge.factor)),
            "paths": len(move.paths),
            "worth": self.write(worth(move.paths)),
            "ends": move.ends,
        }

    def added(self, came: list[float]) -> str:
        """Return the values that arrived as a sum, as one would write it on paper."""
        total = self.write(sum(came))
        if len(came) < 2:
            return total
        terms = " + ".join(map(self.write, came)).replace("+ −", "− ")
        return f"{terms} = {total}"

    def end(self, total: float, arrived: int) -> str:
        """Return the closing words, when nothing moves any more."""
        letter = "δ" if self.start.kind == "o" else "ε"
        adjoint = f"{letter} of {self.name(self.start)}"
        many = len(self.paths)
        if arrived == many:
            return f"All {many} paths have arrived: {adjoint} = {self.write(total)}."
        whole = worth(self.paths)
        return (
            f"{arrived} of {many} paths have arrived, with the sum {self.write(total)}. "
            f"Every path counted, {adjoint} = {self.write(whole)}: "
            f"the lost ones are worth {self.write(whole - total)}."
        )

    @property
    def alternative(self) -> str:
        """The picture in words."""
        return (
            f"The network unrolled in time, and one error pulse that runs back from the loss L to "
            f"{self.name(self.start)} over every arrow that leads there. "
            f"{self.data['rules'][self.rule]['end']}"
        )

    def __repr__(self) -> str:
        return f"[Explorer: {self.alternative}]"

    def still(self, scale: float = 1.0) -> str:
        """Return the picture after the last step, as SVG; so much larger than its numbers."""
        shown = self.data["rules"][self.rule]
        laid = wide(replace(self.drawing, arrows=self._followed(shown)))
        x, top, width, height = laid.box
        lines = [shown["sum"], *wrap(shown["end"], int(width / LETTER))]
        under = complex(width / 2, top + height + 12)
        inside = [*elements(laid), text(under, "\n".join(lines))]
        box = [x, top, width, height + 8 + LINE * len(lines)]
        return sheet(box, self.alternative, "\n".join(inside), scale)

    def _followed(self, shown: Json) -> list[DrawnArrow]:
        """Return the arrows: thick where the pulse went, lost where it ended."""
        followed = [*self.drawing.arrows]
        moves = [move for step in shown["steps"] for move in step["moves"]]
        # What passes an arrow hides a cross on it, the heaviest copy all others.
        for move in sorted(moves, key=lambda move: (not move["ends"], move["weight"])):
            k = move["edge"]
            looks: Json = {"lost": True}
            if not move["ends"]:
                colour = TERMS[self.edges[k].kind]
                looks = {"colour": colour, "width": 1.6 + 3 * move["weight"]}
            followed[k] = replace(self.drawing.arrows[k], **looks)
        return followed

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> dict[str, Any]:
        """Return HTML with a picture, and the data from which a page of the site plays it."""
        still = image(self.still(), self.alternative)
        values = json.dumps(self.data, separators=(",", ":"), ensure_ascii=False)
        html = (
            f'<div class="stbp-explorer">{still}<script type="application/json" '
            f'data-explorer="pulse">{values}</script></div>'
        )
        return {"text/html": html, "text/plain": repr(self)}
