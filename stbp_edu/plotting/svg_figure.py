"""Figures as SVG: drawings of our own, and charts, on one sheet.

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

from stbp_edu.plotting.drawing import LINE, Drawing, DrawnArrow, Laid
from stbp_edu.plotting.palette import CURRENT, DARK, GRID, GROUND, INK, LOST

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, PHONE = 691, 331  # CSS pixels
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
FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
FILLING = 4.0  # seconds until every cell of an order has its colours
FILLED = (
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
        metadata = {NARROW: [packed(self.narrow)]} if self.narrow else {}
        return {
            "text/html": image(self.svg, self.alt),
            "text/plain": repr(self),
        }, metadata

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
    width, height = re.findall(r' (?:width|height)="(\d+)"', svg.partition(">")[0])
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
        shown: a matplotlib figure, which is closed; or drawings, which are put side by side.
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
    drawings = [one for one in shown if isinstance(one, Drawing)]
    if drawings and len(drawings) == len(shown):
        draw = partial(_drawings, drawings, alt)
    elif len(shown) == 1 and hasattr(shown[0], "savefig"):
        from stbp_edu.plotting.chart_figure import chart

        draw = partial(chart, cast("Figure", shown[0]), alt)
    else:
        raise TypeError(
            f"fig must be a matplotlib Figure or drawings, got {shown!r}; "
            "make one with plotting.figure() and pass the first of the pair"
        )
    view = os.environ.get(VIEW)
    if view not in ("wide", "narrow"):
        return Shown(draw(WIDE), alt, draw(PHONE))
    svg = draw(WIDE if view == "wide" else PHONE)
    return Shown(svg.replace("<svg", '<svg data-view=""', 1), alt)


def _drawings(drawings: Sequence[Drawing], alt: str, width: int) -> str:
    """Return drawings as one SVG: side by side, four in two rows, and on a phone one by one."""
    across = 1 if width == PHONE else 2 if len(drawings) == 4 else len(drawings)
    each = width // across
    laid = [Laid(drawing, each) for drawing in drawings]
    parts, y = [], 0
    for first in range(0, len(laid), across):
        row = laid[first : first + across]
        top = min(one.box[1] for one in row)
        for x, one in zip(range(0, width, each), row, strict=False):
            parts.append(
                f'<g transform="translate({x} {y - top})">{"".join(elements(one))}</g>'
            )
            parts.append(text((x + 20, y + 20), one.drawing.title, "start"))
        y += max(one.box[1] + one.box[3] for one in row) - top
    return sheet([0, 0, width, y], alt, "".join(parts))


def sheet(box: Sequence[int], alt: str, inside: str, scale: float = 1.0) -> str:
    """Return an SVG on its ground, with the words that stand for it, so much enlarged.

    The colours that change with the page are CSS variables.
    """
    x, y, width, height = box
    words = escape(alt, quote=True)
    svg = (
        f'<svg role="img" aria-label="{words}" style="max-width: 100%; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg" width="{round(scale * width)}" '
        f'height="{round(scale * height)}" viewBox="{x} {y} {width} {height}" {FONT}>'
        f'<title>{words}</title><rect x="{x}" y="{y}" width="100%" height="100%" '
        f'style="fill: var(--stbp-ground, {GROUND})"/>{inside}</svg>'
    )
    for name, (light, _) in DARK.items():
        svg = re.sub(rf"(?<!, ){light}", f"var(--stbp-{name}, {light})", svg)
    return svg


def elements(laid: Laid) -> list[str]:
    """Return a drawing as elements of SVG: halos, arrows, nodes, factors, words."""
    drawing = laid.drawing
    halo = f"fill: none; stroke: {CURRENT}"
    asked = (name for name, node in drawing.nodes.items() if node.asked)
    found = [_form(laid, name, halo, 6, wider=4) for name in asked]
    found += [_arrow(laid, k, arrow) for k, arrow in enumerate(drawing.arrows)]
    form = _cell if drawing.cells else _node
    if drawing.order:
        found.append(FILLED)
    found += [form(laid, name) for name in drawing.nodes]
    for k, (x, y) in laid.factors.items():
        factor = drawing.arrows[k].factor
        found.append(text((x, y + 5 - LINE / 2 * factor.count("\n")), factor))
    return found + [text((x, y), w.text, w.anchor, w.colour) for w, x, y in laid.words]


def _arrow(laid: Laid, k: int, arrow: DrawnArrow) -> str:
    """Return an arrow with its head; a lost one with its cross."""
    colour = LOST if arrow.lost else arrow.colour
    wide, dashes = 1.25 if colour == GRID else 2.75, ""
    if arrow.lost:
        wide, dashes = 2.25, ' stroke-dasharray="6 4"'
    if arrow.width:
        wide = arrow.width
    drawn = f'<path d="{laid.path(k)}" fill="none" style="stroke: {colour}" '
    drawn += f'stroke-width="{wide:.2f}"{dashes}/><path d="{laid.tip(k)}" style="fill: {colour}"/>'
    if arrow.lost:
        x, y = laid.cross(k)
        drawn += f'<path d="M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14" '
        drawn += f'style="stroke: {LOST}" stroke-width="3"/>'
    return drawn


def _node(laid: Laid, name: Any) -> str:
    """Return a node; the loss is filled with ink."""
    (x, y), node = laid.at[name], laid.drawing.nodes[name]
    fill, frame, colour = (
        f"var(--stbp-ground, {GROUND})",
        INK if node.asked else GRID,
        INK,
    )
    if node.label == "L":
        fill, frame, colour = INK, INK, f"var(--stbp-paper, {GROUND})"
    drawn = _form(
        laid, name, f"fill: {fill}; stroke: {frame}", 2.5 if node.asked else 1.5
    )
    return drawn + text((x, y + 5), node.label, colour=colour)


def _cell(laid: Laid, name: Any) -> str:
    """Return a cell of a grid: filled and framed in its colours, or a hairline."""
    (x, y), node, order = laid.at[name], laid.drawing.nodes[name], laid.drawing.order
    wide, high, label = laid.step - 5, laid.row - 5, laid.labels[name]
    box = f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" '
    box += f'height="{high:.1f}" rx="5" '
    drawn = (
        f'{box}fill="none" style="stroke: {GRID}"/>'
        if order or not node.colours
        else ""
    )
    if node.colours:
        fill, frame = node.colours
        look = f"fill: {fill}; fill-opacity: 0.3; stroke: {frame}; stroke-width: 2"
        if order:
            box += 'class="stbp-fill" '
            look += f"; --k: {order.index(name)}; --pace: {FILLING / len(order):.2f}s"
        drawn += f'{box}style="{look}"/>'
    return drawn + text((x, y + 5 - LINE / 2 * label.count("\n")), label, size=14)


def _form(laid: Laid, name: Any, look: str, line: float, wider: int = 0) -> str:
    """Return the circle or the square of a node."""
    (x, y), rim = laid.at[name], laid.drawing.radius + wider
    form, half = f'circle cx="{x:.1f}" cy="{y:.1f}" r="{rim}"', rim - 1
    if not laid.drawing.nodes[name].round:
        form = f'rect x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half}" '
        form += f'height="{2 * half}" rx="5"'
    return f'<{form} style="{look}" stroke-width="{line}"/>'


def text(
    at: Any, words: str, anchor: str = "middle", colour: str = INK, size: int = 15
) -> str:
    """Return text as an element of SVG, line below line."""
    drawn = ""
    for k, line in enumerate(words.split("\n") if words else ()):
        place = f'x="{at[0]:.1f}" y="{at[1] + LINE * k:.1f}" text-anchor="{anchor}"'
        drawn += f'<text {place} font-size="{size}" style="fill: {colour}">{escape(line)}</text>'
    return drawn
