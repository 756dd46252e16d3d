"""The graph of the error pulse: where its nodes and arrows stand, and its picture at the end.

Time runs to the right, layers upward. Jupyter, GitHub and a page without scripts show the picture
where the explorer cannot be played.
"""

from html import escape
from operator import mul
from typing import Any

from stbp_edu.arrows import Edge, LocalDerivatives, Node
from stbp_edu.plotting.palette import GRID, GROUND, INK, LOST
from stbp_edu.plotting.svg_figure import themed

SIDE, TOP, BOTTOM = 74, 30, 68  # pixels around the graph
STEP, WIDER = 128, 42  # a step's width, and what each further neuron of a layer adds
SPIKE, LAYER, LOSS = 80, 172, 88  # heights: of o over u, of a layer, of L over the top spike
ACROSS, UP = 64, 22  # a neuron stands to the right of its neighbour, and a little above
RADIUS = 16  # of a node
CROSS = 0.6  # of the way along an arrow
Point = tuple[float, float]


def node_id(node: Node) -> str:
    """Return the name of a node: kind, layer, step, neuron, counted from 1."""
    return "L" if node.kind == "L" else f"{node.kind}-{node.n}-{node.t + 1}-{node.i + 1}"


def subscript(i: int) -> str:
    """Return a neuron's number, counted from 1, as a subscript."""
    return str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


class Layout:
    """The graph from the layer and the step of one node on.

    Attributes:
        nodes: potentials and spikes.
        at: where each stands, and the loss, in pixels from the top left corner.
        width: of the picture.
        height: of the picture.
    """

    def __init__(self, graph: LocalDerivatives, start: Node) -> None:
        self.first, self.T, self.layers = start.t, graph.T, range(start.n, graph.net.N + 1)
        most = max(graph.net.sizes[start.n :])
        self.step = STEP + WIDER * (most - 1)
        self.tall = LAYER + UP * (most - 1)
        steps, lean = graph.T - start.t, ACROSS * (most - 1)
        self.width = 2 * SIDE + (steps - 1) * self.step + lean
        rise = (graph.net.N - start.n) * self.tall + UP * (graph.net.sizes[-1] - 1)
        self.foot = TOP + LOSS + SPIKE + rise
        self.height = self.foot + BOTTOM
        self.lean = lean
        self.nodes = [
            Node(kind, n=n, t=t, i=i)
            for t in range(start.t, graph.T)
            for n in self.layers
            for i in range(graph.net.sizes[n])
            for kind in "uo"
        ]
        self.at = {node: self._at(node, graph.net.sizes[node.n]) for node in self.nodes}
        self.at[Node("L")] = (SIDE + ((steps - 1) * self.step + lean) / 2, TOP)

    def _at(self, node: Node, size: int) -> Point:
        """Return where a potential or a spike stands; a smaller layer stands in the middle."""
        shift = ACROSS * node.i + (self.lean - ACROSS * (size - 1)) / 2
        x = SIDE + (node.t - self.first) * self.step + shift
        y = self.foot - (node.n - self.layers[0]) * self.tall - UP * node.i
        return x, y - SPIKE * (node.kind == "o")

    def _points(self, edge: Edge) -> tuple[Point, Point, Point]:
        """Return both ends of an arrow and the point that bends it; those to the loss bow out."""
        (x, y), (X, Y) = self.at[edge.source], self.at[edge.target]
        bow = 0.16 * (X - x) if edge.kind == "readout" else 0.0
        return (x, y), ((x + X) / 2, (y + Y) / 2 - abs(bow)), (X, Y)

    def _trimmed(self, edge: Edge) -> tuple[Point, Point, Point]:
        """Return an arrow from rim to rim, with room for its head: end, bend, end."""
        ends = self._points(edge)
        a = next(k / 100 for k in range(100) if _gap(ends, k / 100, ends[0]) > RADIUS + 3)
        b = next(k / 100 for k in range(100, 0, -1) if _gap(ends, k / 100, ends[2]) > RADIUS + 9)
        parts = ((1 - a) * (1 - b), a + b - 2 * a * b, a * b)
        x, y = (sum(map(mul, parts, axis)) for axis in zip(*ends, strict=True))
        return _on(ends, a), (x, y), _on(ends, b)

    def curve(self, edge: Edge) -> str:
        """Return an arrow as the data of an SVG path."""
        (x, y), (bx, by), (X, Y) = self._trimmed(edge)
        return f"M{x:.1f} {y:.1f}Q{bx:.1f} {by:.1f} {X:.1f} {Y:.1f}"

    def head(self, edge: Edge) -> str:
        """Return an arrow's head as the data of an SVG path."""
        _, (bx, by), (x, y) = self._trimmed(edge)
        far = ((x - bx) ** 2 + (y - by) ** 2) ** 0.5
        dx, dy = (x - bx) / far, (y - by) / far
        tip, left, right = (8, 0), (-1, 4), (-1, -4)
        corners = [(x + a * dx - b * dy, y + a * dy + b * dx) for a, b in (tip, left, right)]
        return "M" + "L".join(f"{p:.1f} {q:.1f}" for p, q in corners) + "z"

    def middle(self, edge: Edge) -> list[float]:
        """Return the place of a cross: about the middle of an arrow, clear of other nodes."""
        return [round(c, 1) for c in _on(self._points(edge), CROSS)]

    def beside(self, edge: Edge) -> list[float | str]:
        """Return where an arrow's factor is written, and which end of the words stands there."""
        x, y = _on(self._points(edge), 0.5)
        slope = self.at[edge.target][0] - self.at[edge.source][0]
        if edge.kind in ("carry", "reset"):
            near = 40 / slope  # before the next neuron's arrows
            x, y = _on(self._points(edge), near if edge.kind == "reset" else 0.4)
            dx, dy = (6, -7) if edge.kind == "reset" else (0, 16)
            return [round(x + dx, 1), round(y + dy, 1), "middle"]
        left = edge.kind == "readout" and slope > 0
        up = 4 * (edge.kind == "readout" and slope != 0)
        return [round(x + (-9 if left else 8), 1), round(y + 2 - up, 1), "end" if left else "start"]

    def axes(self) -> list[dict[str, Any]]:
        """Return the words along the two axes."""
        x = [SIDE + k * self.step + self.lean / 2 for k in range(self.T - self.first)]
        words = [
            {"at": [at, self.height - 8], "text": f"t = {self.first + k + 1}", "anchor": "middle"}
            for k, at in enumerate(x)
        ]
        y = [self.foot - k * self.tall - SPIKE / 2 + 5 for k in range(len(self.layers))]
        if len(y) > 1:
            words += [
                {"at": [4, at], "text": f"n = {n}", "anchor": "start"}
                for n, at in zip(self.layers, y, strict=True)
            ]
        return words


def _on(ends: tuple[Point, Point, Point], k: float) -> Point:
    """Return a point of a quadratic curve, from 0 at its beginning to 1 at its end."""
    a, b, c = ((1 - k) ** 2, 2 * k * (1 - k), k**2)
    (x, y), (bx, by), (X, Y) = ends
    return a * x + b * bx + c * X, a * y + b * by + c * Y


def _gap(ends: tuple[Point, Point, Point], k: float, other: Point) -> float:
    """Return how far a point of a curve is from another point."""
    x, y = _on(ends, k)
    return float(((x - other[0]) ** 2 + (y - other[1]) ** 2) ** 0.5)


Json = dict[str, Any]
FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
LINE, LETTER = 20, 8.2  # a line's height, a letter's width
FRAMES = (
    "@keyframes run{0%{offset-distance:100%;opacity:1}99%{opacity:1}"
    "100%{offset-distance:0%;opacity:0}}.pulse{opacity:0;offset-rotate:0deg}"
)
PACE = 0.9  # seconds for a step where it moves by itself


def still(data: Json, rule: str, moving: bool = False) -> str:
    """Return the picture after the last step under one rule, as SVG.

    Args:
        data: of ``pulse_data``.
        rule: one of the rules in it.
        moving: let the pulse run through it once; never where less motion is asked for.
    """
    shown = data["rules"][rule]
    width, top = data["size"]
    lines = [line for line in shown["account"] if len(line) * LETTER < width]
    height = top + 14 + LINE * len(lines)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    words = escape(alternative(data, rule), quote=True)
    parts = [
        f'<svg role="img" aria-label="{words}" style="max-width: 100%; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg" {size} {FONT}>',
        f"<title>{words}</title>",
        f'<rect width="100%" height="100%" style="fill: var(--stbp-ground, {GROUND})"/>',
        *_arrows(data, shown),
        *(_pulse(data, shown) if moving else ()),
        *(_factor(data["edges"][k]) for k in data["used"]),
        *(_node(data, shown, node) for node in data["nodes"]),
        *(_text(a["at"], a["text"], a["anchor"], GRID) for a in data["axes"]),
        *(_text((width / 2, top + 18 + LINE * k), line) for k, line in enumerate(lines)),
        "</svg>",
    ]
    return themed("\n".join(parts))


def alternative(data: Json, rule: str) -> str:
    """Return what the picture shows, in words."""
    return (
        f"The network unrolled in time, and one error pulse that runs back from the loss L to "
        f"{data['goal']} over every arrow that leads there. {data['rules'][rule]['end']}"
    )


def _factor(edge: Json) -> str:
    """Return the letter of an arrow's factor, beside it."""
    x, y, anchor = edge["beside"]
    return _text((x, y), edge["symbol"], anchor, GRID, 12)


def _text(at: Point, words: str, anchor: str = "middle", colour: str = INK, size: int = 14) -> str:
    """Return a line of text; ink follows the ground."""
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" style="fill: {colour}">{escape(words)}</text>'


def _arrows(data: Json, shown: Json) -> list[str]:
    """Return the arrows: thick where the pulse went, dashed with a cross where it was lost."""
    drawn = []
    moves = [move for step in shown["steps"] for move in step["moves"]]
    for k, edge in enumerate(data["edges"]):
        passed = [move["weight"] for move in moves if move["edge"] == k and not move["ends"]]
        lost = any(move["edge"] == k and move["ends"] for move in moves)
        colour = edge["colour"] if passed else LOST if lost else GRID
        thick = 1.6 + 3 * max(passed) if passed else 2.2 if lost else 1
        line = f'style="stroke: {colour}" stroke-width="{thick:.1f}"'
        line += ' stroke-dasharray="6 4"' if lost and not passed else ""
        drawn.append(f'<path d="{edge["d"]}" fill="none" {line}/>')
        drawn.append(f'<path d="{edge["head"]}" style="fill: {colour}"/>')
        if lost:
            x, y = edge["mid"]
            cross = f"M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14"
            drawn.append(f'<path d="{cross}" style="stroke: {LOST}" stroke-width="3"/>')
    return drawn


def _node(data: Json, shown: Json, node: Json) -> str:
    """Return a node: spikes round, potentials and the loss square; the start is filled."""
    (x, y), kind = node["at"], node["kind"]
    used = {data["edges"][k][end] for k in data["used"] for end in ("from", "to")}
    stroke = INK if node["id"] in used else GRID
    width = 3 if node["id"] == data["start"] else 1.8
    sheet = f'style="fill: var(--stbp-ground, {GROUND}); stroke: {stroke}" stroke-width="{width}"'
    tint = f'style="fill: {INK}; fill-opacity: 0.12"' if node["id"] == data["start"] else ""
    if kind != "o":
        side = 2 * RADIUS - 3
        box = f'x="{x - side / 2}" y="{y - side / 2}" width="{side}" height="{side}" rx="3"'
        shape = [f"<rect {box} {look}/>" for look in (sheet, tint) if look]
    else:
        ring = f'cx="{x}" cy="{y}" r="{RADIUS}"'
        shape = [f"<circle {ring} {look}/>" for look in (sheet, tint) if look]
    return "".join(shape) + _text((x, y + 5), node["label"])


def _pulse(data: Json, shown: Json) -> list[str]:
    """Return the copies of the pulse, which run over the arrows once."""
    moved, copies = "", []
    for k, step in enumerate(shown["steps"][1:]):
        moved += f".s{k}{{animation:run {PACE}s {0.3 + k * PACE:.1f}s ease-in-out}}"
        for move in step["moves"]:
            edge, size = data["edges"][move["edge"]], 5 + 6 * move["weight"]
            look = f'r="{size:.1f}"'
            way = f"fill: {edge['colour']}; offset-path:path('{edge['d']}')"
            copies.append(f'<circle class="pulse s{k}" {look} style="{way}"/>')
    motion = f"@media (prefers-reduced-motion: no-preference){{{moved}}}"
    return [f"<style>{FRAMES}{motion}</style>", *copies]
