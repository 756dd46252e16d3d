"""The visual language: legible colours, figures to be read aloud, the same bytes each time."""

import itertools
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

from stbp_edu import plotting
from stbp_edu.plotting import figure, show
from stbp_edu.plotting.palette import GROUNDS

ALT = "A test figure with nothing much on it."
SVG = "{http://www.w3.org/2000/svg}"
MEANING = [
    *plotting.CASE_COLOURS.values(),
    *plotting.SERIES,
    plotting.DELTA,
    plotting.EPSILON,
    plotting.SPIKE,
    plotting.GRID,
]

# How three kinds of colour-blind eyes see linear RGB (Machado, Oliveira, Fernandes, 2009).
EYES = {
    "common": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(colour, eye):
    """Return the CIELAB coordinates of a colour as an eye sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = to_xyz @ np.clip(np.array(EYES[eye]) @ linear, 0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("colour", MEANING)
def test_colours_that_mean_something_reach_3_to_1(colour, ground):
    assert plotting.contrast(colour, GROUNDS[ground]) >= 3


def test_ink_is_text():
    assert plotting.contrast(plotting.INK, GROUNDS["light"]) >= 7


@pytest.mark.parametrize("eye", EYES)
def test_cases_stay_apart_for_every_eye(eye):
    for group in (list(plotting.CASE_COLOURS.values())[:4], [plotting.DELTA, plotting.EPSILON]):
        for first, second in itertools.combinations(group, 2):
            assert np.linalg.norm(lab(first, eye) - lab(second, eye)) > 12, (first, second)


def draw():
    fig, ax = figure()
    plotting.grid(ax, 3, 2)
    return show(fig, alt=ALT)


def test_svg_can_be_read_aloud_and_is_one_element():
    root = ET.fromstring(draw()._repr_svg_())
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == ALT
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == ALT


def test_alt_text_is_escaped_and_kept_on_one_line():
    fig, _ = figure()
    root = ET.fromstring(show(fig, alt='Where u < V & "o" is\n    zero, nothing').svg)
    assert root.get("aria-label") == 'Where u < V & "o" is zero, nothing'


def test_same_bytes_each_time_and_no_date():
    first, second = draw().svg, draw().svg
    assert first == second
    assert "<dc:date>" not in first
    assert "<!DOCTYPE" not in first


def test_text_stays_text_and_ink_can_be_swapped():
    svg = draw().svg
    assert "time step t" in "".join(ET.fromstring(svg).itertext())
    assert f"var(--stbp-ink, {plotting.INK})" in svg
    assert svg.count(plotting.INK) == svg.count(f"var(--stbp-ink, {plotting.INK})")
    assert "var(--stbp-ground, #ffffff)" in svg


def test_text_added_outside_of_the_style_gets_the_ink():
    fig, ax = figure()
    ax.text(0.5, 0.5, "added later")
    svg = show(fig, alt=ALT).svg
    node = next(e for e in ET.fromstring(svg).iter(f"{SVG}text") if e.text == "added later")
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
        root = ET.fromstring(svg)
        used = {
            value[1:]
            for e in root.iter()
            for key, value in e.attrib.items()
            if key.endswith("href") and value.startswith("#")
        }
        used |= {
            e.get("clip-path")[5:-1]
            for e in root.iter()
            if (e.get("clip-path") or "").startswith("url")
        }
        assert used <= set(ids(svg))


@pytest.mark.parametrize("alt", ["", "too short", None, 3])
def test_a_figure_without_words_is_refused(alt):
    fig, _ = figure()
    with pytest.raises(ValueError, match="alt must describe the figure"):
        show(fig, alt=alt)


def test_only_a_figure_can_be_shown():
    with pytest.raises(TypeError, match="fig must be a matplotlib Figure"):
        show("figure", alt=ALT)


def test_a_pyplot_figure_is_closed():
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    fig = plt.figure()
    show(fig, alt=ALT)
    assert not plt.fignum_exists(fig.number)


def test_sweep_animation_honours_reduced_motion_and_ends_full():
    svg = plotting.sweep_steps(3, 2).svg
    style = next(ET.fromstring(svg).iter(f"{SVG}style")).text
    assert "@media (prefers-reduced-motion: no-preference)" in style
    assert style.index("@media") == 0, "nothing may move outside of the media query"
    named = set(ids(svg))
    for rule in style.split("#")[1:]:
        assert rule.split("{")[0].rstrip(",").split(",")[0] in named
    assert "opacity: 0;" not in svg.replace(style, "")
