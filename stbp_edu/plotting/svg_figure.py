"""Make a figure, and show it as an SVG that can be read aloud and looks right on any ground.

The ground. Jupyter shows an SVG as a picture, so that a style sheet cannot reach into it, and in a
dark theme dark ink on no ground would vanish. So every figure has a white sheet behind it. A page
that holds the SVG inline may restyle it: ink and sheet are written as CSS variables,
``var(--stbp-ink, #24292f)`` and ``var(--stbp-ground, #ffffff)``. A dark page needs one rule:

    [data-md-color-scheme="slate"] { --stbp-ink: #e6e8eb; --stbp-ground: transparent; }
"""

import io
import re
import sys
import zlib
from dataclasses import dataclass
from html import escape
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from stbp_edu.plotting.palette import DARK, GROUND, INK, style

WIDTH = 4.8  # inches: 461 CSS pixels, so that 10 pt is still 9.5 px on a phone 360 px wide


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
    [4.8, 2.6]
    """
    with style():
        fig = Figure(figsize=(WIDTH, height), layout="constrained")
        return fig, fig.subplots(rows, cols, **subplots)


@dataclass(frozen=True, repr=False)
class Shown:
    """A drawn figure: its SVG and its alt text."""

    svg: str
    alt: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"[Figure: {self.alt}]"


def show(fig: Figure, *, alt: str, css: str = "") -> Shown:
    """Return the figure as an object that Jupyter and the site draw.

    Args:
        fig: any matplotlib figure; it is closed.
        alt: what a reader who cannot see the figure needs to know: a sentence or more.
        css: rules for parts that have a gid; ``ID`` stands for the prefix of every id.

    Raises:
        TypeError: if ``fig`` is no figure.
        ValueError: if ``alt`` is missing or too short to say what the figure shows.

    >>> fig, ax = figure()
    >>> show(fig, alt="An empty pair of axes, as a first example.")
    [Figure: An empty pair of axes, as a first example.]
    """
    if not isinstance(fig, Figure):
        raise TypeError(
            f"fig must be a matplotlib Figure, got {type(fig).__name__}; "
            "make one with plotting.figure() and pass the first of the pair"
        )
    if not isinstance(alt, str) or len(alt.split()) < 5:
        raise ValueError(
            f"alt must describe the figure in five words or more, got {alt!r}; "
            "say what it shows to somebody who cannot see it"
        )
    for text in fig.findobj(Text):
        if isinstance(text, Text) and str(text.get_color()) == "black":
            text.set_color(INK)  # text that was added outside of style()
    buffer = io.StringIO()
    with style():
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    alt = " ".join(alt.split())
    return Shown(svg=_finish(buffer.getvalue(), alt, css), alt=alt)


def themed(svg: str) -> str:
    """Return an SVG in which the colours that change with the page are CSS variables.

    >>> themed('<path style="fill: #24292f"/>')
    '<path style="fill: var(--stbp-ink, #24292f)"/>'
    """
    for name, (light, _) in DARK.items():
        svg = re.sub(rf"(?<!, ){light}", f"var(--stbp-{name}, {light})", svg)
    return svg


def _finish(svg: str, alt: str, css: str) -> str:
    """Name the SVG, make its ids its own, and turn ink and sheet into CSS variables."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|<!--.*?-->\s*", "", svg, flags=re.S)
    prefix = f"f{zlib.crc32((svg + alt).encode()):08x}-"
    used = {*re.findall(r'(?:url\(#|href="#)([^")]+)', svg), *re.findall(r"#ID([\w-]+)", css)}
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' * (m[1] in used), svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", svg)
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    svg = themed(svg)
    label = escape(alt, quote=True)
    head = f'<svg role="img" aria-label="{label}" style="max-width: 100%; height: auto"'
    rules = f"<style>{css.replace('#ID', '#' + prefix)}</style>" if css else ""
    sheet = f'<rect width="100%" height="100%" style="fill: var(--stbp-ground, {GROUND})"/>'
    start = svg.index(">") + 1
    return head + svg[4:start] + f"<title>{label}</title>" + rules + sheet + svg[start:].strip()
