"""Code and answers that are folded: out of sight until the reader asks for them."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.site.conftest import NARROW, READY
from tests.site.reader import bring, cell, ended, spoken, violations, write
from tools.notebooks.execution import FOLDED
from tools.notebooks.numbering import files
from tools.site.downloads import INSTALL
from tools.site.render.notebook_page import folder, read_notebook

IMPORT = "from stbp_edu.practice import answer\n"
ANSWERS = ".cell-output .stbp-answer"
LINE, INSIDE = ":scope > .cell-fold > summary", ".cell-code"
together = pytest.mark.xdist_group("folds")


def place() -> tuple[str, int]:
    """Return notebook and number of the first cell with folded code that shows something."""
    for path in sorted(folder().glob("*.ipynb")):
        for number, one in enumerate(read_notebook(path).cells, start=1):
            if FOLDED in one.metadata.get("tags", []) and one.outputs:
                return path.stem, number
    pytest.fail("no notebook has such a cell")


@pytest.fixture
def number() -> int:
    """Return the number of the cell."""
    return place()[1]


@pytest.fixture
def warm(kept: Callable[[str], Page]) -> Page:
    """Return the page of the cell."""
    return kept(place()[0])


@pytest.fixture
def folded(warm: Page, number: int) -> Locator:
    """Return the cell, on its page, ready to run."""
    return cell(warm, number)


def reload(page: Page) -> None:
    """Load the page again, which keeps what was written."""
    page.reload()
    page.wait_for_selector(READY, state="attached")


@together
def test_its_line_says_what_it_opens_by_mouse_and_by_keys_for_everyone(
    warm: Page, folded: Locator, number: int, axe: Path
) -> None:
    """In sight and by its name it says what, of which cell, and whether it is open.

    Opened, axe-core finds nothing on a narrow, dark page; closed, test_built_pages looks.
    """
    line, inside = folded.locator(LINE), folded.locator(INSIDE).first

    def said(verb: str) -> set[bool | None]:
        """Return whether what the line opens is open, by the names that begin with a verb."""
        names = [node[1:] for node in spoken(warm, folded)]
        assert (f"Run code cell {number}", None) in names
        begin, end = f"{verb} code", f" of cell {number}"
        return {
            is_open
            for name, is_open in names
            if name.startswith(begin) and name.endswith(end)
        }

    expect(inside).not_to_be_visible()
    assert line.inner_text().startswith("Show code")
    assert said("Show") == {False}
    line.focus()
    warm.keyboard.press("Enter")
    expect(inside).to_be_visible()
    assert line.inner_text().startswith("Hide code")
    assert said("Hide") == {True}
    warm.keyboard.press("Space")
    expect(inside).not_to_be_visible()
    line.click()
    expect(inside).to_be_visible()
    bring(warm, axe)
    warm.locator("[data-theme-button]").click()
    warm.set_viewport_size(NARROW)
    assert violations(warm) == []
    assert warm.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_it_is_folded_without_scripts_on_paper_and_in_jupyterlab(
    browser: Browser, address: str, site: Path
) -> None:
    """The browser opens it; on paper its line never is; a download has JupyterLab's own mark."""
    stem, number = place()
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
def test_code_that_was_changed_or_failed_is_seen(
    warm: Page, folded: Locator, number: int
) -> None:
    """After a reload a changed cell is open; a run that fails opens the code it speaks of."""
    write(warm, "unknown_name", number)
    reload(warm)
    expect(folded.get_by_role("textbox")).to_have_value("unknown_name")
    folded.locator(LINE).click()
    expect(folded.locator(".cell-code")).not_to_be_visible()
    folded.get_by_role("button", name="Run code cell").click()
    ended(folded, "error")
    expect(folded.get_by_role("textbox")).to_be_visible()


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
    for shown in (lambda: wanted, lambda: "42", lambda: wanted):
        fold = target.locator(ANSWERS)
        if shown() == "42":
            target.get_by_role("button", name="Run code cell").click()
            ended(target)
        elif target.get_attribute("data-state"):
            target.get_by_role("button", name="Reset code cell").click()
        expect(fold.locator("pre")).not_to_be_visible()
        fold.locator("summary").click()
        expect(fold.locator("pre")).to_have_text(shown())
        expect(fold.locator("pre")).to_be_visible()
