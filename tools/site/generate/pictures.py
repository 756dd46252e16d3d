"""The graph of the site's first page, the README's pulse, and what a shared link shows.

python -m tools.site.generate.pictures

writes the pulse for the README, for a light page and for a dark one.
"""

import io
import re
from collections.abc import Mapping
from itertools import product
from textwrap import fill

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from stbp_edu._support.files import write_text
from stbp_edu.cases import case_at
from stbp_edu.explorers.pencil_network import one_neuron
from stbp_edu.explorers.pulse_explorer import Pulse
from stbp_edu.plotting.palette import (
    CASE_COLOURS,
    CASE_TINTS,
    DARK,
    GROUNDS,
    INK,
    TERMS,
)
from tools import ROOT
from tools.site.render.notebook_page import Notebook, recolour
from tools.templates import filled

FOLDER = ROOT / "docs" / "assets"
THEMES = {"course-light.svg": "light", "course-dark.svg": "dark"}


def hero() -> str:
    """Return the graph of the first page; its script adds up the paths that are not cut."""
    pulse = Pulse(one_neuron())
    data = pulse.data
    view = data["views"][0]
    paths = [
        {
            "edges": [*map(pulse.edges.index, path.edges)],
            "value": float(path.contribution),
        }
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


def shared(notebooks: Mapping[str, Notebook]) -> dict[str, bytes]:
    """Return the picture that a shared link shows, for home and for each notebook, by its file."""
    course = "course on spatio-temporal backpropagation"
    made = {
        "home": share(
            "Learn how error flows through space and time in a spiking network",
            "Derive it, run it on the page, check every step.",
            f"A {course}",
        )
    }
    for stem, notebook in notebooks.items():
        told = notebook.course
        case = re.search(r"case(\d)$", stem)
        lit = int(case[1]) if case else 0
        made[stem] = share(told["title"], told["description"], notebook.place, lit)
    return {f"assets/share/{name}.png": picture for name, picture in made.items()}


def share(title: str, about: str, place: str, lit: int = 0) -> bytes:
    """Return title, description and place beside the grid, as PNG; one case is lit, or all are."""
    width, height, T, N = 1200, 630, 5, 3
    fig = Figure((width / 100, height / 100), facecolor=GROUNDS["light"])
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    lines = {560: "stbp_edu", 490: fill(title, 25), 205: fill(about, 76), 75: place}
    for y, words in lines.items():
        size, strength = (34, 1) if y == 490 else (19, 0.75)
        ax.text(70, y, words, color=INK, size=size, alpha=strength, va="top")
    for t, n in product(range(T), range(1, N + 1)):
        case = case_at(t, n, T, N)
        corner = (790 + 72 * t, 335 + 72 * (n - 1))
        box = FancyBboxPatch(corner, 50, 50, "round,pad=4,rounding_size=8", linewidth=4)
        box.set(facecolor=CASE_TINTS[case], edgecolor=CASE_COLOURS[case])
        if lit not in (0, case):
            box.set_alpha(0.2)
        ax.add_patch(box)
        middle = np.add(corner, 24)
        ax.text(*middle, case, color="white", size=18, ha="center", va="center")
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(64, Image.Quantize.FASTOCTREE).save(
        buffer, "PNG"
    )  # a quarter of the size
    return buffer.getvalue()


if __name__ == "__main__":
    for name, text in readme_pictures().items():
        write_text(FOLDER / name, text)
