"""Figures as SVG: drawings of our own, in halos, arrows, nodes or cells and text, and charts.

Each says in words what it shows. A notebook has it as an ``<img>`` in HTML, which JupyterLab shows
in a notebook that it does not trust, too. Every figure has a light ground of its own, since dark
ink would vanish on the ground of a dark theme. Where Jupyter trusts the notebook, a dark theme
turns light and dark around and keeps the hues.

The site takes the SVG out of the ``<img>`` and restyles it: its colours are CSS variables such as
``var(--stbp-ink, #24292f)``.
"""

import base64
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, cast

from stbp_edu._support.checks import Array
from stbp_edu.plotting.drawing import (
    LINE,
    Drawing,
    DrawnArrow,
    Laid,
    pair,
    path_data,
    tip_data,
)
from stbp_edu.plotting.palette import (
    CURRENT,
    GRID,
    GROUND,
    INK,
    LOST,
    PHONE,
    WIDE,
    sheet,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW = "STBP_VIEW"  # a page sets it to wide or narrow where Python runs
IMAGE = re.compile(
    r'<img class="stbp-figure"[^>]*? src="data:image/svg\+xml;base64,([^"]*)"[^>]*>'
)
"""A figure in the HTML of an output; its group is the SVG, in base64."""
DARK_THEMES = (
    '<style class="stbp-style">:is([data-jp-theme-light="false"],.vscode-dark,[theme="dark"]) '
    ".stbp-figure{filter:invert(1) hue-rotate(180deg)}</style>"
)
"""For JupyterLab, VS Code and Colab; the site leaves it out."""
NARROW = "stbp-narrow"
"""The key of an output's metadata that holds its figures set again for a phone."""
FILLING = 4.0  # seconds until every cell of an order has its colours
FILL_ORDER = (
    "<style>@keyframes stbp-fill{from{opacity:0}}@keyframes stbp-refill{from{opacity:0}}"
    "@media (prefers-reduced-motion: no-preference){"
    ".stbp-fill{animation:stbp-fill var(--pace) calc(var(--k)*var(--pace)) both}"
    "svg:hover .stbp-fill{animation-name:stbp-refill}}</style>"
)


@dataclass(frozen=True, repr=False)
class Shown:
    """A drawn figure: its SVG, what it shows in words, and its SVG set again for a phone."""

    svg: str
    alt: str
    narrow: str = ""

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the figure as an HTML image and in words; a page finds the rest in metadata."""
        data = {"text/html": image(self.svg, self.alt), "text/plain": repr(self)}
        return data, {NARROW: [packed(self.narrow)]} if self.narrow else {}

    def html(self) -> str:
        """Return the SVG as a part of a page, whose style sheet shows the wide or the narrow one.

        >>> Shown("<svg></svg>", "", "<svg></svg>").html()
        '<svg class="figure figure-wide"></svg><svg class="figure figure-narrow"></svg>'
        """
        if not self.narrow:
            return self.svg.replace("<svg", '<svg class="figure"', 1)
        wide = self.svg.replace("<svg", '<svg class="figure figure-wide"', 1)
        return wide + self.narrow.replace(
            "<svg", '<svg class="figure figure-narrow"', 1
        )

    def __repr__(self) -> str:
        return f"[Figure: {self.alt}]"


def image(svg: str, alt: str) -> str:
    """Return an SVG as an HTML image with these words, which no sanitiser takes out.

    >>> html = image('<svg width="9" height="4"></svg>', "A box.")
    >>> html.partition(" style")[0]
    '<img class="stbp-figure" alt="A box." width="9" height="4"'
    """
    opening, _, _ = svg.partition(">")
    width, height = re.findall(r' (?:width|height)="(\d+)"', opening)
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img class="stbp-figure" alt="{escape(alt)}" width="{width}" height="{height}" '
        'style="max-width: 100%; height: auto; border-radius: 6px" '
        f'src="data:image/svg+xml;base64,{data}">{DARK_THEMES}'
    )


def packed(svg: str) -> str:
    """Return an SVG compressed, as text.

    >>> unpacked(packed("<svg></svg>"))
    '<svg></svg>'
    """
    return base64.b64encode(zlib.compress(svg.encode(), 9)).decode()


def unpacked(text: str) -> str:
    """Return the SVG that :func:`packed` has compressed."""
    return zlib.decompress(base64.b64decode(text)).decode()


def show(*shown: "Figure | Drawing", alt: str) -> Shown:
    """Return a figure as an object that Jupyter and the site draw.

    Args:
        shown: a matplotlib figure; or drawings, which are put side by side.
        alt: what a reader who cannot see the figure needs to know: a sentence or more.

    Raises:
        TypeError: if there is no figure and no drawing.
        ValueError: if ``alt`` is missing or too short to say what the figure shows.

    >>> from stbp_edu.plotting import grid
    >>> show(grid(3, 2), alt="The grid of three steps and two layers.")
    [Figure: The grid of three steps and two layers.]
    """
    if not isinstance(alt, str) or len(alt.split()) < 5:
        raise ValueError(
            f"alt must describe the figure in five words or more, got {alt!r}; "
            "say what it shows to somebody who cannot see it"
        )
    alt = " ".join(alt.split())
    if shown and all(isinstance(each, Drawing) for each in shown):
        draw = partial(_drawings, cast("Sequence[Drawing]", shown), alt)
    elif len(shown) == 1 and hasattr(shown[0], "savefig"):
        from stbp_edu.plotting.charts import chart

        draw = partial(chart, cast("Figure", shown[0]), alt)
    else:
        raise TypeError(
            f"fig must be a matplotlib Figure or drawings, got {shown!r}; "
            "make one with plotting.figure() and pass the first of the pair"
        )
    view = os.environ.get(VIEW)
    if view not in ("wide", "narrow"):
        return Shown(draw(WIDE), alt, draw(PHONE))
    width = WIDE if view == "wide" else PHONE
    svg = draw(width).replace("<svg", '<svg data-view=""', 1)
    return Shown(svg, alt)


def _drawings(drawings: Sequence[Drawing], alt: str, width: int) -> str:
    """Return drawings as one SVG: side by side, four in two rows, and on a phone one by one."""
    across = 2 if len(drawings) == 4 else len(drawings)
    if width == PHONE:
        across = 1
    each = width // across
    every = [Laid(drawing, each) for drawing in drawings]
    parts = []
    height = 0
    for first in range(0, len(every), across):
        row = every[first : first + across]
        top = min(laid.box[1] for laid in row)
        for k, laid in enumerate(row):
            left = k * each
            inside = "".join(elements(laid))
            parts.append(
                f'<g transform="translate({left} {height - top})">{inside}</g>'
            )
            title = laid.drawing.title
            parts.append(text(complex(left + 20, height + 20), title, "start"))
        height += max(laid.box[1] + laid.box[3] for laid in row) - top
    return sheet([0, 0, width, height], alt, "".join(parts))


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
