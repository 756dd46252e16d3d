"""The graph of the site's first page, and the README's pulse.

python -m tools.site.generate.pictures

writes the pulse for the README, for a light page and for a dark one.
"""

from stbp_edu._support.files import write_text
from stbp_edu.explorers.pencil_network import one_neuron
from stbp_edu.explorers.pulse_explorer import Pulse
from stbp_edu.plotting.palette import DARK, TERMS
from tools import ROOT
from tools.site.render.notebook_page import recolour
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


if __name__ == "__main__":
    for name, text in readme_pictures().items():
        write_text(FOLDER / name, text)
