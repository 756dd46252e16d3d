"""One visual language: what each colour means, in figures and on the site.

A term of the backward pass has one colour everywhere: in an arrow, a formula, the grid and
the poster. The cases are sums of terms, and have no colours of their own. A colour never stands
alone: arrows carry their factor, cases their number, what is lost a cross and dashes; δ and ε are
told apart by their shape, a circle and a square.

A figure is drawn on a ``sheet``, in the colours of a light page. ``css`` has those of a dark one,
and the site takes its colours from there. Every colour that carries meaning has a contrast of at
least 3:1 against its ground, as ``tests/plotting/test_palette.py`` computes.
"""

import re
from collections.abc import Sequence
from html import escape

INK = "#24292f"
"""Text, axes, and what is followed, exact or right."""
GROUND = "#f7f6f2"
"""The ground of a figure: light, and no white slab on a dark page; the site leaves it out."""
GRID = "#868c95"
"""Hairlines, frames and what is not highlighted: legible on both grounds."""
GROUNDS = {"light": "#fdfcfa", "dark": "#1b1e24"}
"""The grounds of the site."""
DIRECT = "#946800"
"""The term straight from the loss."""
ABOVE = "#00808a"
"""The term from the layer above."""
NEXT = "#4b35a0"
"""The term from the next step."""
LOST = "#a31545"
"""What a rule loses: dashed, with a cross."""
TERMS = {"readout": DIRECT, "weight": ABOVE, "carry": NEXT, "reset": NEXT, "spike": INK}
"""The colour of the term that each kind of arrow brings."""
CURRENT = "#ffd84d"
"""The halo of what is asked about."""
DARK = {
    "ink": (INK, "#e6e8eb"),
    "direct": (DIRECT, "#f5c542"),
    "above": (ABOVE, "#5fd0c0"),
    "next": (NEXT, "#a98df0"),
    "lost": (LOST, "#ff6a5a"),
}
"""The colours that change with the page, by name: on a light ground and on a dark one."""
CASE_COLOURS = {1: DIRECT, 2: ABOVE, 3: NEXT, 4: NEXT}
"""The frame of each case in the grid: its last term; the filling is its first (``CASE_TINTS``)."""
CASE_TINTS = {1: DIRECT, 2: ABOVE, 3: DIRECT, 4: ABOVE}

DELTA = EPSILON = INK
"""δ = dL/do, drawn with circles, and ε = dL/du, drawn with squares."""
MORE, LESS = "#0078be", "#d55e00"
"""The signs of a map: more than zero, and less; these two show nothing else."""
SPIKE = "#b46a00"
"""A spike."""
SERIES = ("#0078be", "#d55e00", "#009068", "#b6679b", "#a85c36", "#6f6fd8")
"""Curves that stand for no case, in this order."""
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
WIDE = 691  # CSS pixels
PHONE = 331
FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""


def css() -> str:
    """Return the colours as CSS variables, for the site's light pages and its dark ones.

    >>> css().splitlines()[0][:24]
    ':root{--stbp-ink:#24292f'
    """
    rules = []
    for k, selector in enumerate((":root", '[data-md-color-scheme="slate"]')):
        colours = [f"--stbp-{name}:{pair[k]}" for name, pair in DARK.items()]
        rule = f"{selector}{{{';'.join(colours)}}}"
        rules.append(f"@media screen{{{rule}}}" if k else rule)  # paper is light
    return "\n".join(rules)


def sheet(box: Sequence[int], alt: str, inside: str, scale: float = 1.0) -> str:
    """Return an SVG on its ground, with the words that stand for it, so much enlarged.

    The colours that change with the page are CSS variables.
    """
    x, y, width, height = box
    shown_width = round(scale * width)
    shown_height = round(scale * height)
    words = escape(alt, quote=True)
    svg = (
        f'<svg role="img" aria-label="{words}" style="max-width: 100%; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg" width="{shown_width}" '
        f'height="{shown_height}" viewBox="{x} {y} {width} {height}" {FONT}>'
        f'<title>{words}</title><rect x="{x}" y="{y}" width="100%" height="100%" '
        f'style="fill: var(--stbp-ground, {GROUND})"/>{inside}</svg>'
    )
    for name, (light, _) in DARK.items():
        svg = re.sub(rf"(?<!, ){light}", f"var(--stbp-{name}, {light})", svg)
    return svg
