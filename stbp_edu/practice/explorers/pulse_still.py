"""The error pulse as a picture that stands still: where it went, what arrived, what was lost.

Jupyter, GitHub and a page without scripts show it where the explorer cannot be played.
"""

from html import escape
from typing import Any

from stbp_edu.plotting.palette import GRID, GROUND, INK
from stbp_edu.practice.explorers.pulse_layout import RADIUS, Point

Json = dict[str, Any]
FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
LINE, LETTER = 20, 8.2  # a line's height, a letter's width
FRAMES = (
    "@keyframes run{0%{offset-distance:100%;opacity:1}99%{opacity:1}"
    "100%{offset-distance:0%;opacity:0}}.pulse{opacity:0;offset-rotate:0deg}"
)
PACE = 0.9  # seconds for a step where it moves by itself


def still(data: Json, rule: str, moving: bool = False) -> str:
    """Return the picture after the last step under one rule, as SVG.

    Args:
        data: of ``pulse_data``.
        rule: one of the rules in it.
        moving: let the pulse run through it once; never where less motion is asked for.
    """
    shown = data["rules"][rule]
    width, top = data["size"]
    lines = [line for line in shown["account"] if len(line) * LETTER < width]
    height = top + 14 + LINE * len(lines)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    words = escape(alternative(data, rule), quote=True)
    parts = [
        f'<svg role="img" aria-label="{words}" style="max-width: 100%; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg" {size} {FONT}>',
        f"<title>{words}</title>",
        f'<rect width="100%" height="100%" style="fill: var(--stbp-ground, {GROUND})"/>',
        *_arrows(data, shown),
        *(_pulse(data, shown) if moving else ()),
        *(_factor(data["edges"][k]) for k in data["used"]),
        *(_node(data, shown, node) for node in data["nodes"]),
        *(_text(a["at"], a["text"], a["anchor"], GRID) for a in data["axes"]),
        *(_text((width / 2, top + 18 + LINE * k), line) for k, line in enumerate(lines)),
        "</svg>",
    ]
    return "\n".join(parts)


def alternative(data: Json, rule: str) -> str:
    """Return what the picture shows, in words."""
    return (
        f"The network unrolled in time, and one error pulse that runs back from the loss L to "
        f"{data['goal']} over every arrow that leads there. {data['rules'][rule]['end']}"
    )


def _factor(edge: Json) -> str:
    """Return the letter of an arrow's factor, beside it."""
    x, y, anchor = edge["beside"]
    return _text((x, y), edge["symbol"], anchor, GRID, 12)


def _text(at: Point, words: str, anchor: str = "middle", colour: str = INK, size: int = 14) -> str:
    """Return a line of text; ink follows the ground."""
    ink = f"var(--stbp-ink, {INK})" if colour == INK else colour
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" style="fill: {ink}">{escape(words)}</text>'


def _arrows(data: Json, shown: Json) -> list[str]:
    """Return the arrows: thick where the pulse went, dashed with a cross where it was lost."""
    colours, drawn = data["colours"], []
    moves = [move for step in shown["steps"] for move in step["moves"]]
    for k, edge in enumerate(data["edges"]):
        passed = [move["weight"] for move in moves if move["edge"] == k and not move["ends"]]
        lost = any(move["edge"] == k and move["ends"] for move in moves)
        colour = _colour(data, edge) if passed else colours["lost"] if lost else GRID
        thick = 1.6 + 3 * max(passed) if passed else 2.2 if lost else 1
        line = f'stroke="{colour}" stroke-width="{thick:.1f}"'
        line += ' stroke-dasharray="6 4"' if lost and not passed else ""
        drawn.append(f'<path d="{edge["d"]}" fill="none" {line}/>')
        drawn.append(f'<path d="{edge["head"]}" fill="{colour}"/>')
        if lost:
            x, y = edge["mid"]
            cross = f"M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14"
            drawn.append(f'<path d="{cross}" stroke="{colours["lost"]}" stroke-width="3"/>')
    return drawn


def _colour(data: Json, edge: Json) -> str:
    """Return the colour of what comes over an arrow: a part of a δ, or of an ε."""
    return str(data["colours"]["delta" if edge["from"].startswith("o") else "epsilon"])


def _node(data: Json, shown: Json, node: Json) -> str:
    """Return a node: spikes round, potentials and the loss square; the start is filled."""
    (x, y), kind = node["at"], node["kind"]
    colour = {"o": data["colours"]["delta"], "u": data["colours"]["epsilon"]}.get(kind, INK)
    used = {data["edges"][k][end] for k in data["used"] for end in ("from", "to")}
    stroke = f"var(--stbp-ink, {INK})" if kind == "L" else colour
    stroke = stroke if node["id"] in used else GRID
    width = 3 if node["id"] == data["start"] else 1.8
    sheet = f'style="fill: var(--stbp-ground, {GROUND}); stroke: {stroke}" stroke-width="{width}"'
    tint = f'fill="{colour}" fill-opacity="0.22"' if node["id"] == data["start"] else ""
    if kind != "o":
        side = 2 * RADIUS - 3
        box = f'x="{x - side / 2}" y="{y - side / 2}" width="{side}" height="{side}" rx="3"'
        shape = [f"<rect {box} {look}/>" for look in (sheet, tint) if look]
    else:
        ring = f'cx="{x}" cy="{y}" r="{RADIUS}"'
        shape = [f"<circle {ring} {look}/>" for look in (sheet, tint) if look]
    return "".join(shape) + _text((x, y + 5), node["label"])


def _pulse(data: Json, shown: Json) -> list[str]:
    """Return the copies of the pulse, which run over the arrows once."""
    moved, copies = "", []
    for k, step in enumerate(shown["steps"][1:]):
        moved += f".s{k}{{animation:run {PACE}s {0.3 + k * PACE:.1f}s ease-in-out}}"
        for move in step["moves"]:
            edge, size = data["edges"][move["edge"]], 5 + 6 * move["weight"]
            look = f'r="{size:.1f}" fill="{_colour(data, edge)}"'
            way = f"offset-path:path('{edge['d']}')"
            copies.append(f'<circle class="pulse s{k}" {look} style="{way}"/>')
    motion = f"@media (prefers-reduced-motion: no-preference){{{moved}}}"
    return [f"<style>{FRAMES}{motion}</style>", *copies]
