"""The (t, n) grid: which case holds where, and the backward sweep that fills it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import product

from stbp_edu.cases import case_at
from stbp_edu.plotting.drawing import Drawing, Node
from stbp_edu.plotting.palette import CASE_COLOURS, CASE_TINTS
from stbp_edu.plotting.svg_figure import Shown, show

Cell = tuple[int, int]
"""(t, n), both from 1."""

Labels = Mapping[Cell, str] | Callable[[int, int], str] | None
"""The text of each cell: by cell, by a function of t and n, or the cases' numbers."""

SPELLED = 6  # columns with room for "t = 1" below each


def grid(
    T: int,
    N: int,
    highlight: Collection[int | Cell] | None = None,
    labels: Labels = None,
    title: str = "",
) -> Drawing:
    """Return the grid of time steps (to the right) and layers (upward), coloured by term.

    A cell is filled in the colour of its first term, direct or from above, and framed in that of
    its last, which before the last step is what comes from the next one.

    Args:
        T: number of time steps, shown as t = 1..T.
        N: number of layers, shown as n = 1..N.
        highlight: case numbers or cells (t, n) to colour; every cell where None. 5 means all.
        labels: what to write in a cell, by (t, n); the case's number where None.
        title: what stands above it.

    >>> [cell.label for cell in grid(T=3, N=2, highlight={3}).nodes.values()]
    ['4', '4', '2', '3', '3', '1']
    """
    lit = {1, 2, 3, 4} if highlight is None else set(highlight)
    cells = {}
    for n, t in product(range(1, N + 1), range(1, T + 1)):
        case = case_at(t - 1, n, T, N)
        label = labels(t, n) if callable(labels) else (labels or {}).get((t, n), "")
        shown = 5 if 5 in lit else case
        colours = (CASE_TINTS[shown], CASE_COLOURS[shown]) if {case, 5, (t, n)} & lit else None
        cells[t, n] = Node((t, n), str(case) if labels is None else label, colours=colours)
    rows: dict[float, str] = {n: f"n = {n}" for n in range(1, N + 1)}
    return Drawing(
        cells,
        arrows=(),
        columns={t: f"t = {t}" if T <= SPELLED else str(t) for t in range(1, T + 1)},
        rows=rows if T <= SPELLED else {0.26: "t =", **rows},
        title=title,
        cells=True,
    )


def sweep_order(T: int, N: int) -> list[Cell]:
    """Return the cells (t, n) in the order of the backward sweep: last step and layer first.

    >>> sweep_order(2, 2)
    [(2, 2), (2, 1), (1, 2), (1, 1)]
    """
    return [(t, n) for t in range(T, 0, -1) for n in range(N, 0, -1)]


def sweep_steps(T: int, N: int) -> Shown:
    """Return the backward sweep filling the grid: an animation that plays once.

    It starts when the figure is drawn, and again when it is pointed at; it ends on the full grid,
    which is all that there is where the reader asked for reduced motion. Each cell holds its place
    in the order and its case from the start: only the colours come.
    """
    order = sweep_order(T, N)
    place = {cell: k for k, cell in enumerate(order, 1)}
    filled = grid(T, N, labels=lambda t, n: f"{place[t, n]}.\ncase {case_at(t - 1, n, T, N)}")
    alt = (
        f"The grid of {T} time steps and {N} layers being filled backward: within a time step from "
        f"layer {N} down to layer 1, then the same at the step before, from step {T} to step 1."
    )
    return show(replace(filled, order=order), alt=alt)
