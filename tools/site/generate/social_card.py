"""The picture that a link to the site shows elsewhere, drawn at build time."""

import io

from PIL import Image, ImageDraw, ImageFont

from stbp_edu.plotting.palette import CASE_COLOURS
from tools.site.generate.sweep_grid import LAYERS, STEPS, squares

SIZE = (1200, 630)
GROUND, INK, SOFT = "#fdfcfa", "#24292f", "#5c636d"
LINES = ("Learn how error flows", "through space and time", "in a spiking network.")


def image() -> bytes:
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
        x, y = left + (s.t - 1) * step, top + (LAYERS - s.n) * step
        draw.rounded_rectangle((x, y, x + side, y + side), 12, fill=CASE_COLOURS[s.case])
        font = ImageFont.load_default(34)
        draw.text((x + side / 2, y + side / 2), str(s.case), "white", font, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
