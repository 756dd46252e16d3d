"""A figure that is shown: read aloud, the same bytes each time, no clash of ids on a page."""

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from stbp_edu import plotting
from stbp_edu.plotting import figure, show
from stbp_edu.plotting.palette import GROUND
from stbp_edu.plotting.svg_figure import IMAGE, NARROW, unpacked

ALT = "A test figure with nothing much on it."
SVG = "{http://www.w3.org/2000/svg}"


def draw():
    fig, ax = figure()
    plotting.heat(ax, np.eye(3))
    return show(fig, alt=ALT)


DRAWN = """
import sys
from stbp_edu import plotting

drawing = plotting.show(plotting.grid(3, 2), alt="A grid of three steps and two layers.")
assert drawing.svg.startswith("<svg")
assert "matplotlib" not in sys.modules
plotting.figure()
assert "matplotlib" in sys.modules
"""


def test_only_a_chart_imports_matplotlib():
    """So the page need not load it for a notebook's first cell."""
    subprocess.run([sys.executable, "-c", DRAWN], check=True)


def test_a_figure_is_an_image_that_says_what_it_shows():
    """One element of SVG in one of HTML, each with the words; the phone's is in metadata."""
    fig, _ = figure()
    shown = show(fig, alt='Where u < V & "o" is\n    zero, nothing')
    root = ET.fromstring(shown.svg)
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    data, metadata = shown._repr_mimebundle_()
    (packed,) = IMAGE.findall(data["text/html"])
    assert base64.b64decode(packed).decode() == shown.svg
    (element,) = re.findall(r"<img .*?>(?=<style)", data["text/html"])
    alt = ET.fromstring(element.replace(">", "/>")).get("alt")
    words = 'Where u < V & "o" is zero, nothing'
    assert alt == root[0].text == root.get("aria-label") == words
    assert data["text/plain"] == f"[Figure: {words}]"
    assert [unpacked(text) for text in metadata[NARROW]] == [shown.narrow]


@pytest.mark.parametrize("make", [draw, lambda: show(plotting.fan_out(), alt=ALT)])
@pytest.mark.parametrize("view", ["wide", "narrow"])
def test_a_live_page_gets_the_one_width_that_it_has(make, view, monkeypatch):
    both = make()
    monkeypatch.setenv("STBP_VIEW", view)
    drawn = make()
    assert not drawn.narrow
    wanted = both.svg if view == "wide" else both.narrow
    assert drawn.svg == wanted.replace("<svg", '<svg data-view=""', 1)


def test_text_stays_text_and_ink_can_be_swapped():
    fig, ax = figure()
    plotting.heat(ax, np.eye(3))
    ax.text(0.5, 0.5, "added later")
    svg = show(fig, alt=ALT).svg
    assert "time step t" in "".join(ET.fromstring(svg).itertext())
    assert svg.count(plotting.INK) == svg.count(f"var(--stbp-ink, {plotting.INK})") > 0
    assert f"var(--stbp-ground, {GROUND})" in svg
    node = next(
        e for e in ET.fromstring(svg).iter(f"{SVG}text") if e.text == "added later"
    )
    assert "--stbp-ink" in node.get("style")


def ids(svg):
    return [e.get("id") for e in ET.fromstring(svg).iter() if e.get("id")]


def test_ids_do_not_clash_on_a_page_and_references_resolve():
    fig, ax = figure()
    plotting.raster(ax, np.eye(4))
    one, two = draw().svg, show(fig, alt=ALT).svg
    assert not set(ids(one)) & set(ids(two))
    for svg in (one, two):
        assert len(ids(svg)) == len(set(ids(svg)))
        used = re.findall(r'(?:href="#|clip-path="url\(#)([^")]*)', svg)
        assert set(used) <= set(ids(svg))


def test_a_figure_without_words_is_refused_and_what_is_no_figure():
    for alt in ("", "too short", None, 3):
        with pytest.raises(ValueError, match="alt must describe the figure"):
            show(figure()[0], alt=alt)
    with pytest.raises(TypeError, match="fig must be a matplotlib Figure or drawings"):
        show("figure", alt=ALT)
