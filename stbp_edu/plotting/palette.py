"""One visual language: what each colour means, and the settings that every figure shares.

A colour never stands alone: cases carry their number, δ and ε their letter and their own marker.
Every colour that carries meaning has a contrast of at least 3:1 against the site's light ground
and against its dark one, and the four cases of the grid stay apart under the three common colour
vision deficiencies; ``tests/plotting/test_palette.py`` computes both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context

INK = "#24292f"
"""Text and axes on a light ground; a site swaps it for the dark one."""

GROUND = "#ffffff"
"""The sheet behind a figure; a site makes it transparent."""

GRID = "#868c95"
"""Hairlines, frames and what is not highlighted: legible on both grounds."""

GROUNDS = {"light": "#fdfcfa", "dark": "#1b1e24"}
"""The grounds of the site."""

CASE_COLOURS = {1: "#d55e00", 2: "#b6679b", 3: "#0078be", 4: "#009068", 5: "#a85c36"}
"""The five cases."""

DELTA = "#d1433f"
"""δ = dL/do, drawn with circles."""

EPSILON = "#6f6fd8"
"""ε = dL/du, drawn with squares."""

SPIKE = "#b46a00"
"""A spike."""

SERIES = ("#0078be", "#d55e00", "#009068", "#b6679b", "#a85c36", "#6f6fd8")
"""Curves that stand for no case, in this order."""

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))

STYLE: Any = {
    "axes.edgecolor": GRID,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout everywhere
    "font.size": 10,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "none",  # text stays text: it scales, can be searched and is read aloud
    "svg.hashsalt": "stbp-edu",
    "text.color": INK,
    **{f"{axis}tick.color": GRID for axis in "xy"},
    **{f"{axis}tick.labelcolor": INK for axis in "xy"},
    **{f"{axis}tick.labelsize": 9.5 for axis in "xy"},
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
