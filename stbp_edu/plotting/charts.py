"""Charts by matplotlib, in the course's style: potentials, spikes, curves, errors, matrices."""

import io
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np

try:
    from matplotlib import rc_context
except ImportError as error:
    raise ModuleNotFoundError(
        f"figures need matplotlib; run: pip install matplotlib ({error})",
        name=error.name,
    ) from None
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from stbp_edu._support.checks import Array
from stbp_edu.plotting.palette import (
    DASHES,
    GRID,
    INK,
    LESS,
    MORE,
    PHONE,
    SERIES,
    SPIKE,
    WIDE,
    sheet,
)
from stbp_edu.surrogates import Surrogate

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


style = partial(rc_context, STYLE)
"""Makes figures look as the course's do: a context, or a decorator of a function that draws."""


# Zero is clear, so the page shows through, and the strongest colour pale enough for the ink.
STRONG = 0.7
INSIDE: Any = {
    "ha": "center",
    "va": "center",
    "size": 9,
    "color": INK,
}  # a number on a cell
LESS_TO_ZERO = [to_rgba(LESS, STRONG), to_rgba(LESS, 0)]
ZERO_TO_MORE = [to_rgba(MORE, 0), to_rgba(MORE, STRONG)]
AMOUNT = LinearSegmentedColormap.from_list("amount", ZERO_TO_MORE)
SIGNED = LinearSegmentedColormap.from_list(
    "signed",
    list(zip((0, 0.5, 0.5, 1), LESS_TO_ZERO + ZERO_TO_MORE, strict=True)),
)


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


@style()
def raster(ax: Axes, spikes: Array, rows: Sequence[str] | None = None) -> Axes:
    """Draw spikes of shape (T, neurons): one row a neuron, one tick a spike, t = 1..T.

    >>> from stbp_edu.plotting import figure
    >>> raster(figure()[1], np.eye(3)).get_xlabel()
    'time step t'
    """
    T, width = spikes.shape
    t, i = np.nonzero(spikes)
    ax.vlines(t + 1, i + 0.65, i + 1.35, color=SPIKE, linewidth=2)
    ax.set(
        xlim=(0.5, T + 0.5),
        ylim=(0.5, width + 0.5),
        xlabel="time step t",
        ylabel="neuron",
    )
    _whole_ticks(ax)
    if rows is not None:
        ax.set(yticks=range(1, width + 1), yticklabels=rows, ylabel="")
    return ax


def _whole_ticks(ax: Axes) -> None:
    """Put the ticks of both axes at whole numbers."""
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))


@style()
def potential(ax: Axes, u: Array, o: Array, v_th: float) -> Axes:
    """Draw a potential over t = 1..T, its threshold (dashed) and its spikes (triangles)."""
    t = np.arange(1, len(u) + 1)
    ax.plot(t, u, "o-", color=SERIES[0], markersize=4, label="potential u")
    ax.axhline(v_th, color=GRID, linestyle="--", linewidth=1.2, label="threshold")
    fired = t[o > 0.5]
    top = max(float(np.max(u)), v_th)
    low = min(float(np.min(u)), 0.0)
    marks = np.full(len(fired), top + 0.12 * (top - low))
    ax.plot(fired, marks, "v", color=SPIKE, markersize=8, label="spike")
    ax.set(xlabel="time step t", ylabel="u")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    place_legend(ax)
    return ax


@style()
def curves(
    ax: Axes,
    x: Any,
    lines: Mapping[str, Any],
    xlabel: str = "",
    ylabel: str = "",
    marker: str = "",
) -> Axes:
    """Draw named curves over one x; each has its own colour and its own dashes."""
    for k, (label, y) in enumerate(lines.items()):
        look: Any = {
            "color": SERIES[k % len(SERIES)],
            "linestyle": DASHES[k % len(DASHES)],
        }
        ax.plot(x, y, label=label, marker=marker, markersize=4, **look)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(lines) > 1:
        place_legend(ax)
    return ax


@style()
def surrogate(
    ax: Axes,
    shapes: Mapping[str, Surrogate],
    which: str = "derivative",
) -> Axes:
    """Draw the curves h (``which="derivative"``) or H (``"antiderivative"``) over v = u - V_th."""
    v = np.linspace(-3, 3, 1201)
    lines = {label: getattr(shape, which)(v) for label, shape in shapes.items()}
    ax.axvline(0, color=GRID, linewidth=0.8)
    letter = "h(v)" if which == "derivative" else "H(v)"
    return curves(ax, v, lines, "v = u − $V_{th}$", letter)


def learning_curve(
    ax: Axes, lines: Mapping[str, Any], ylabel: str = "accuracy on held-out digits, %"
) -> Axes:
    """Draw a value after each epoch, 1, 2, ..., for one run or several."""
    longest = max(len(y) for y in lines.values())
    epochs = np.arange(1, 1 + longest)
    curves(ax, epochs, lines, "epoch", ylabel, marker="o")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def error_vs(
    ax: Axes,
    x: Any,
    lines: Mapping[str, Any],
    xlabel: str,
    ylabel: str = "relative error",
) -> Axes:
    """Draw errors on a logarithmic axis."""
    curves(ax, x, lines, xlabel, ylabel, marker="o")
    ax.set_yscale("log")
    return ax


@style()
def heat(
    ax: Axes,
    values: Array,
    xlabel: str = "time step t",
    ylabel: str = "neuron",
    digits: int | None = None,
    signed: bool = True,
    peak: float | None = None,
) -> Axes:
    """Draw a matrix (rows upward); blue positive, orange negative; numbers where asked.

    ``peak`` is the size that gets the strongest colour: the largest here, if it is None.
    """
    rows, cols = values.shape
    peak = peak or float(np.abs(values).max()) or 1.0
    x, y = np.arange(cols + 1) + 0.5, np.arange(rows + 1) + 0.5
    low, cmap = (-peak, SIGNED) if signed else (0.0, AMOUNT)
    frame: Any = {"edgecolor": to_rgba(GRID, 0.5), "linewidth": 0.4}
    ax.pcolormesh(x, y, values, cmap=cmap, vmin=low, vmax=peak, **frame)
    if digits is not None:
        for (row, col), value in np.ndenumerate(values):
            number = f"{value:.{digits}f}".replace("-", "−")
            ax.text(col + 1, row + 1, number, **INSIDE)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _whole_ticks(ax)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def chart(fig: Figure, alt: str, width: int) -> str:
    """Return a figure as SVG at a width, its text in ink, its legends in as many columns as fit."""
    for text in cast(Sequence[Text], fig.findobj(Text)):
        if text.get_color() == "black":
            text.set_color(INK)  # also where it was added outside of the style
    fig.set_figwidth(WIDTHS[width])
    for ax in fig.axes:
        if ax.get_legend():
            place_legend(ax)
    buffer = io.StringIO()
    with style():
        fig.savefig(buffer, format="svg", transparent=True)
    return _on_sheet(buffer.getvalue().replace("xlink:href", "href"), alt)


def _on_sheet(svg: str, alt: str) -> str:
    """Return matplotlib's SVG on our sheet: ids of its own, and only the digits that are seen."""
    sides, inside = re.findall(
        r'<svg[^>]* viewBox="(.*?)"[^>]*>(.*)</svg>', svg, re.DOTALL
    )[0]
    box = [round(float(side)) for side in sides.split()]
    svg = re.sub(
        r"\s*<metadata>.*?</metadata>|<!--.*?-->\s*", "", inside, flags=re.DOTALL
    )
    svg = re.sub(r' (d|x|y)="([^"]*)"', lambda m: f' {m[1]}="{_short(m[2])}"', svg)
    svg = re.sub(r">\s+<", "><", svg).strip()
    prefix = f"f{zlib.crc32((svg + alt).encode()):08x}-"
    used = {*re.findall(r'(?:url\(#|href="#)([^")]+)', svg)}
    svg = re.sub(
        r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg
    )
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
    with style():
        ax.legend(
            handles,
            labels,
            ncols=math.ceil(len(labels) / rows),  # as even as the rows can be
            handlelength=2.6,
            columnspacing=1.2,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            borderaxespad=0.2,
        )


def _short(path: str) -> str:
    r"""Return a path's data without spaces and digits that say nothing.

    >>> _short("M 1.52 2 \nL 3 4 \nz\n")
    'M1.5 2L3 4z'
    """
    path = " ".join(path.split())
    path = NUMBER.sub(lambda number: f"{float(number[0]):.1f}", path)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", path)
