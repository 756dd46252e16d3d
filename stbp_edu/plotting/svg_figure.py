"""Make a figure, and show it as an SVG that can be read aloud and looks right on any ground.

The ground. Jupyter shows an SVG as a picture, so that a style sheet cannot reach into it, and in a
dark theme dark ink on no ground would vanish. So every figure has a white sheet behind it. A page
that holds the SVG inline may restyle it: ink and sheet are written as CSS variables,
``var(--stbp-ink, #24292f)`` and ``var(--stbp-ground, #ffffff)``. A dark page needs one rule:

    [data-md-color-scheme="slate"] { --stbp-ink: #e6e8eb; --stbp-ground: transparent; }
"""

import io
import os
import re
import sys
import zlib
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from stbp_edu.plotting.drawing import Drawing
from stbp_edu.plotting.drawing_svg import sheet, svg_of
from stbp_edu.plotting.palette import INK, style

WIDE, PHONE = 691, 331  # CSS pixels
WIDTHS = {WIDE: 7.2, PHONE: 3.45}  # the same in inches
VIEW = "STBP_VIEW"  # a page sets it to wide or narrow where Python runs
NUMBER = re.compile(r"-?\d+\.\d{2,}")


def figure(
    rows: int = 1, cols: int = 1, *, height: float = 2.6, **subplots: Any
) -> tuple[Figure, Any]:
    """Return (fig, axes) in the course's style; no pyplot, so nothing has to be closed.

    Args:
        rows: rows of axes.
        cols: columns of axes.
        height: in inches.
        subplots: passed on, such as ``sharex=True`` or ``height_ratios=[1, 2]``.

    >>> fig, ax = figure()
    >>> fig.get_size_inches().tolist()
    [7.2, 2.6]
    """
    with style():
        fig = Figure(figsize=(WIDTHS[WIDE], height), layout="constrained")
        return fig, fig.subplots(rows, cols, **subplots)


@dataclass(frozen=True, repr=False)
class Shown:
    """A drawn figure: its SVG, its alt text, its SVG set again for a phone, and HTML below it."""

    svg: str
    alt: str
    narrow: str = ""
    below: str = ""

    def _repr_html_(self) -> str | None:
        """Return the figure with what stands below it; None where nothing does."""
        return self.html() if self.below else None

    def _repr_svg_(self) -> str | None:
        """Return the SVG; a page finds the one for a phone in its metadata."""
        if self.below:
            return None
        kept = f'<metadata data-narrow="">{escape(self.narrow, quote=False)}</metadata></svg>'
        return self.svg.removesuffix("</svg>") + kept if self.narrow else self.svg

    def html(self) -> str:
        """Return the SVG as a part of a page, whose style sheet shows the wide or the narrow one.

        >>> Shown("<svg></svg>", "", "<svg></svg>").html()
        '<svg class="figure figure-wide"></svg><svg class="figure figure-narrow"></svg>'
        """
        kinds = {"figure figure-wide" if self.narrow else "figure": self.svg}
        kinds |= {"figure figure-narrow": self.narrow}
        drawn = [s.replace("<svg", f'<svg class="{k}"', 1) for k, s in kinds.items() if s]
        return "".join(drawn) + self.below

    def __repr__(self) -> str:
        return f"[Figure: {self.alt}]"


def show(*shown: Figure | Drawing, alt: str, below: str = "") -> Shown:
    """Return a figure as an object that Jupyter and the site draw.

    Args:
        shown: a matplotlib figure, which is closed; or drawings, which stand side by side.
        alt: what a reader who cannot see the figure needs to know: a sentence or more.
        below: HTML that stands below it.

    Raises:
        TypeError: if there is no figure and no drawing.
        ValueError: if ``alt`` is missing or too short to say what the figure shows.

    >>> fig, ax = figure()
    >>> show(fig, alt="An empty pair of axes, as a first example.")
    [Figure: An empty pair of axes, as a first example.]
    """
    if not isinstance(alt, str) or len(alt.split()) < 5:
        raise ValueError(
            f"alt must describe the figure in five words or more, got {alt!r}; "
            "say what it shows to somebody who cannot see it"
        )
    alt = " ".join(alt.split())
    drawings = [one for one in shown if isinstance(one, Drawing)]
    if drawings and len(drawings) == len(shown):
        across = 2 if len(shown) == 4 else len(shown)

        def draw(width: int) -> str:
            return svg_of(drawings, width, alt, across if width == WIDE else 1)

    elif len(shown) == 1 and isinstance(shown[0], Figure):
        draw = partial(_drawn, _with_ink(shown[0]), alt)
    else:
        raise TypeError(
            f"fig must be a matplotlib Figure or drawings, got {shown!r}; "
            "make one with plotting.figure() and pass the first of the pair"
        )
    view = os.environ.get(VIEW)
    if view not in ("wide", "narrow"):
        return Shown(draw(WIDE), alt, draw(PHONE), below)
    svg = draw(WIDE if view == "wide" else PHONE)
    return Shown(svg.replace("<svg", '<svg data-view=""', 1), alt, below=below)


def _with_ink(fig: Figure) -> Figure:
    """Return a figure whose text is ink, also where it was added outside of the style; close it."""
    for text in fig.findobj(Text):
        if isinstance(text, Text) and str(text.get_color()) == "black":
            text.set_color(INK)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    return fig


def _drawn(fig: Figure, alt: str, width: int) -> str:
    """Return a figure as SVG at a width, its legends in as many columns as fit.

    Its ids are its own on a page, and its numbers have the digits that are seen.
    """
    fig.set_figwidth(WIDTHS[width])
    for ax in fig.axes:
        if ax.get_legend():
            place_legend(ax)
    buffer = io.StringIO()
    with style():
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue().replace("xlink:href", "href")
    box = [round(float(side)) for side in svg.split('viewBox="')[1].split('"')[0].split()]
    svg = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|<!--.*?-->\s*", "", svg, flags=re.S)
    svg = re.sub(r' (d|x|y)="([^"]*)"', lambda m: f' {m[1]}="{_short(m[2])}"', svg)
    svg = re.sub(r">\s+<", "><", svg).strip()
    prefix = f"f{zlib.crc32((svg + alt).encode()):08x}-"
    used = {*re.findall(r'(?:url\(#|href="#)([^")]+)', svg)}
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' * (m[1] in used), svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", svg)
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return sheet(box, alt, svg, scale=4 / 3)  # points to pixels


def place_legend(ax: Axes) -> None:
    """Put the legend above the axes, so that it covers no curve, in as many columns as fit."""
    handles, labels = ax.get_legend_handles_labels()
    spec = ax.get_subplotspec()
    across = spec.get_gridspec().ncols if spec else 1
    inches = 0.9 * cast(Figure, ax.figure).get_figwidth() / across
    columns = max(1, int(inches / (0.55 + 0.08 * max(map(len, labels)))))  # handle and text, about
    rows = -(-len(labels) // columns)
    columns = -(-len(labels) // rows)  # as even as the rows can be
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}
    with style():
        ax.legend(handles, labels, ncols=columns, handlelength=2.6, columnspacing=1.2, **place)


def _short(path: str) -> str:
    r"""Return a path's data without spaces and digits that say nothing.

    >>> _short("M 1.52 2 \nL 3 4 \nz\n")
    'M1.5 2L3 4z'
    """
    path = NUMBER.sub(lambda m: f"{float(m[0]):.1f}", " ".join(path.split()))
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", path)
