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

from stbp_edu.plotting.drawing import Drawing, Laid
from stbp_edu.plotting.svg_elements import PHONE, WIDE, elements, sheet, text

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
