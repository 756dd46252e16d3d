"""The (t, n) grid: what is lit, that its text fits, the order of the sweep, its animation."""

import re
import xml.etree.ElementTree as ET

import pytest

from stbp_edu import plotting
from stbp_edu.cases import case_at
from stbp_edu.plotting.drawing import CELL_LETTER, LINE, Laid
from stbp_edu.plotting.palette import DIRECT, NEXT
from stbp_edu.plotting.svg_figure import PHONE, WIDE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("highlight", [{1}, {2}, {3}, {4}, {(2, 1)}, {5}])
def test_grid_highlights_what_it_is_asked_to(highlight):
    T, N = 4, 3
    cells = plotting.grid(T, N, highlight=highlight).nodes
    lit = {cell for cell, node in cells.items() if node.colours}
    wanted = {(t, n) for t, n in cells if {case_at(t - 1, n, T, N), (t, n), 5} & highlight}
    assert lit == wanted
    assert plotting.grid(T, N).nodes[2, 3].colours == (DIRECT, NEXT)


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize(
    ("T", "words"), [(3, "δ: read-out + reset\nε: spike + carry"), (5, "15.\ncase 4"), (10, "66")]
)
def test_text_stays_in_its_cell_and_the_cells_in_the_picture(T, words, width):
    laid = Laid(plotting.grid(T, 2, labels=lambda t, n: words), width)
    for label in laid.labels.values():
        assert label.split() == words.split()
        assert max(map(len, label.split("\n"))) * CELL_LETTER < laid.step
        assert LINE * (label.count("\n") + 1) < laid.row
    x = [at[0] for at in laid.at.values()]
    assert min(x) - laid.step / 2 > 12
    assert max(x) + laid.step / 2 < width
    ends = [x for word, x, _ in laid.words if word.anchor == "middle"]
    assert min(b - a for a, b in zip(sorted(ends), sorted(ends)[1:], strict=False)) > 20


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
    assert rules.startswith("@media (prefers-reduced-motion: no-preference)")  # nothing else
    moved = [e.get("style") for e in tree.iter(f"{SVG}rect") if e.get("class") == "stbp-fill"]
    assert sorted(int(re.search(r"--k: (\d+)", style)[1]) for style in moved) == [*range(6)]
