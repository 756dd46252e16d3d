"""The (t, n) grid that the backward sweep fills, drawn for the landing page."""

from __future__ import annotations

from dataclasses import dataclass

from stbp_edu.cases import case_at
from stbp_edu.plotting.palette import CASE_COLOURS

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
    side, gap, left, top = 64, 12, 64, 14
    step = side + gap
    parts = []
    for s in squares():
        x, y = left + (s.t - 1) * step, top + (LAYERS - s.n) * step
        arrows = ""
        if s.t < STEPS:
            arrows += f'<path d="M{x + side + gap - 1} {y + side / 2}h-9m4 -4l-4 4l4 4"/>'
        if s.n < LAYERS:
            arrows += f'<path d="M{x + side / 2} {y - gap + 1}v9m-4 -4l4 4l4 -4"/>'
        parts.append(
            f'<g class="hero-cell case-{s.case}" style="--k:{s.order}">'
            f'<g class="hero-arrow">{arrows}</g>'
            f'<rect x="{x}" y="{y}" width="{side}" height="{side}" rx="8"/>'
            f'<text x="{x + side / 2}" y="{y + side / 2 + 8}">{s.case}</text></g>'
        )
    for n in range(1, LAYERS + 1):
        word = f"n = {n}" if n < LAYERS else "n = N"
        y = top + (LAYERS - n) * step + side / 2 + 5
        parts.append(
            f'<text class="hero-axis" x="{left - 12}" y="{y}" text-anchor="end">{word}</text>'
        )
    for t in range(1, STEPS + 1):
        word = f"t = {t}" if t < STEPS else "t = T"
        x = left + (t - 1) * step + side / 2
        parts.append(
            f'<text class="hero-axis" x="{x}" y="{top + LAYERS * step + 14}">{word}</text>'
        )
    width, height = left + STEPS * step, top + LAYERS * step + 24
    words = (
        "A grid of time steps, 1 to T from left to right, and layers, 1 to N from bottom to top. "
        "The backward sweep fills it from the top right corner: case 1 at the last step of the "
        "output layer, case 2 below it, case 3 at earlier steps of the output layer, and case 4 "
        "everywhere else, which needs the signal from above and from the right."
    )
    head = f'<svg class="hero-grid" viewBox="0 0 {width} {height}" role="img" aria-label="{words}">'
    return f"{head}{''.join(parts)}</svg>"


def css() -> str:
    """Return the colours of the cases as CSS variables."""
    return ":root{" + "".join(f"--case-{k}:{colour};" for k, colour in CASE_COLOURS.items()) + "}"
