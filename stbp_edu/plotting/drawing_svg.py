"""Drawings as SVG, which a page may restyle: ink and grounds are CSS variables."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from stbp_edu.checks import Array
from stbp_edu.plotting.drawing import LINE, Arrow, Drawing, Laid
from stbp_edu.plotting.palette import CURRENT, DARK, GRID, GROUND, INK, LOST

FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
FILLING = 4.0  # seconds until every cell of an order has its colours
FILLED = (
    "<style>@keyframes stbp-fill{from{opacity:0}}@keyframes stbp-refill{from{opacity:0}}"
    "@media (prefers-reduced-motion: no-preference){"
    ".stbp-fill{animation:stbp-fill var(--pace) calc(var(--k)*var(--pace)) both}"
    "svg:hover .stbp-fill{animation-name:stbp-refill}}</style>"
)


def svg_of(drawings: Sequence[Drawing], width: int, alt: str, across: int = 1) -> str:
    """Return drawings side by side as one SVG, which says what it shows."""
    each = width // across
    laid = [Laid(drawing, each) for drawing in drawings]
    parts, y = [], 0
    for first in range(0, len(laid), across):
        row = laid[first : first + across]
        top = min(one.box[1] for one in row)
        for x, one in zip(range(0, width, each), row, strict=False):
            parts.append(f'<g transform="translate({x} {y - top})">{"".join(elements(one))}</g>')
            parts.append(text((x + 20, y + 20), one.drawing.title, "start"))
        y += max(one.box[1] + one.box[3] for one in row) - top
    return sheet([0, 0, width, y], alt, "".join(parts))


def sheet(box: Sequence[int], alt: str, inside: str, scale: float = 1.0) -> str:
    """Return an SVG on its ground, with the words that stand for it, so much enlarged."""
    x, y, width, height = box
    words = escape(alt, quote=True)
    return themed(
        f'<svg role="img" aria-label="{words}" style="max-width: 100%; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg" width="{round(scale * width)}" '
        f'height="{round(scale * height)}" viewBox="{x} {y} {width} {height}" {FONT}>'
        f'<title>{words}</title><rect x="{x}" y="{y}" width="100%" height="100%" '
        f'style="fill: var(--stbp-ground, {GROUND})"/>{inside}</svg>'
    )


def themed(svg: str) -> str:
    """Return an SVG in which the colours that change with the page are CSS variables.

    >>> themed('<path style="fill: #24292f"/>')
    '<path style="fill: var(--stbp-ink, #24292f)"/>'
    """
    for name, (light, _) in DARK.items():
        svg = re.sub(rf"(?<!, ){light}", f"var(--stbp-{name}, {light})", svg)
    return svg


def elements(laid: Laid) -> list[str]:
    """Return a drawing as elements of SVG: halos, arrows, nodes, factors, words."""
    drawing = laid.drawing
    halo = f"fill: none; stroke: {CURRENT}"
    found = [
        _form(laid.at[name], drawing.radius + 4, node.round, halo, 6)
        for name, node in drawing.nodes.items()
        if node.asked
    ]
    found += [_arrow(laid, k, arrow) for k, arrow in enumerate(drawing.arrows)]
    form = _cell if drawing.cells else _node
    found += [FILLED] * bool(drawing.order) + [form(laid, name) for name in drawing.nodes]
    for k, (x, y) in laid.factors.items():
        factor = drawing.arrows[k].factor
        found.append(text((x, y + 5 - LINE / 2 * factor.count("\n")), factor))
    return found + [text((x, y), w.text, w.anchor, w.colour) for w, x, y in laid.words]


def _arrow(laid: Laid, k: int, arrow: Arrow) -> str:
    """Return an arrow with its head; a lost one with its cross."""
    colour = LOST if arrow.lost else arrow.colour
    wide = arrow.width or (2.25 if arrow.lost else 1.25 if colour == GRID else 2.75)
    dashes = ' stroke-dasharray="6 4"' * arrow.lost
    drawn = f'<path d="{laid.path(k)}" fill="none" style="stroke: {colour}" '
    drawn += f'stroke-width="{wide:.2f}"{dashes}/><path d="{laid.tip(k)}" style="fill: {colour}"/>'
    if arrow.lost:
        x, y = laid.cross(k)
        drawn += f'<path d="M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14" '
        drawn += f'style="stroke: {LOST}" stroke-width="3"/>'
    return drawn


def _node(laid: Laid, name: Any) -> str:
    """Return a node; the loss is filled with ink."""
    at, node, rim = laid.at[name], laid.drawing.nodes[name], laid.drawing.radius
    loss = node.label == "L"
    fill = INK if loss else f"var(--stbp-ground, {GROUND})"
    look = f"fill: {fill}; stroke: {INK if node.asked or loss else GRID}"
    drawn = _form(at, rim, node.round, look, 2.5 if node.asked else 1.5)
    colour = f"var(--stbp-paper, {GROUND})" if loss else INK
    return drawn + text((at[0], at[1] + 5), node.label, colour=colour)


def _cell(laid: Laid, name: Any) -> str:
    """Return a cell of a grid: filled and framed in its colours, or a hairline."""
    (x, y), node, order = laid.at[name], laid.drawing.nodes[name], laid.drawing.order
    wide, high = laid.step - 5, laid.row - 5
    box = f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" '
    box += f'height="{high:.1f}" rx="5" '
    drawn = f'{box}fill="none" style="stroke: {GRID}"/>' if order or not node.colours else ""
    if node.colours:
        fill, frame = node.colours
        look = f"fill: {fill}; fill-opacity: 0.3; stroke: {frame}; stroke-width: 2"
        if order:
            box += 'class="stbp-fill" '
            look += f"; --k: {order.index(name)}; --pace: {FILLING / len(order):.2f}s"
        drawn += f'{box}style="{look}"/>'
    label = laid.labels[name]
    at = (x, y + 5 - LINE / 2 * label.count("\n"))
    return drawn + text(at, label, size=14)


def _form(at: Array, rim: float, is_round: bool, look: str, wide: float) -> str:
    """Return a circle or a square."""
    x, y = at
    line = f'style="{look}" stroke-width="{wide}"'
    if is_round:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{rim}" {line}/>'
    side = 2 * rim - 2
    corner = f'x="{x - side / 2:.1f}" y="{y - side / 2:.1f}"'
    return f'<rect {corner} width="{side}" height="{side}" rx="5" {line}/>'


def text(at: Any, words: str, anchor: str = "middle", colour: str = INK, size: int = 15) -> str:
    """Return text as an element of SVG, line below line."""
    drawn = ""
    for k, line in enumerate(words.split("\n") if words else ()):
        place = f'x="{at[0]:.1f}" y="{at[1] + LINE * k:.1f}" text-anchor="{anchor}"'
        drawn += f'<text {place} font-size="{size}" style="fill: {colour}">{escape(line)}</text>'
    return drawn
