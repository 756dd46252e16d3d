"""The pictures of the site: one error pulse, the grid of the backward sweep, the card of a link.

python -m tools.site.generate.pictures

writes the pulse for the README, for a light page and for a dark one.
"""

import io
import re

from PIL import Image, ImageDraw, ImageFont

from stbp_edu.cases import case_at
from stbp_edu.plotting.palette import CASE_COLOURS, CASE_TINTS
from stbp_edu.practice.explorers import pulse_data
from stbp_edu.practice.explorers.pulse_explorer import one_neuron
from stbp_edu.practice.explorers.pulse_picture import still
from tools import ROOT
from tools.site.render.notebook_page import recolour
from tools.templates import filled

FOLDER = ROOT / "docs" / "assets"
THEMES = {"course-light.svg": "light", "course-dark.svg": "dark"}
STEPS, LAYERS = 5, 3  # T and N
SIZE = (1200, 630)
GROUND, INK, SOFT = "#fdfcfa", "#24292f", "#5c636d"
LINES = ("Learn how error flows", "through space and time", "in a spiking network.")


def pulse() -> str:
    """Return the picture for the landing page, where it stands until it can be played."""
    return still(pulse_data(one_neuron()), "exact")


def readme_pictures() -> dict[str, str]:
    """Return the README's pictures by their names; the pulse runs through each of them once."""
    picture = still(pulse_data(one_neuron()), "exact", moving=True)
    size = re.compile(r'width="(\d+)" height="(\d+)" viewBox')
    larger = size.sub(
        lambda m: f'width="{3 * int(m[1]) // 2}" height="{3 * int(m[2]) // 2}" viewBox', picture
    )
    return {name: recolour(larger, theme) + "\n" for name, theme in THEMES.items()}


def squares(T: int = STEPS, N: int = LAYERS) -> list[dict[str, int]]:
    """Return the cells in the order of the sweep, with their case: last step, top layer first."""
    order = [(t, n) for t in range(T, 0, -1) for n in range(N, 0, -1)]
    return [
        {"t": t, "n": n, "case": case_at(t - 1, n, T, N), "order": k}
        for k, (t, n) in enumerate(order)
    ]


def sweep() -> str:
    """Return the grid as SVG; the page's style sheet moves it, or leaves it still."""
    size = {"side": 64, "gap": 12, "left": 64, "top": 14}
    return filled("sweep_grid.svg", T=STEPS, N=LAYERS, squares=squares(), **size).strip()


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
    for s in squares():
        x, y = left + (s["t"] - 1) * step, top + (LAYERS - s["n"]) * step
        look = {"fill": CASE_TINTS[s["case"]], "outline": CASE_COLOURS[s["case"]], "width": 8}
        draw.rounded_rectangle((x, y, x + side, y + side), 12, **look)
        font = ImageFont.load_default(34)
        draw.text((x + side / 2, y + side / 2), str(s["case"]), "white", font, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    for name, text in readme_pictures().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
