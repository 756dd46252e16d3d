"""The (t, n) grid: which case holds where, the backward sweep that fills it, and the poster.

The poster has the five cases on one page: in each cell of the grid its formulas, coloured by term.
It is HTML with MathML: text that can be selected, read aloud, printed, and set again on a phone.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from itertools import product

from stbp_edu import checks
from stbp_edu.arrows.formula_text import mathml
from stbp_edu.cases import case_at
from stbp_edu.equations import EQUATIONS
from stbp_edu.plotting.drawing import Drawing, Node
from stbp_edu.plotting.palette import CASE_COLOURS, CASE_TINTS, DARK
from stbp_edu.plotting.svg_figure import Shown, show

Cell = tuple[int, int]
"""(t, n), both from 1."""

Labels = Mapping[Cell, str] | Callable[[int, int], str] | None
"""The text of each cell: by cell, by a function of t and n, or the cases' numbers."""

SPELLED = 6  # columns with room for "t = 1" below each
PLACES = {1: ("T", "N"), 2: ("T", "n"), 3: ("t", "N"), 4: ("t", "n")}
SUMS = {1: "direct", 2: "from above", 3: "direct + next step", 4: "from above + next step"}
SUMS |= {5: "summed over steps and samples"}
SPACES = re.compile(r"\\[,;]|\\[Bb]igg?[lr]?|\\limits")
FLAT = '<mo stretchy="false">'  # a bracket no taller than its letters
SLANTED = "<mi>h", '<mi mathvariant="normal" style="font-style: italic">h'  # fonts lack the other
BETWEEN = re.compile(r"\s\+\s(?![^()]*\))")  # a sum's signs, outside of brackets


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


@dataclass(frozen=True, repr=False)
class Poster:
    """The five cases, ready to be shown: see :func:`poster`; ``lit`` is 0 where all stand out."""

    lit: int = 0
    known: int = 5

    def __repr__(self) -> str:
        cell = f", case {self.lit} lit" if self.lit else ""
        whose = "each" if self.known == 5 else f"those up to {self.known}"
        return f"[Poster: the five cases in the grid, {whose} with its formulas{cell}.]"

    def _repr_html_(self) -> str:
        """Return the poster with its style sheet."""
        cells = "".join(self._cell(case) for case in (3, 1, 4, 2))
        sums = self._formulas(5, "w", "b")
        return (
            f"<style>{_style()}</style>"
            '<section class="stbp-poster" aria-label="The five cases">'
            '<p class="title">Four cells, three arrows, one sum</p>'
            f'<p class="key">{_key()}</p><div class="cells">{cells}</div>'
            f'<div class="sum{self._marked(5)}"><p><b>5</b> all t{self._told(5)}</p>{sums}</div>'
            "</section>"
        )

    def _cell(self, case: int) -> str:
        """Return one cell: its number, where it holds, what it sums, and its two formulas."""
        t, n = PLACES[case]
        where = f"{'t = T' if t == 'T' else 't &lt; T'}, {'n = N' if n == 'N' else 'n &lt; N'}"
        formulas = self._formulas(case, "delta", "epsilon")
        arrows = f'<i class="down {"direct" if n == "N" else "above"}">↓</i>'
        arrows += '<i class="back next">←</i>' if t == "t" else ""
        return (
            f'<div class="case-{case}{self._marked(case)}">{arrows}'
            f"<p><b>{case}</b> {where}{self._told(case)}</p>{formulas}</div>"
        )

    def _formulas(self, case: int, *of: str) -> str:
        """Return the formulas of a case, or only what they are equal to."""
        left = partial(formula, known=case <= self.known)
        return "".join(f"<p>{left(f'c{case}-{name}')}</p>" for name in of)

    def _told(self, case: int) -> str:
        """Return what a case adds up, once it is known."""
        return f" <span>{SUMS[case]}</span>" if case <= self.known else ""

    def _marked(self, case: int) -> str:
        return "" if not self.lit else " lit" if self.lit == case else " dim"


def poster(lit: str | None = None, known: int = 5) -> Poster:
    """Return the five cases in the grid, each with its formulas.

    Args:
        lit: an equation whose case stands out, such as ``"c3-delta"``; ``"c3"`` does as well. All
            cases stand out alike where it is None.
        known: the last case whose formulas are shown; the others have room for them.

    Raises:
        ValueError: if there is no such case or equation, or ``known`` is not 0 to 5.

    >>> poster("c3-delta")
    [Poster: the five cases in the grid, each with its formulas, case 3 lit.]
    """
    checks.count("known", known, at_least=0, at_most=5)
    if lit is None:
        return Poster(known=known)
    ids = [id_ for id_ in EQUATIONS if re.match(r"c\d-", id_)]
    names = list(dict.fromkeys(name for id_ in ids for name in (id_[:2], id_)))
    return Poster(int(checks.choice("lit", lit, names)[1]), known)


@cache
def formula(id_: str, known: bool = True) -> str:
    """Return an equation of the register as MathML, each term of its sum in the term's colour.

    Of an equation that is not known yet, the right side is left out.

    >>> formula("c3-epsilon").count("<math>"), 'class="next"' in formula("c3-epsilon")
    (3, True)
    """
    left, right = SPACES.sub("", EQUATIONS[id_].forms["index"]).split("=", 1)
    terms = _terms(right, id_) if known else ["…"]
    first, *rest = terms
    more = "".join(f' <span class="term">+ {term}</span>' for term in rest)
    html = f"{mathml(left + '=')} {first}{more}"
    return html.replace("<mo>(", FLAT + "(").replace("<mo>)", FLAT + ")").replace(*SLANTED)


def _terms(right: str, id_: str) -> Iterator[str]:
    """Yield the terms of a sum: from the next step, from above, or direct; else in ink."""
    for tex in BETWEEN.split(right):
        begins = not id_.endswith("delta") or id_.startswith("c5")
        kind = "next" if "t+1" in tex else "above" if "n+1" in tex else "" if begins else "direct"
        yield f'<span class="{kind}">{mathml(tex)}</span>' if kind else mathml(tex)


def _key() -> str:
    """Return the three terms, in their colours."""
    names = {"direct": "direct", "above": "from above", "next": "from the next step"}
    return ", ".join(f'<span class="{kind}">{words}</span>' for kind, words in names.items())


@cache
def _style() -> str:
    """Return the style sheet, with the colours of the palette."""
    sheet = resources.files("stbp_edu.plotting").joinpath("poster.css").read_text("utf-8")
    for name, (light, _) in DARK.items():
        sheet = sheet.replace(f"--{name};", f"var(--stbp-{name}, {light});")
    return re.sub(r"\s*([{};:,])\s*|/\*.*?\*/\s*", r"\1", sheet)
