"""Code and answers that are folded: out of sight until the reader asks for them."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.site.conftest import NARROW
from tests.site.reader import bring, cell, ended, violations, write
from tools.notebooks.execution import FOLDED
from tools.notebooks.numbering import files
from tools.site.downloads import INSTALL
from tools.site.render.notebook_page import read_notebook

IMPORT = "from stbp_edu.practice import answer\n"
ANSWERS = ".cell-output .stbp-answer"
LINE, INSIDE = ":scope > .cell-fold > summary", ".cell-code"
together = pytest.mark.xdist_group("folds")


@pytest.fixture
def place() -> tuple[str, int]:
    """Return notebook and number of the first cell with folded code that shows something."""
    for path in files().values():
        for number, one in enumerate(read_notebook(path).cells, start=1):
            if FOLDED in one.metadata.get("tags", []) and one.outputs:
                return path.stem, number
    pytest.fail("no notebook has such a cell")


@pytest.fixture
def folded(place: tuple[str, int], kept: Callable[[str], Page]) -> Locator:
    """Return the cell, on its page, ready to run."""
    return cell(kept(place[0]), place[1])


@together
def test_its_line_opens_it_by_mouse_and_by_keys_for_everyone(
    folded: Locator, axe: Path
) -> None:
    """Opened, axe-core finds nothing on a narrow, dark page; closed, test_built_pages looks."""
    page, line, inside = folded.page, folded.locator(LINE), folded.locator(INSIDE).first
    expect(inside).not_to_be_visible()
    line.focus()
    page.keyboard.press("Enter")
    expect(inside).to_be_visible()
    page.keyboard.press("Space")
    expect(inside).not_to_be_visible()
    line.click()
    expect(inside).to_be_visible()
    bring(page, axe)
    page.locator("[data-theme-button]").click()
    page.set_viewport_size(NARROW)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_it_is_folded_without_scripts_on_paper_and_in_jupyterlab(
    place: tuple[str, int], browser: Browser, address: str, site: Path
) -> None:
    """The browser opens it; on paper its line never is; a download has JupyterLab's own mark."""
    stem, number = place
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}notebooks/{stem}/")
    target = cell(page, number)
    line, inside = target.locator(LINE), target.locator(INSIDE).first
    expect(inside).not_to_be_visible()
    line.click()
    expect(inside).to_be_visible()
    page.emulate_media(media="print")
    expect(line).not_to_be_visible()
    expect(inside).to_be_visible()
    context.close()
    there = nbformat.read(site / "notebooks" / stem / f"{stem}.ipynb", as_version=4)
    code = [c for c in there.cells if c.cell_type == "code" and c.source.strip()]
    own = [c for c in code if c.id != INSTALL]  # the download's first cell installs
    assert own[number - 1].metadata["jupyter"]["source_hidden"] is True


@together
def test_an_answer_is_folded_before_a_run_after_it_and_after_a_reset(
    kept: Callable[[str], Page],
) -> None:
    """The line opens it each time, with what the cell printed inside."""
    warm = kept(files()["neuron"].stem)
    committed = warm.locator(ANSWERS)
    assert committed.count() > 1
    number = int(
        warm.locator(".cell", has=committed).first.get_attribute("data-number") or 0
    )
    target = cell(warm, number)
    wanted = target.locator(ANSWERS).locator("pre").text_content()
    write(warm, f"{IMPORT}with answer():\n    print(6 * 7)", number)
    button = {"42": "Run", wanted: "Reset"}
    for shown in (wanted, "42", wanted):
        if shown == "42" or target.get_attribute("data-state"):
            target.get_by_role("button", name=f"{button[shown]} code cell").click()
        if shown == "42":
            ended(target)
        fold = target.locator(ANSWERS)
        expect(fold.locator("pre")).not_to_be_visible()
        fold.locator("summary").click()
        expect(fold.locator("pre")).to_have_text(shown or "")
        expect(fold.locator("pre")).to_be_visible()
