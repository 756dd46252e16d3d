"""The (t, n) grid: which case holds where, the backward sweep that fills it, and the poster.

The poster has the five cases in the grid, each with its formulas, as TeX.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import product

from stbp_edu._support import checks
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.cases import case_at
from stbp_edu.plotting.drawing import Drawing, DrawnNode
from stbp_edu.plotting.palette import CASE_COLOURS, CASE_TINTS
from stbp_edu.plotting.svg_figure import Shown, show

GridCell = tuple[int, int]
"""(t, n), both from 1."""
SPELLED = 6  # columns with room for "t = 1" below each
IDS = [id_ for id_ in EQUATIONS if re.fullmatch(r"c\d-[a-z]+", id_)]
PLACES = {
    1: r"t = T,\ n = N",
    2: r"t = T,\ n < N",
    3: r"t < T,\ n = N",
    4: r"t < T,\ n < N",
    5: r"\text{all } t",
}
LABEL_ROW = 0.26
"""Where a long row of steps says that its numbers are those of t."""


def grid(
    T: int,
    N: int,
    highlight: Collection[GridCell] | None = None,
    labels: Mapping[GridCell, str] | None = None,
    title: str = "",
) -> Drawing:
    """Return the grid of time steps (to the right) and layers (upward), coloured by term.

    A cell is filled in the colour of its first term: direct, or from above. Before the last step
    it has a second term, from the next step, and is framed in the colour of that one.

    Args:
        T: number of time steps, shown as t = 1..T.
        N: number of layers, shown as n = 1..N.
        highlight: the cells (t, n) to colour; every cell where None.
        labels: what to write in each cell; the case's number where None.
        title: the text above it.

    >>> [cell.label for cell in grid(T=3, N=2).nodes.values()]
    ['4', '4', '2', '3', '3', '1']
    """
    cells = {}
    for n, t in product(range(1, N + 1), range(1, T + 1)):
        case = case_at(t - 1, n, T, N)
        label = str(case) if labels is None else labels.get((t, n), "")
        colours = None
        if highlight is None or (t, n) in highlight:
            colours = (CASE_TINTS[case], CASE_COLOURS[case])
        cells[t, n] = DrawnNode((t, n), label, colours=colours)
    spelled = T <= SPELLED
    columns: dict[float, str] = {
        t: f"t = {t}" if spelled else str(t) for t in range(1, T + 1)
    }
    rows: dict[float, str] = {} if spelled else {LABEL_ROW: "t ="}
    rows |= {n: f"n = {n}" for n in range(1, N + 1)}
    return Drawing(cells, (), columns, rows, title=title, cells=True)


def sweep_order(T: int, N: int) -> list[GridCell]:
    """Return the cells (t, n) in the order of the backward sweep: last step and layer first.

    >>> sweep_order(2, 2)
    [(2, 2), (2, 1), (1, 2), (1, 1)]
    """
    return list(product(range(T, 0, -1), range(N, 0, -1)))


def sweep_steps(T: int, N: int) -> Shown:
    """Return the backward sweep filling the grid: an animation that plays once.

    It starts when the figure is drawn, and again when it is pointed at; it ends on the full grid,
    which is all that there is where the reader asked for reduced motion. Each cell holds its place
    in the order and its case from the start: only the colours come.
    """
    order = sweep_order(T, N)
    labels = {
        (t, n): f"{k}.\ncase {case_at(t - 1, n, T, N)}"
        for k, (t, n) in enumerate(order, 1)
    }
    alt = (
        f"The grid of {T} time steps and {N} layers being filled backward: within a time step from "
        f"layer {N} down to layer 1, then the same at the step before, from step {T} to step 1."
    )
    return show(replace(grid(T, N, labels=labels), order=order), alt=alt)


@dataclass(frozen=True, repr=False)
class Poster:
    """The five cases in the grid, each with its formulas.

    Attributes:
        lit: the case that stands out, or 0.
        known: the last case whose formulas are shown.
    """

    lit: int = 0
    known: int = 5

    def __repr__(self) -> str:
        known = {0: "without formulas", 5: "each with its formulas"}
        words = known.get(self.known, f"formulas up to case {self.known}")
        lit = f", case {self.lit} lit" if self.lit else ""
        return f"[Figure: The five cases in the grid, {words}{lit}.]"

    def _repr_latex_(self) -> str:
        """Return the grid in LaTeX: time to the right, layers upward, the sums of case 5 below."""
        rows = [("c3-", "c1-"), ("c4-", "c2-"), ("c5-w", "c5-b")]
        lines = [
            rf"{self._tex(left)} & {self._tex(right)} \\ \hline" for left, right in rows
        ]
        body = "\n".join(lines)
        return f"$$\\begin{{array}}{{|l|l|}} \\hline\n{body}\n\\end{{array}}$$"

    def _tex(self, name: str) -> str:
        """Return a cell in LaTeX: its number, where it holds, and the formulas named so."""
        case = int(name[1])
        lines = [rf"\textbf{{{case}}}\quad {PLACES[case]}"]
        for id_ in IDS:
            if id_.startswith(name):
                left, right = EQUATIONS[id_].forms["index"].split("=", 1)
                shown = right if case <= self.known else r"\dots"
                lines.append(rf"{left}= {shown}\;\;")  # room beside the rule
        joined = r" \\[4pt] ".join(lines)
        cell = rf"\begin{{array}}{{l}} {joined} \end{{array}}"
        return rf"\boxed{{{cell}}}" if case == self.lit else cell


def poster(lit: str | None = None, known: int = 5) -> Poster:
    """Return the five cases in the grid, each with its formulas.

    Args:
        lit: the case that stands out, such as ``"c3"``; all stand out alike where it is None.
        known: the last case whose formulas are shown; the others have room for them.

    Raises:
        ValueError: if there is no such case, or ``known`` is not 0 to 5.

    >>> poster("c3")
    [Figure: The five cases in the grid, each with its formulas, case 3 lit.]
    """
    checks.count("known", known, at_least=0, at_most=5)
    if lit is None:
        return Poster(known=known)
    return Poster(
        int(checks.choice("lit", lit, sorted({i[:2] for i in IDS}))[1]), known
    )
