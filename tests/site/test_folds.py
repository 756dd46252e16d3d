"""Code and answers that are folded: out of sight until the reader asks for them."""

import nbformat
from playwright.sync_api import expect

from tests.site.conftest import FIRST
from tests.site.reader import cell, ended, write
from tools.site.downloads import INSTALL

ANSWERS = ".cell-output .stbp-answer"
LINE, INSIDE = ":scope > .cell-fold > summary", ".cell-code"


def test_it_is_folded_without_scripts_on_paper_and_in_jupyterlab(
    browser, address, site
):
    """The browser opens it; on paper its line never is; a download has JupyterLab's own mark."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}notebooks/{FIRST}/")
    line, inside = cell(page).locator(LINE), cell(page).locator(INSIDE).first
    expect(inside).not_to_be_visible()
    line.click()
    expect(inside).to_be_visible()
    page.emulate_media(media="print")
    expect(line).not_to_be_visible()
    expect(inside).to_be_visible()
    context.close()
    there = nbformat.read(site / "notebooks" / FIRST / f"{FIRST}.ipynb", as_version=4)
    code = [c for c in there.cells if c.cell_type == "code" and c.id != INSTALL]
    assert code[0].metadata["jupyter"]["source_hidden"] is True


def test_an_answer_is_folded_before_a_run_after_it_and_after_a_reset(
    warm,
):
    """The line opens it each time, with what the cell printed inside."""
    target = warm.locator(".cell", has=warm.locator(f"{ANSWERS} pre")).first
    number = int(target.get_attribute("data-number") or 0)
    fold = cell(warm, number).locator(ANSWERS)
    committed = fold.locator("pre").text_content()
    code = "from stbp_edu.practice import answer\nwith answer():\n    print(6 * 7)"
    for shown, button in ((committed, ""), ("42", "Run"), (committed, "Reset")):
        if button == "Run":
            write(warm, code, number)
        if button:
            name = f"{button} code cell"
            cell(warm, number).get_by_role("button", name=name).click()
        if button == "Run":
            ended(cell(warm, number))
        expect(fold.locator("pre")).not_to_be_visible()
        fold.locator("summary").click()
        expect(fold.locator("pre")).to_have_text(shown or "")
        expect(fold.locator("pre")).to_be_visible()
