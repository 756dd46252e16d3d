"""Figures of matplotlib in the course's style, and as SVG on our sheet."""

import io
import math
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

try:
    from matplotlib import rc_context
except ImportError as error:
    raise ModuleNotFoundError(
        f"figures need matplotlib; run: pip install matplotlib ({error})",
        name=error.name,
    ) from None
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from stbp_edu.plotting.palette import GRID, INK
from stbp_edu.plotting.svg_elements import PHONE, WIDE, sheet

WIDTHS = {WIDE: 7.2, PHONE: 3.45}  # the same in inches
NUMBER = re.compile(r"-?\d+\.\d{2,}")
STYLE: Any = {
    "axes.edgecolor": GRID,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 10.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout everywhere
    "font.size": 10.5,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "none",  # text stays text: it scales, can be searched and is read aloud
    "svg.hashsalt": "stbp-edu",
    "text.color": INK,
    "xtick.color": GRID,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 10,
}


@contextmanager
def style() -> Iterator[None]:
    """Make figures look as the course's do: a context, or a decorator of a function that draws.

    >>> import matplotlib
    >>> with style():
    ...     matplotlib.rcParams["text.color"] == INK
    True
    """
    with rc_context(STYLE):
        yield


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


def chart(fig: Figure, alt: str, width: int) -> str:
    """Return a figure as SVG at a width, its text in ink, its legends in as many columns as fit."""
    for text in fig.findobj(Text):
        if isinstance(text, Text) and str(text.get_color()) == "black":
            text.set_color(INK)  # also where it was added outside of the style
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    fig.set_figwidth(WIDTHS[width])
    for ax in fig.axes:
        if ax.get_legend():
            place_legend(ax)
    buffer = io.StringIO()
    with style():
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _on_sheet(buffer.getvalue().replace("xlink:href", "href"), alt)


def _on_sheet(svg: str, alt: str) -> str:
    """Return matplotlib's SVG on our sheet: ids of its own, and only the digits that are seen."""
    _, _, after = svg.partition('viewBox="')
    sides, _, _ = after.partition('"')
    box = [round(float(side)) for side in sides.split()]
    opening = svg.index("<svg")
    start = svg.index(">", opening) + 1
    svg = svg[start : svg.rindex("</svg>")]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|<!--.*?-->\s*", "", svg, flags=re.S)
    svg = re.sub(r' (d|x|y)="([^"]*)"', lambda m: f' {m[1]}="{_short(m[2])}"', svg)
    svg = re.sub(r">\s+<", "><", svg).strip()
    digest = zlib.crc32((svg + alt).encode())
    prefix = f"f{digest:08x}-"
    used = {*re.findall(r'(?:url\(#|href="#)([^")]+)', svg)}

    def own_id(found: re.Match[str]) -> str:
        """Return the id of an element that something refers to, and nothing for any other."""
        name = found[1]
        return f' id="{prefix}{name}"' if name in used else ""

    svg = re.sub(r' id="([^"]+)"', own_id, svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", svg)
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return sheet(box, alt, svg, scale=4 / 3)  # points to pixels


def place_legend(ax: Axes) -> None:
    """Put the legend above the axes, so it covers no curve, in as many columns as fit."""
    handles, labels = ax.get_legend_handles_labels()
    spec = ax.get_subplotspec()
    across = spec.get_gridspec().ncols if spec else 1
    inches = 0.9 * cast(Figure, ax.figure).get_figwidth() / across
    entry = 0.55 + 0.08 * max(map(len, labels))  # handle and text, about
    columns = max(1, int(inches / entry))
    rows = math.ceil(len(labels) / columns)
    columns = math.ceil(len(labels) / rows)  # as even as the rows can be
    place: dict[str, Any] = {
        "loc": "lower left",
        "bbox_to_anchor": (0, 1.0),
        "borderaxespad": 0.2,
    }
    with style():
        ax.legend(
            handles, labels, ncols=columns, handlelength=2.6, columnspacing=1.2, **place
        )


def _short(path: str) -> str:
    r"""Return a path's data without spaces and digits that say nothing.

    >>> _short("M 1.52 2 \nL 3 4 \nz\n")
    'M1.5 2L3 4z'
    """
    path = " ".join(path.split())
    path = NUMBER.sub(lambda number: f"{float(number[0]):.1f}", path)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", path)
