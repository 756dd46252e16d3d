"""The (t, n) grid, the order and animation of its sweep, and the poster of the five cases."""

import re
import xml.etree.ElementTree as ET

import pytest

from stbp_edu import plotting
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.cases import case_at
from stbp_edu.plotting import poster
from stbp_edu.plotting.case_grid import formula
from stbp_edu.plotting.palette import DIRECT, NEXT

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("highlight", [{1}, {2}, {3}, {4}, {(2, 1)}, {5}])
def test_grid_highlights_what_it_is_asked_to(highlight):
    T, N = 4, 3
    cells = plotting.grid(T, N, highlight=highlight).nodes
    lit = {cell for cell, node in cells.items() if node.colours}
    wanted = {
        (t, n) for t, n in cells if {case_at(t - 1, n, T, N), (t, n), 5} & highlight
    }
    assert lit == wanted
    assert plotting.grid(T, N).nodes[2, 3].colours == (DIRECT, NEXT)


@pytest.mark.parametrize(("T", "N"), [(1, 1), (3, 2), (5, 4)])
def test_sweep_order_never_needs_a_cell_that_is_not_there_yet(T, N):
    done = set()
    for t, n in plotting.sweep_order(T, N):
        assert n == N or (t, n + 1) in done
        assert t == T or (t + 1, n) in done
        done.add((t, n))
    assert len(done) == T * N


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


def parsed(lit=None):
    return ET.fromstring(poster(lit).html().split("</style>")[1])


def classes(lit):
    return [e.get("class", "").split() for e in parsed(lit).iter()]


def test_it_has_the_formulas_of_all_cases_and_no_other():
    lines = [
        p for p in parsed().iter("p") if p.find("span[@class='arithmatex']") is not None
    ]
    assert len(lines) == 2 * len(CASES) == 20
    for line, begin in zip(lines, (r"\delta_i^{t,N}", r"\Delta^{t,N}"), strict=False):
        assert "".join(line.itertext()).startswith(rf"\(\displaystyle {begin}")
    for id_ in CASES:  # one neuron, then the layer
        assert formula(id_) != formula(id_, form="vector")


@pytest.mark.parametrize("lit", ["c3", "c3-delta", "c3-epsilon"])
def test_one_cell_stands_out(lit):
    found = classes(lit)
    assert [names for names in found if "lit" in names] == [["case-3", "lit"]]
    assert sum("dim" in names for names in found) == 4


def test_a_notebook_has_it_as_latex_with_the_case_framed_and_later_ones_left_out():
    tex = poster("c3", known=3)._repr_latex_()
    assert tex.count(r"\boxed") == 1
    assert tex.index(r"\boxed") < tex.index(r"\textbf{3}") < tex.index(r"\textbf{1}")
    for id_ in CASES:
        right = EQUATIONS[id_].forms["index"].split("=", 1)[1]
        assert tex.count(right) == (id_[1] <= "3"), id_


@pytest.mark.parametrize("lit", [3, "c9-delta", "fwd-u"])
def test_what_is_no_case_is_refused(lit):
    with pytest.raises(ValueError, match="lit"):
        poster(lit)
