"""The (t, n) grid, the order and animation of its sweep, and the poster of the five cases."""

import re
import xml.etree.ElementTree as ET

import pytest

from stbp_edu import plotting
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.plotting import poster
from stbp_edu.plotting.palette import DIRECT, NEXT

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("highlight", [set(), {(2, 1)}, {(4, 3), (1, 1)}])
def test_grid_highlights_what_it_is_asked_to(highlight):
    T, N = 4, 3
    cells = plotting.grid(T, N, highlight=highlight).nodes
    lit = {cell for cell, node in cells.items() if node.colours}
    assert lit == highlight
    assert plotting.grid(T, N).nodes[2, 3].colours == (DIRECT, NEXT)


def test_sweep_animation_honours_reduced_motion_and_lights_each_cell_in_its_turn():
    tree = ET.fromstring(plotting.sweep_steps(3, 2).svg)
    style = next(tree.iter(f"{SVG}style")).text
    rules = re.sub(r"@keyframes [\w-]+\{from\{opacity:0\}\}", "", style)
    assert rules.startswith(
        "@media (prefers-reduced-motion: no-preference)"
    )  # nothing else
    moved = [
        e.get("style") for e in tree.iter(f"{SVG}rect") if e.get("class") == "stbp-fill"
    ]
    assert sorted(int(re.search(r"--k: (\d+)", style)[1]) for style in moved) == [
        *range(6)
    ]


CASES = [id_ for id_ in EQUATIONS if re.fullmatch(r"c\d-(delta|epsilon|w|b)", id_)]


def test_a_notebook_has_it_as_latex_with_the_case_framed_and_later_ones_left_out():
    tex = poster("c3", known=3)._repr_latex_()
    assert tex.count(r"\boxed") == 1
    assert tex.index(r"\boxed") < tex.index(r"\textbf{3}") < tex.index(r"\textbf{1}")
    for id_ in CASES:
        right = EQUATIONS[id_].forms["index"].split("=", 1)[1]
        assert tex.count(right) == (id_[1] <= "3"), id_


@pytest.mark.parametrize("lit", [3, "c9", "fwd-u"])
def test_what_is_no_case_is_refused(lit):
    with pytest.raises(ValueError, match="lit"):
        poster(lit)
