"""The (t, n) grid: which case holds where, and the backward sweep that fills it."""

from collections.abc import Callable, Collection, Mapping
from itertools import product

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from stbp_edu.cases import case_at
from stbp_edu.plotting.palette import CASE_COLOURS, CASE_TINTS, GRID, INK, style
from stbp_edu.plotting.svg_figure import Shown, figure, show

Cell = tuple[int, int]
"""(t, n), both from 1."""

Labels = Mapping[Cell, str] | Callable[[int, int], str] | None
"""The text of each cell: by cell, by a function of t and n, or the cases' numbers."""


@style()
def grid(
    ax: Axes, T: int, N: int, highlight: Collection[int | Cell] | None = None, labels: Labels = None
) -> Axes:
    """Draw the grid of time steps (to the right) and layers (upward), coloured by term.

    A cell is filled in the colour of its first term, direct or from above, and framed in that of
    its last, which before the last step is what comes from the next one.

    Args:
        ax: where to draw.
        T: number of time steps, shown as t = 1..T.
        N: number of layers, shown as n = 1..N.
        highlight: case numbers or cells (t, n) to colour; every cell where None. 5 means all.
        labels: what to write in a cell, by (t, n); the case's number where None.

    >>> ax = grid(figure()[1], T=3, N=2, highlight={3})
    >>> [text.get_text() for text in ax.texts]
    ['4', '4', '2', '3', '3', '1']
    """
    for n, t in product(range(1, N + 1), range(1, T + 1)):
        case = case_at(t - 1, n, T, N)
        on = highlight is None or bool({case, 5, (t, n)} & set(highlight))
        _cell(ax, t, n, (5 if highlight and 5 in highlight else case) if on else None)
        label = labels(t, n) if callable(labels) else (labels or {}).get((t, n), "")
        label = str(case) if labels is None else label
        weight = "bold" if on else "normal"
        ax.text(t, n, label, ha="center", va="center", color=INK, fontweight=weight, size=11)
    ax.set(xlim=(0.45, T + 0.55), ylim=(0.45, N + 0.55), xticks=range(1, T + 1))
    ax.set(yticks=range(1, N + 1), xlabel="time step t →", ylabel="layer n →")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _cell(ax: Axes, t: int, n: int, case: int | None, gid: str | None = None) -> None:
    """Draw one cell: tinted and framed in the colours of its case, or a hairline."""
    corner = (t - 0.45, n - 0.45)
    if case is None:
        ax.add_patch(Rectangle(corner, 0.9, 0.9, fill=False, edgecolor=GRID, linewidth=0.8))
        return
    for fill, alpha in ((True, 0.3), (False, 1.0)):
        face, edge = (CASE_TINTS[case], "none") if fill else ("none", CASE_COLOURS[case])
        patch = Rectangle(corner, 0.9, 0.9, facecolor=face, edgecolor=edge, alpha=alpha, lw=2)
        patch.set_gid(f"{gid}-{int(fill)}" if gid else None)
        ax.add_patch(patch)


def sweep_order(T: int, N: int) -> list[Cell]:
    """Return the cells (t, n) in the order of the backward sweep: last step and layer first.

    >>> sweep_order(2, 2)
    [(2, 2), (2, 1), (1, 2), (1, 1)]
    """
    return [(t, n) for t in range(T, 0, -1) for n in range(N, 0, -1)]


def sweep_steps(T: int, N: int) -> Shown:
    """Draw the backward sweep filling the grid: an animation that plays once.

    It starts when the figure is drawn (and again when it is pointed at, if the SVG stands inline),
    lasts four seconds, and ends on the full grid; that end is all there is where the reader asked
    for reduced motion, in print, and in programs that draw no animation. Each cell holds its
    place in the order and its case: these stand there from the start, only the colour comes.
    """
    order = sweep_order(T, N)
    fig, ax = figure(height=0.6 + 0.55 * N)
    grid(ax, T, N, highlight=(), labels=lambda t, n: "")
    for k, (t, n) in enumerate(order):
        case = case_at(t - 1, n, T, N)
        _cell(ax, t, n, case, gid=f"sweep{k}")
        ax.text(t, n, f"{k + 1}.\ncase {case}", ha="center", va="center", size=9, color=INK)
    frames = "@keyframes NAME{from{opacity:0}to{opacity:1}}"
    css = frames.replace("NAME", "stbp-fill") + frames.replace("NAME", "stbp-refill")
    pace = 4 / len(order)  # seconds
    for k in range(len(order)):
        parts = [f"#IDsweep{k}-{p}" for p in range(2)]
        css += f"{','.join(parts)}{{animation:stbp-fill {pace:.2f}s {k * pace:.2f}s both}}"
        css += f"svg:hover {',svg:hover '.join(parts)}{{animation-name:stbp-refill}}"
    css = f"@media (prefers-reduced-motion: no-preference){{{css}}}"
    alt = (
        f"The grid of {T} time steps and {N} layers being filled backward: within a time step from "
        f"layer {N} down to layer 1, then the same at the step before, from step {T} to step 1."
    )
    return show(fig, alt=alt, css=css)
