"""The picture of the course: one error pulse that runs back and takes every path.

python -m tools.site.generate.course_picture

writes it for the README, for a light page and for a dark one.
"""

import re

from stbp_edu.practice.explorers import pulse_data
from stbp_edu.practice.explorers.pulse_explorer import one_neuron
from stbp_edu.practice.explorers.pulse_picture import still
from tools.site import ROOT
from tools.site.render.cell_outputs import DARK_INK, LIGHT_INK, recolour

FOLDER = ROOT / "docs" / "assets"
INKS = {"course-light.svg": LIGHT_INK, "course-dark.svg": DARK_INK}


def inline() -> str:
    """Return the picture for the landing page, where it stands until it can be played."""
    return still(pulse_data(one_neuron()), "exact")


def pictures() -> dict[str, str]:
    """Return the README's pictures by their names; the pulse runs through each of them once."""
    picture = still(pulse_data(one_neuron()), "exact", moving=True)
    size = re.compile(r'width="(\d+)" height="(\d+)" viewBox')
    larger = size.sub(
        lambda m: f'width="{3 * int(m[1]) // 2}" height="{3 * int(m[2]) // 2}" viewBox', picture
    )
    return {name: recolour(larger, ink) + "\n" for name, ink in INKS.items()}


if __name__ == "__main__":
    for name, text in pictures().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
