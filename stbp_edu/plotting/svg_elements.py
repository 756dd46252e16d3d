"""The parts of a drawing as elements of SVG: halos, arrows, nodes or cells, and text."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from stbp_edu.plotting.arrow_shapes import LINE, path_data, tip_data
from stbp_edu.plotting.drawing import DrawnArrow, Laid
from stbp_edu.plotting.palette import CURRENT, DARK, GRID, GROUND, INK, LOST

WIDE = 691  # CSS pixels
PHONE = 331
FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
FILLING = 4.0  # seconds until every cell of an order has its colours
FILLED = (
    "<style>@keyframes stbp-fill{from{opacity:0}}@keyframes stbp-refill{from{opacity:0}}"
    "@media (prefers-reduced-motion: no-preference){"
    ".stbp-fill{animation:stbp-fill var(--pace) calc(var(--k)*var(--pace)) both}"
    "svg:hover .stbp-fill{animation-name:stbp-refill}}</style>"
)


def elements(laid: Laid) -> list[str]:
    """Return a drawing as elements of SVG: halos, arrows, nodes, factors, words."""
    drawing = laid.drawing
    halo = f"fill: none; stroke: {CURRENT}"
    asked = [name for name, node in drawing.nodes.items() if node.asked]
    found = [_form(laid, name, halo, 6, wider=4) for name in asked]
    found += [_arrow(laid, k, arrow) for k, arrow in enumerate(drawing.arrows)]
    if drawing.order:
        found.append(FILLED)
    if drawing.cells:
        found += [_cell(laid, name) for name in drawing.nodes]
    else:
        found += [_node(laid, name) for name in drawing.nodes]
    for k, middle in laid.factors.items():
        found.append(_centred(middle, drawing.arrows[k].factor))
    for word, x, y in laid.words:
        found.append(text((x, y), word.text, word.anchor, word.colour))
    return found


def _arrow(laid: Laid, k: int, arrow: DrawnArrow) -> str:
    """Return an arrow with its head; a lost one with its cross."""
    colour = arrow.colour
    width = 1.25 if colour == GRID else 2.75
    dashes = ""
    if arrow.lost:
        colour = LOST
        width = 2.25
        dashes = ' stroke-dasharray="6 4"'
    if arrow.width:
        width = arrow.width
    curve = laid.curves[k]
    drawn = f'<path d="{path_data(curve)}" fill="none" style="stroke: {colour}" '
    drawn += f'stroke-width="{width:.2f}"{dashes}/>'
    drawn += f'<path d="{tip_data(curve)}" style="fill: {colour}"/>'
    if arrow.lost:
        x, y = laid.cross(k)
        drawn += f'<path d="M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14" '
        drawn += f'style="stroke: {LOST}" stroke-width="3"/>'
    return drawn


def _node(laid: Laid, name: Any) -> str:
    """Return a node; the loss is filled with ink."""
    node = laid.drawing.nodes[name]
    fill = f"var(--stbp-ground, {GROUND})"
    frame = GRID
    line = 1.5
    colour = INK
    if node.asked:
        frame = INK
        line = 2.5
    if node.label == "L":
        fill = INK
        frame = INK
        colour = f"var(--stbp-paper, {GROUND})"
    form = _form(laid, name, f"fill: {fill}; stroke: {frame}", line)
    return form + _centred(laid.at[name], node.label, colour)


def _cell(laid: Laid, name: Any) -> str:
    """Return a cell of a grid: filled and framed in its colours, or a hairline."""
    node = laid.drawing.nodes[name]
    order = laid.drawing.order
    x, y = laid.at[name]
    width = laid.step - 5
    height = laid.row - 5
    box = f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
    box += f'height="{height:.1f}" rx="5" '
    drawn = ""
    if order or not node.colours:
        drawn = f'{box}fill="none" style="stroke: {GRID}"/>'
    if node.colours:
        fill, frame = node.colours
        look = f"fill: {fill}; fill-opacity: 0.3; stroke: {frame}; stroke-width: 2"
        if order:
            pace = FILLING / len(order)
            box += 'class="stbp-fill" '
            look += f"; --k: {order.index(name)}; --pace: {pace:.2f}s"
        drawn += f'{box}style="{look}"/>'
    return drawn + _centred((x, y), laid.labels[name], size=14)


def _form(laid: Laid, name: Any, look: str, line: float, wider: int = 0) -> str:
    """Return the circle or the square of a node."""
    x, y = laid.at[name]
    radius = laid.drawing.radius + wider
    if laid.drawing.nodes[name].round:
        form = f'circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"'
    else:
        half = radius - 1
        form = f'rect x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half}" '
        form += f'height="{2 * half}" rx="5"'
    return f'<{form} style="{look}" stroke-width="{line}"/>'


def _centred(middle: Any, words: str, colour: str = INK, size: int = 15) -> str:
    """Return text in as many lines as it has, with its middle at a place."""
    x, y = middle
    more_lines = words.count("\n")
    first = y + 5 - LINE / 2 * more_lines
    return text((x, first), words, colour=colour, size=size)


def text(
    at: Any, words: str, anchor: str = "middle", colour: str = INK, size: int = 15
) -> str:
    """Return text as an element of SVG, line below line."""
    if not words:
        return ""
    x, y = at
    drawn = ""
    for k, line in enumerate(words.split("\n")):
        place = f'x="{x:.1f}" y="{y + LINE * k:.1f}" text-anchor="{anchor}"'
        drawn += f'<text {place} font-size="{size}" style="fill: {colour}">{escape(line)}</text>'
    return drawn


def sheet(box: Sequence[int], alt: str, inside: str, scale: float = 1.0) -> str:
    """Return an SVG on its ground, with the words that stand for it, so much enlarged.

    The colours that change with the page are CSS variables.
    """
    x, y, width, height = box
    shown_width = round(scale * width)
    shown_height = round(scale * height)
    words = escape(alt, quote=True)
    svg = (
        f'<svg role="img" aria-label="{words}" style="max-width: 100%; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg" width="{shown_width}" '
        f'height="{shown_height}" viewBox="{x} {y} {width} {height}" {FONT}>'
        f'<title>{words}</title><rect x="{x}" y="{y}" width="100%" height="100%" '
        f'style="fill: var(--stbp-ground, {GROUND})"/>{inside}</svg>'
    )
    for name, (light, _) in DARK.items():
        svg = re.sub(rf"(?<!, ){light}", f"var(--stbp-{name}, {light})", svg)
    return svg
