"""Figures of notebooks that can be moved, in a real browser, without Python."""

import re

import pytest
from playwright.sync_api import expect

from stbp_edu import LIF, Rectangle
from tests.site.conftest import NOTEBOOKS
from tests.site.reader import violations

ORDER, LOSS, GAIN = (
    next(stem for stem in NOTEBOOKS if stem.endswith(slug))
    for slug in ("_map", "_surrogates", "_missing_paths")
)
NUMBER = re.compile(r"−?\d+(?:\.\d+)?")
MOVING = "(cell) => cell.getAnimations({ subtree: true }).length"


@pytest.fixture
def page(faultless):
    return faultless


def _opened(page, address, stem):
    """Open a notebook, and the fold in which its figure may be; return the figure's cell."""
    page.goto(f"{address}notebooks/{stem}/")
    cell = page.locator(".cell[data-drawing]")
    fold = cell.locator(".stbp-answer > summary")
    if fold.count():
        fold.click()
    cell.get_by_role("slider").scroll_into_view_if_needed()
    return cell


def _said(cell):
    return cell.locator(".moved-said").inner_text()


def test_the_order_plays_unless_less_motion_is_asked_for(page, browser, address):
    """Where it is, nothing moves by itself, and there is no button that would let it move."""
    cell = _opened(page, address, ORDER)
    assert cell.evaluate(MOVING) == 0
    expect(cell.locator(".moved-row button")).to_be_hidden()
    with browser.new_context(reduced_motion="no-preference") as lively:
        cell = _opened(lively.new_page(), address, ORDER)
        cell.get_by_role("slider").press("Home")
        assert cell.evaluate(MOVING) == 0  # whoever moves it has it to themselves
        play = cell.get_by_role("button", name="Play from the beginning")
        play.click()
        expect(cell.locator(".moved-said")).to_contain_text("15 of 15 cells are filled")
        expect(play).to_be_visible()


def order(place, numbers, _):
    """A cell below the top has the one above it before it; the case is that of the last cell."""
    return numbers[-1] == ([1, 2, 2] + 4 * [3, 4, 4])[place - 1]


def gain(_place, numbers, said):
    """It is that of the package, and an error becomes what ten such gains make of it."""
    lif, (u, found, _, times) = LIF(0.1, 1.5, Rectangle(1.0)), numbers
    ten = pytest.approx(abs(found) ** 10, rel=0.06, abs=0.01)
    expected = lif.f(0.0) + u * lif.h(u) * lif.df(0.0)
    assert ("sign changes" in said) == (found < 0)
    return bool(abs(expected - found) < 0.015 and times == ten)


@pytest.mark.parametrize(
    ("stem", "places", "holds"),
    [
        (ORDER, range(1, 16), order),
        (LOSS, (), None),
        (GAIN, (0, 60, 120, 160, 180, 190, 199), gain),
    ],
)
def test_a_figure_is_moved_and_says_what_the_package_computes(
    page, address, stem, places, holds
):
    """By keys and a pointer, on a phone; a slider tells the words to a screen reader."""
    page.set_viewport_size({"width": 390, "height": 900})
    cell = _opened(page, address, stem)
    picture, slider = cell.locator("svg.figure:visible"), cell.get_by_role("slider")
    seen = set()
    for key in ("Home", "ArrowRight", "End"):
        slider.press(key)
        seen.add((_said(cell), picture.inner_html()))
        assert slider.get_attribute("aria-valuetext") == _said(cell)
    box = picture.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + 0.8 * box["width"], middle)
    page.mouse.down()
    for share in (0.7, 0.4):
        page.mouse.move(box["x"] + share * box["width"], middle)
        seen.add((_said(cell), picture.inner_html()))
    page.mouse.up()
    assert len(seen) == 5
    assert violations(page) == []
    for place in places:
        slider.fill(str(place))
        said = _said(cell)
        numbers = [float(x.replace("−", "-")) for x in NUMBER.findall(said)]
        assert holds(place, numbers, said), said
