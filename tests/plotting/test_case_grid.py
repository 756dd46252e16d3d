"""The (t, n) grid: what is highlighted, the order of the sweep, and its animation."""

import re
import xml.etree.ElementTree as ET

import pytest

from stbp_edu import plotting
from stbp_edu.cases import case_at
from stbp_edu.plotting import figure

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("highlight", [{1}, {2}, {3}, {4}, {(2, 1)}, {5}])
def test_grid_highlights_what_it_is_asked_to(highlight):
    T, N = 4, 3
    ax = plotting.grid(figure()[1], T, N, highlight=highlight)
    bold = {tuple(t.get_position()) for t in ax.texts if t.get_fontweight() == "bold"}
    wanted = {
        (t, n)
        for t in range(1, T + 1)
        for n in range(1, N + 1)
        if {case_at(t - 1, n, T, N), (t, n), 5} & highlight
    }
    assert bold == wanted


def test_labels_can_be_given():
    ax = plotting.grid(figure()[1], 2, 2, labels={(1, 1): "ε"})
    assert sorted(t.get_text() for t in ax.texts) == ["", "", "", "ε"]


@pytest.mark.parametrize(("T", "N"), [(1, 1), (3, 2), (5, 4)])
def test_sweep_order_never_needs_a_cell_that_is_not_there_yet(T, N):
    done = set()
    for t, n in plotting.sweep_order(T, N):
        assert n == N or (t, n + 1) in done
        assert t == T or (t + 1, n) in done
        done.add((t, n))
    assert len(done) == T * N


def test_sweep_animation_honours_reduced_motion_and_shows_every_number_from_its_first_frame():
    svg = plotting.sweep_steps(3, 2).svg
    tree = ET.fromstring(svg)
    style = next(tree.iter(f"{SVG}style")).text
    assert style.startswith("@media (prefers-reduced-motion: no-preference)")  # and nothing else
    assert "opacity: 0;" not in svg.replace(style, "")
    named = {e.get("id"): e for e in tree.iter() if e.get("id")}
    moved = re.findall(r"#([\w-]+)(?=[,{ ])", style)
    assert named.keys() >= set(moved)
    assert len(set(moved)) == 3 * 2 * 2
    assert not [text for id_ in moved for text in named[id_].iter(f"{SVG}text")]
