"""Cells whose code is folded: they run, open, and are read as well as any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from tests.site.conftest import READY
from tests.site.reader import bring, cell, run, spoken, tab_to, violations, write
from tools.notebooks import FOLDED
from tools.site.generate.downloads import INSTALL
from tools.site.render.notebook_reader import folder, read_notebook

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator, Page


def _first() -> tuple[str, int]:
    """Return the first notebook with a folded cell that shows something, and the cell's number."""
    for path in sorted(folder().glob("*.ipynb")):
        for one in read_notebook(path).cells:
            if FOLDED in one.tags and one.outputs:
                return path.stem, one.number
    pytest.fail("no notebook has a folded cell")


@pytest.fixture
def warm(kept: Callable[[str], Page]) -> Page:
    """Return the page of the cell."""
    return kept(_first()[0])


@pytest.fixture
def folded(warm: Page) -> Locator:
    """Return the cell, on its page, ready to run."""
    return cell(warm, _first()[1])


def test_the_output_is_in_view_and_the_code_is_not(folded: Locator) -> None:
    """The line says Show code, then Hide code."""
    line = folded.locator("summary")
    expect(folded.locator(".cell-output")).to_be_visible()
    expect(folded.locator(".cell-code")).not_to_be_visible()
    assert line.inner_text().startswith("Show code")
    line.click()
    expect(folded.locator(".cell-code")).to_be_visible()
    expect(folded.get_by_role("textbox")).to_be_visible()
    assert line.inner_text().startswith("Hide code")


def test_a_screen_reader_hears_what_the_line_does(warm: Page, folded: Locator) -> None:
    """Its name says which cell, its state whether the code is open; the editor comes with it."""
    number = folded.get_attribute("data-number")
    before = spoken(warm, folded)
    assert ("button", f"Run code cell {number}", None) in before
    assert [n[1:] for n in before if n[1].startswith("Show code")] == [
        (f"Show code of cell {number}", False)
    ]
    assert not [n for n in before if n[0] == "textbox"]
    folded.locator("summary").click()
    after = spoken(warm, folded)
    assert (f"Hide code of cell {number}", True) in [n[1:] for n in after]
    assert [n[1] for n in after if n[0] == "textbox"] == [f"Code of cell {number}"]


def test_it_opens_and_runs_by_the_keyboard(warm: Page, folded: Locator) -> None:
    """Tab goes from the buttons to the line, Enter opens it, Tab goes on into the code."""
    keys, number = warm.keyboard, folded.get_attribute("data-number")
    folded.get_by_role("button", name=f"Run code cell {number}", exact=True).focus()
    line = folded.locator("summary")
    tab_to(warm, line)
    keys.press("Enter")
    keys.press("Tab")
    expect(folded.get_by_role("textbox")).to_be_focused()
    keys.press("Control+A")
    keys.type("6 * 7")
    keys.press("Shift+Enter")
    expect(folded).to_have_attribute("data-state", "done")
    expect(folded.locator(".out-result")).to_have_text("42")
    keys.press("Escape")
    keys.press("Shift+Tab")
    expect(line).to_be_focused()
    keys.press("Space")
    expect(folded.locator(".cell-code")).not_to_be_visible()


def test_it_runs_while_folded_and_after_the_cells_above(warm: Page, folded: Locator) -> None:
    """Run to here runs it with all the cells above, folded or not; all folds stay as they were."""
    number = int(folded.get_attribute("data-number") or 0)
    for k in range(1, number):
        write(warm, f"seen_{k} = {k}", k)
    write(warm, f"print([seen_{number - 1}])" if number > 1 else "print([0])", number)
    folded.locator("summary").click()
    expect(folded.locator(".cell-code")).not_to_be_visible()
    folded.get_by_role("button", name="Run to here").click()
    expect(folded).to_have_attribute("data-state", "done")
    expect(folded.locator(".out-stdout")).to_have_text(f"[{number - 1}]\n")
    expect(folded.locator(".cell-code")).not_to_be_visible()
    for k in range(1, number):
        expect(cell(warm, k)).to_have_attribute("data-state", "done")
    folded.get_by_role("button", name=f"Run code cell {number}", exact=True).click()
    expect(folded).to_have_attribute("data-state", "done")
    expect(folded.locator(".cell-code")).not_to_be_visible()


def test_code_that_was_changed_or_failed_is_seen(warm: Page, folded: Locator) -> None:
    """After a reload a changed cell is open; a run that fails opens the code it speaks of."""
    number = int(folded.get_attribute("data-number") or 0)
    write(warm, "unknown_name", number)
    warm.reload()
    warm.wait_for_selector(READY, state="attached")
    expect(folded.get_by_role("textbox")).to_have_value("unknown_name")
    folded.locator("summary").click()
    expect(folded.locator(".cell-code")).not_to_be_visible()
    folded.get_by_role("button", name=f"Run code cell {number}", exact=True).click()
    expect(folded).to_have_attribute("data-state", "error")
    expect(folded.get_by_role("textbox")).to_be_visible()


def test_when_open_it_is_open_to_everyone(warm: Page, folded: Locator, axe: Path) -> None:
    """axe-core finds nothing, at either width; folded, test_built_pages looks at it."""
    bring(warm, axe)
    folded.locator("summary").click()
    for width in (1280, 360):
        warm.set_viewport_size({"width": width, "height": 740})
        assert violations(warm) == []
        assert warm.evaluate("document.documentElement.scrollWidth") <= width


def test_its_buttons_do_not_lie_on_each_other(warm: Page, folded: Locator) -> None:
    """At a phone's width, with Reset there, the line is right of the buttons."""
    warm.set_viewport_size({"width": 360, "height": 740})
    number = int(folded.get_attribute("data-number") or 0)
    run(warm, "1", number)
    reset = folded.get_by_role("button", name=f"Reset code cell {number}").bounding_box()
    line = folded.locator("summary").bounding_box()
    assert reset
    assert line
    assert reset["x"] + reset["width"] <= line["x"]


def test_without_scripts_the_code_opens_all_the_same(browser: Browser, address: str) -> None:
    """The browser does it; on paper the code is left out or printed, the line never is."""
    stem, number = _first()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}notebooks/{stem}/")
    target = cell(page, number)
    expect(target.locator(".cell-code")).not_to_be_visible()
    expect(target.locator(".cell-output")).to_be_visible()
    target.locator("summary").click()
    expect(target.locator(".cell-code")).to_be_visible()
    page.emulate_media(media="print")
    expect(target.locator("summary")).not_to_be_visible()
    expect(target.locator(".cell-output")).to_be_visible()
    context.close()


def test_the_download_is_folded_in_jupyterlab(site: Path) -> None:
    """The file that the page offers has JupyterLab's own mark at the cell."""
    stem, number = _first()
    there = nbformat.read(site / "notebooks" / stem / f"{stem}.ipynb", as_version=4)
    code = [c for c in there.cells if c.cell_type == "code" and c.source.strip()]
    own = [c for c in code if c.id != INSTALL]  # the download's first cell installs
    assert own[number - 1].metadata["jupyter"]["source_hidden"] is True
