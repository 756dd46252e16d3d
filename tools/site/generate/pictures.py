"""The pictures of the site: the graph of the first page, the README's pulse, the card of a link.

python -m tools.site.generate.pictures

writes the pulse for the README, for a light page and for a dark one.
"""

import io
from itertools import product

from PIL import Image, ImageDraw, ImageFont

from stbp_edu.cases import case_at
from stbp_edu.plotting.palette import CASE_COLOURS, CASE_TINTS, DARK, TERMS
from stbp_edu.practice.explorers.pulse_explorer import Pulse, one_neuron
from tools import ROOT
from tools.site.render.notebook_page import recolour
from tools.templates import filled

FOLDER = ROOT / "docs" / "assets"
THEMES = {"course-light.svg": "light", "course-dark.svg": "dark"}
STEPS, LAYERS = 5, 3  # T and N
SIZE = (1200, 630)
GROUND, INK, SOFT = "#fdfcfa", "#24292f", "#5c636d"
LINES = ("Learn how error flows", "through space and time", "in a spiking network.")


def hero() -> str:
    """Return the graph of the first page; its script adds up the paths that are not cut."""
    pulse = Pulse(one_neuron())
    data = pulse.data
    view = data["views"][0]
    paths = [
        {"edges": [*map(pulse.edges.index, path.edges)], "value": float(path.contribution)}
        for path in pulse.paths
    ]
    names = {light: name for name, (light, _) in DARK.items()}
    terms = [names[TERMS[edge.kind]] for edge in pulse.edges]
    copies = [
        {**move, "step": k}
        for k, step in enumerate(data["rules"]["exact"]["steps"][1:])
        for move in step["moves"]
    ]
    words = {node["id"]: _words(node["id"]) for node in data["nodes"]}
    return filled("hero.svg", **locals()).strip()


def _words(id_: str) -> str:
    """Return what a node of the one neuron is, in words."""
    if id_ == "L":
        return "the mistake"
    kind, _, step, _ = id_.split("-")
    return f"the {'spike' if kind == 'o' else 'potential'} of moment {step}"


def readme_pictures() -> dict[str, str]:
    """Return the README's pictures by their names; the pulse runs through each of them once."""
    picture = Pulse(one_neuron()).still(moving=True, scale=1.5)
    return {name: recolour(picture, theme) + "\n" for name, theme in THEMES.items()}


def social_card() -> bytes:
    """Return the picture as PNG."""
    picture = Image.new("RGB", SIZE, GROUND)
    draw = ImageDraw.Draw(picture)
    draw.text((80, 84), "stbp_edu", fill=SOFT, font=ImageFont.load_default(40))
    for k, line in enumerate(LINES):
        draw.text((80, 170 + 66 * k), line, fill=INK, font=ImageFont.load_default(54))
    draw.text(
        (80, 500),
        "Derive it, run it on the page, check every step.",
        fill=SOFT,
        font=ImageFont.load_default(30),
    )
    side, step = 84, 98
    left, top = SIZE[0] - STEPS * step - 16, 170
    for t, n in product(range(1, STEPS + 1), range(1, LAYERS + 1)):
        case = case_at(t - 1, n, STEPS, LAYERS)
        x, y = left + (t - 1) * step, top + (LAYERS - n) * step
        look = {"fill": CASE_TINTS[case], "outline": CASE_COLOURS[case], "width": 8}
        draw.rounded_rectangle((x, y, x + side, y + side), 12, **look)
        font = ImageFont.load_default(34)
        draw.text((x + side / 2, y + side / 2), str(case), "white", font, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    for name, text in readme_pictures().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
