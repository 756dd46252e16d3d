"""The (t, n) grid that the backward sweep fills, drawn for the landing page."""

from dataclasses import dataclass
from pathlib import Path

from stbp_edu.cases import case_at
from stbp_edu.plotting.palette import CASE_COLOURS
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "sweep_grid.svg"
STEPS, LAYERS = 5, 3  # T and N


@dataclass(frozen=True)
class Square:
    """One cell of the grid: time step t (from 1), layer n, its case, and its place in the sweep."""

    t: int
    n: int
    case: int
    order: int


def squares(T: int = STEPS, N: int = LAYERS) -> list[Square]:
    """Return the cells in the order of the sweep: last step first, top layer first."""
    order = [(t, n) for t in range(T, 0, -1) for n in range(N, 0, -1)]
    return [Square(t, n, case_at(t - 1, n, T, N), k) for k, (t, n) in enumerate(order)]


def svg() -> str:
    """Return the grid as SVG; the page's style sheet moves it, or leaves it still."""
    size = {"side": 64, "gap": 12, "left": 64, "top": 14}
    return filled(TEMPLATE, T=STEPS, N=LAYERS, squares=squares(), **size).strip()


def css() -> str:
    """Return the colours of the cases as CSS variables."""
    return ":root{" + "".join(f"--case-{k}:{colour};" for k, colour in CASE_COLOURS.items()) + "}"
