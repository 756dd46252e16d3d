"""Figures of notebooks that can be moved, in a real browser, without Python."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from stbp_edu import LIF, Rectangle
from tests.site.conftest import NOTEBOOKS, profile, watched
from tests.site.reader import bring, violations
from tools.site.render.notebook_page import DRAWING, read_notebooks

ORDER, LOSS, GAIN = (
    next(stem for stem in NOTEBOOKS if stem.endswith(slug))
    for slug in ("_map", "_surrogates", "_missing_paths")
)
NUMBER = re.compile(r"−?\d+(?:\.\d+)?")
MOVING = "(cell) => cell.getAnimations({ subtree: true }).length"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Yield a page in a fresh profile that asks for less motion; nothing may go wrong on it."""
    with profile(browser) as context:
        page = context.new_page()
        with watched(page, address) as problems:
            yield page
        assert not problems


def _opened(page: Page, address: str, stem: str) -> Locator:
    """Open a notebook, and the fold in which its figure may be; return the figure's cell."""
    page.goto(f"{address}notebooks/{stem}/")
    cell = page.locator(".cell[data-drawing]")
    fold = cell.locator(".stbp-answer > summary")
    if fold.count():
        fold.click()
    cell.get_by_role("slider").scroll_into_view_if_needed()
    return cell


def _said(cell: Locator) -> str:
    return cell.locator(".moved-said").inner_text()


def _numbers(cell: Locator) -> list[float]:
    return [float(x.replace("−", "-")) for x in NUMBER.findall(_said(cell))]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("stem", [ORDER, LOSS, GAIN])
def test_a_figure_is_moved_by_keys_and_by_a_pointer(
    page: Page, address: str, axe: Path, stem: str, width: int
) -> None:
    """The picture changes, words say how, and a slider tells them to a screen reader."""
    page.set_viewport_size({"width": width, "height": 900})
    cell = _opened(page, address, stem)
    picture = cell.locator("svg.figure:visible")
    slider = cell.get_by_role("slider")
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
    bring(page, axe)
    assert violations(page) == []


def test_the_order_plays_unless_less_motion_is_asked_for(
    page: Page, browser: Browser, address: str
) -> None:
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


def test_the_order_is_the_one_of_the_package(page: Page, address: str) -> None:
    """A cell below the top has the one above it before it; the case is that of the last cell."""
    cell = _opened(page, address, ORDER)
    slider = cell.get_by_role("slider")
    slider.press("Home")
    cases = []
    for _ in range(15):
        slider.press("ArrowRight")
        cases.append(int(_numbers(cell)[-1]))
    assert cases == [1, 2, 2] + 4 * [3, 4, 4]


def test_a_weight_has_the_losses_of_the_notebook(page: Page, address: str) -> None:
    """On the staircase and on the twin's line, at every tenth place."""
    names: dict[str, Any] = {}
    for code in read_notebooks()[LOSS].cells:
        exec(code.source, names)
        if DRAWING in "".join(code.metadata.get("tags", [])):
            break
    cell = _opened(page, address, LOSS)
    slider = cell.get_by_role("slider")
    for place in range(5, 200, 10):
        slider.fill(str(place))
        weight, stairs, twin, slope = _numbers(cell)
        near = np.abs(names["w"] - weight) < 0.2  # a stair may begin beside it
        assert np.abs(np.array(names["stairs"])[near] - stairs).min() < 0.001
        assert abs(np.interp(weight, names["w"], names["ramp"]) - twin) < 0.002
        trend = np.gradient(names["ramp"], names["w"])
        assert trend[near].min() - 0.002 < slope < trend[near].max() + 0.002


def test_a_potential_has_the_gain_of_the_package(page: Page, address: str) -> None:
    """And an error becomes what ten such gains make of it."""
    lif = LIF(0.1, 1.5, Rectangle(1.0))
    cell = _opened(page, address, GAIN)
    slider = cell.get_by_role("slider")
    for place in (0, 60, 120, 160, 180, 190, 199):
        slider.fill(str(place))
        u, gain, _, times = _numbers(cell)
        assert abs(lif.f(0.0) + u * lif.h(u) * lif.df(0.0) - gain) < 0.015
        assert times == pytest.approx(abs(gain) ** 10, rel=0.06, abs=0.01)
        assert ("sign changes" in _said(cell)) == (gain < 0)
