"""The parts of a drawing as elements of SVG: halos, arrows, nodes or cells, and text."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from stbp_edu._support.checks import Array
from stbp_edu.plotting.drawing import LINE, DrawnArrow, Laid, pair, path_data, tip_data
from stbp_edu.plotting.palette import CURRENT, DARK, GRID, GROUND, INK, LOST

WIDE = 691  # CSS pixels
PHONE = 331
FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
FILLING = 4.0  # seconds until every cell of an order has its colours
FILL_ORDER = (
    "<style>@keyframes stbp-fill{from{opacity:0}}@keyframes stbp-refill{from{opacity:0}}"
    "@media (prefers-reduced-motion: no-preference){"
    ".stbp-fill{animation:stbp-fill var(--pace) calc(var(--k)*var(--pace)) both}"
    "svg:hover .stbp-fill{animation-name:stbp-refill}}</style>"
)


def elements(laid: Laid) -> list[str]:
    """Return a drawing as elements of SVG: halos, arrows, nodes, factors, words."""
    drawing = laid.drawing
    found = []
    for name, node in drawing.nodes.items():
        if node.asked:
            found.append(
                _form(laid, name, f"fill: none; stroke: {CURRENT}", 6, wider=4)
            )
    for k, arrow in enumerate(drawing.arrows):
        found.append(_arrow(arrow, laid.curves[k], *pair(laid.crosses[k])))
    if drawing.order:
        found.append(FILL_ORDER)
    form = _cell if drawing.cells else _node
    found += [form(laid, name) for name in drawing.nodes]
    for k, middle in laid.factors.items():
        found.append(_centred(middle, drawing.arrows[k].factor))
    for word, place in laid.words:
        found.append(text(place, word.text, word.anchor, word.colour))
    return found


def _arrow(arrow: DrawnArrow, curve: Array, x: float, y: float) -> str:
    """Return an arrow with its head; a lost one with its cross."""
    colour, width, dashes, cross = arrow.colour, 2.75, "", ""
    if colour == GRID:
        width = 1.25
    if arrow.lost:
        colour, width, dashes = LOST, 2.25, ' stroke-dasharray="6 4"'
        cross = f'<path d="M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14" '
        cross += f'style="stroke: {LOST}" stroke-width="3"/>'
    return (
        f'<path d="{path_data(curve)}" fill="none" style="stroke: {colour}" '
        f'stroke-width="{arrow.width or width:.2f}"{dashes}/>'
        f'<path d="{tip_data(curve)}" style="fill: {colour}"/>{cross}'
    )


def _node(laid: Laid, name: Any) -> str:
    """Return a node; the loss is filled with ink."""
    node = laid.drawing.nodes[name]
    fill, frame, line, colour = f"var(--stbp-ground, {GROUND})", GRID, 1.5, INK
    if node.asked:
        frame, line = INK, 2.5
    if node.label == "L":
        fill, frame, colour = INK, INK, f"var(--stbp-paper, {GROUND})"
    form = _form(laid, name, f"fill: {fill}; stroke: {frame}", line)
    return form + _centred(laid.at[name], node.label, colour)


def _cell(laid: Laid, name: Any) -> str:
    """Return a cell of a grid: filled and framed in its colours, or a hairline."""
    colours = laid.drawing.nodes[name].colours
    order = laid.drawing.order
    middle = laid.at[name]
    width = laid.step - 5
    height = laid.row - 5
    x, y = middle.real - width / 2, middle.imag - height / 2
    box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" '
    drawn = ""
    if order or not colours:
        drawn = f'{box}fill="none" style="stroke: {GRID}"/>'
    if colours:
        fill, frame = colours
        look = f"fill: {fill}; fill-opacity: 0.3; stroke: {frame}; stroke-width: 2"
        if order:
            box += 'class="stbp-fill" '
            look += f"; --k: {order.index(name)}; --pace: {FILLING / len(order):.2f}s"
        drawn += f'{box}style="{look}"/>'
    return drawn + _centred(middle, laid.labels[name], size=14)


def _form(laid: Laid, name: Any, look: str, line: float, wider: int = 0) -> str:
    """Return the circle or the square of a node."""
    x, y = laid.at[name].real, laid.at[name].imag
    radius = laid.drawing.radius + wider
    half = radius - 1
    form = f'rect x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half}" '
    form += f'height="{2 * half}" rx="5"'
    if laid.drawing.nodes[name].round:
        form = f'circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"'
    return f'<{form} style="{look}" stroke-width="{line}"/>'


def _centred(middle: complex, words: str, colour: str = INK, size: int = 15) -> str:
    """Return text in as many lines as it has, with its middle at a place."""
    first = middle + 1j * (5 - LINE / 2 * words.count("\n"))
    return text(first, words, colour=colour, size=size)


def text(
    at: complex, words: str, anchor: str = "middle", colour: str = INK, size: int = 15
) -> str:
    """Return text as an element of SVG, line below line."""
    if not words:
        return ""
    return "".join(
        f'<text x="{at.real:.1f}" y="{at.imag + LINE * k:.1f}" text-anchor="{anchor}" '
        f'font-size="{size}" style="fill: {colour}">{escape(line)}</text>'
        for k, line in enumerate(words.split("\n"))
    )


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
