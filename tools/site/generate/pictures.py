"""The graph of the site's first page, and the README's pulse.

python -m tools.site.generate.pictures

writes the pulse for the README, for a light page and for a dark one.
"""

import re

from stbp_edu._support.files import write_text
from stbp_edu.explorers.pencil_network import one_neuron
from stbp_edu.explorers.pulse_explorer import Pulse
from stbp_edu.plotting.palette import DARK, GROUNDS, TERMS
from tools import ROOT
from tools.templates import filled

FOLDER = ROOT / "docs" / "assets"
THEMES = ("course-light.svg", "course-dark.svg")
VARIABLE = re.compile(r"var\(--stbp-(\w+)\s*,\s*[^()]+?\s*\)")


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
    """Return the README's pictures by their names."""
    picture = Pulse(one_neuron()).still(scale=1.5)
    if "xmlns=" not in picture:
        picture = picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    clear = ("transparent", "transparent")
    colours = {"ground": clear, "paper": (*GROUNDS.values(),), **DARK}
    return {
        name: VARIABLE.sub(lambda m, k=k: colours[m[1]][k], picture) + "\n"
        for k, name in enumerate(THEMES)
    }


if __name__ == "__main__":
    for name, text in readme_pictures().items():
        write_text(FOLDER / name, text)
