"""The (t, n) grid: what is highlighted, the order of the sweep, and its animation."""

import re
import xml.etree.ElementTree as ET

import pytest

from stbp_edu import plotting
from stbp_edu.cases import case_at
from stbp_edu.plotting import figure


@pytest.mark.parametrize("highlight", [{1}, {2}, {3}, {4}, {(2, 1)}])
def test_grid_highlights_what_it_is_asked_to(highlight):
    T, N = 4, 3
    ax = plotting.grid(figure()[1], T, N, highlight=highlight)
    bold = {tuple(t.get_position()) for t in ax.texts if t.get_fontweight() == "bold"}
    wanted = {
        (t, n)
        for t in range(1, T + 1)
        for n in range(1, N + 1)
        if {case_at(t - 1, n, T, N), (t, n)} & highlight
    }
    assert bold == wanted


def test_case_five_highlights_every_cell_and_labels_can_be_given():
    ax = plotting.grid(figure()[1], 2, 2, highlight={5}, labels={(1, 1): "ε"})
    assert all(t.get_fontweight() == "bold" for t in ax.texts)
    assert sorted(t.get_text() for t in ax.texts) == ["", "", "", "ε"]


@pytest.mark.parametrize(("T", "N"), [(1, 1), (3, 2), (5, 4)])
def test_sweep_order_never_needs_a_cell_that_is_not_there_yet(T, N):
    done = set()
    for t, n in plotting.sweep_order(T, N):
        assert n == N or (t, n + 1) in done
        assert t == T or (t + 1, n) in done
        done.add((t, n))
    assert len(done) == T * N


def test_sweep_animation_honours_reduced_motion_and_ends_full():
    svg = plotting.sweep_steps(3, 2).svg
    style = next(ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}style")).text
    assert "@media (prefers-reduced-motion: no-preference)" in style
    assert style.index("@media") == 0, "nothing may move outside of the media query"
    named = {e.get("id") for e in ET.fromstring(svg).iter()}
    for rule in style.split("#")[1:]:
        assert rule.split("{")[0].rstrip(",").split(",")[0] in named
    assert "opacity: 0;" not in svg.replace(style, "")


def test_the_sweep_shows_every_number_from_its_first_frame():
    tree = ET.fromstring(plotting.sweep_steps(3, 2).svg)
    style = next(tree.iter("{http://www.w3.org/2000/svg}style")).text
    moved = {
        e for e in tree.iter() if e.get("id") and f"#{e.get('id')}" in re.split(r"[,{}]", style)
    }
    assert len(moved) == 3 * 2 * 2
    assert not [text for e in moved for text in e.iter("{http://www.w3.org/2000/svg}text")]
