"""What was measured is out of sight until the reader asks for it, by the line or by a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from tests.site.conftest import READY
from tests.site.reader import bring, cell, run, spoken, violations, write
from tools.notebooks import FOLDED, OUTPUT_FOLDED
from tools.site.generate.downloads import INSTALL
from tools.site.render.notebook_reader import folder, read_notebook

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator, Page

LINE = ".cell-output > .cell-fold > summary"
MEASURED = "[data-measured]:not([data-measured=''])"


def _first(code_folded: bool) -> tuple[str, int]:
    """Return notebook and number of the first cell with a folded output, and folded code or not."""
    for path in sorted(folder().glob("*.ipynb")):
        for one in read_notebook(path).cells:
            if OUTPUT_FOLDED in one.tags and (FOLDED in one.tags) is code_folded:
                return path.stem, one.number
    pytest.fail("no notebook has such a cell")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(code_folded, id=name, marks=pytest.mark.xdist_group(name))
        for code_folded, name in ((False, "code in view"), (True, "code folded"))
    ],
)
def place(request: pytest.FixtureRequest) -> tuple[str, int]:
    """Return notebook and number of the cell; the tests of one cell follow each other."""
    return _first(request.param)


@pytest.fixture
def warm(place: tuple[str, int], kept: Callable[[str], Page]) -> Page:
    """Return the page of the cell."""
    return kept(place[0])


@pytest.fixture
def measured(place: tuple[str, int], warm: Page) -> Locator:
    """Return the cell, on its page, ready to run."""
    return cell(warm, place[1])


def test_the_line_says_what_it_shows(warm: Page, measured: Locator) -> None:
    """It is closed, in sight and by name, and opens the output and nothing else."""
    number = measured.get_attribute("data-number")
    line, out = measured.locator(LINE), measured.locator(".cell-output .out").first
    code = measured.locator(".cell-code").is_visible()
    expect(out).not_to_be_visible()
    assert line.inner_text().startswith("Show what was measured")
    name = f"what was measured by cell {number}"
    assert (f"Show {name}", False) in [n[1:] for n in spoken(warm, measured)]
    line.click()
    expect(out).to_be_visible()
    assert line.inner_text().startswith("Hide what was measured")
    assert (f"Hide {name}", True) in [n[1:] for n in spoken(warm, measured)]
    assert measured.locator(".cell-code").is_visible() is code


def test_before_it_is_asked_for_no_measurement_is_in_sight(warm: Page, measured: Locator) -> None:
    """Of a whole page: the prediction can be chosen, and what it is held against is hidden."""
    expect(measured).to_be_visible()
    assert warm.get_by_role("radio").count()
    held = warm.locator(MEASURED)
    assert held.count()
    for one in held.all():
        expect(one).not_to_be_visible()


def test_it_opens_by_the_keyboard(warm: Page, measured: Locator) -> None:
    """Tab goes on from the code to the line; Enter opens it, Space closes it."""
    keys, line = warm.keyboard, measured.locator(LINE)
    target = write(warm, "6 * 7", int(measured.get_attribute("data-number") or 0))
    target.get_by_role("textbox").focus()
    keys.press("Escape")
    keys.press("Tab")
    expect(line).to_be_focused()
    assert line.evaluate("e => getComputedStyle(e).outlineWidth") != "0px", "focus cannot be seen"
    keys.press("Enter")
    expect(measured.locator(".cell-output .out").first).to_be_visible()
    keys.press("Space")
    expect(measured.locator(".cell-output .out").first).not_to_be_visible()


def test_a_run_shows_openly_and_a_reset_folds_again(warm: Page, measured: Locator) -> None:
    """Who runs the cell has asked; the committed output is behind its line as before."""
    number = int(measured.get_attribute("data-number") or 0)
    assert run(warm, "6 * 7", number).locator(":scope > .out-result").inner_text() == "42"
    expect(measured.locator(LINE)).to_have_count(0)
    expect(run(warm, "unknown_name", number, "error").locator(".out-error")).to_be_visible()
    measured.get_by_role("button", name=f"Reset code cell {number}").click()
    expect(measured.locator(LINE)).to_be_visible()
    expect(measured.locator(".cell-output .out").first).not_to_be_visible()


def test_code_that_was_changed_opens_and_the_measurement_stays(
    warm: Page, measured: Locator
) -> None:
    """After a reload the reader's code is seen, and what was measured is not."""
    write(warm, "mine = 1", int(measured.get_attribute("data-number") or 0))
    warm.reload()
    warm.wait_for_selector(READY, state="attached")
    expect(measured.get_by_role("textbox")).to_have_value("mine = 1")
    expect(measured.get_by_role("textbox")).to_be_visible()
    expect(measured.locator(".cell-output .out").first).not_to_be_visible()


def test_when_open_it_is_open_to_everyone(warm: Page, measured: Locator, axe: Path) -> None:
    """axe-core finds nothing, in either theme and width; closed, test_built_pages looks at it."""
    bring(warm, axe)
    measured.locator(LINE).click()
    assert violations(warm) == []
    warm.locator("[data-theme-button]").click()
    warm.set_viewport_size({"width": 360, "height": 740})
    assert violations(warm) == []
    assert warm.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_it_opens_all_the_same(browser: Browser, address: str) -> None:
    """The browser does it; on paper the output is left out or printed, the line never is."""
    stem, number = _first(False)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}notebooks/{stem}/")
    target = cell(page, number)
    out = target.locator(".cell-output .out").first
    expect(out).not_to_be_visible()
    target.locator(LINE).click()
    expect(out).to_be_visible()
    page.emulate_media(media="print")
    expect(target.locator(LINE)).not_to_be_visible()
    expect(out).to_be_visible()
    context.close()


def test_the_download_is_folded_in_jupyterlab(site: Path) -> None:
    """The file that the page offers has JupyterLab's own mark at the cell."""
    stem, number = _first(False)
    there = nbformat.read(site / "notebooks" / stem / f"{stem}.ipynb", as_version=4)
    code = [c for c in there.cells if c.cell_type == "code" and c.source.strip()]
    own = [c for c in code if c.id != INSTALL]  # the download's first cell installs
    assert own[number - 1].metadata["jupyter"]["outputs_hidden"] is True
