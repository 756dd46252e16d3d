"""Any device: a problem set opened in the browser, and what is saved of a page."""

import json

import nbformat
import pytest
from playwright.sync_api import expect

from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.marks import mark
from stbp_edu.teaching.notebooks import code, notebook
from stbp_edu.teaching.problem_set import ProblemSet
from tests.site.conftest import FIRST, READY
from tests.site.reader import bring, cell, ended, run, violations, write

PLAN = ProblemSet("week-3", "Week 3", ["gain", "h4-formula"])
GAIN = tasks()["gain"]
OPEN = "Open a problem set (.ipynb)"


@pytest.fixture
def page(context, address):
    """Open the page of the problem set in a fresh profile."""
    fresh = context.new_page()
    fresh.goto(f"{address}problem-set/")
    return fresh


@pytest.fixture
def handed_out(tmp_path):
    """Write the notebook that `assign` hands out."""
    path = tmp_path / "week-3.ipynb"
    path.write_text(notebook(PLAN), encoding="utf-8")
    return path


def number_of(page, id_):
    """Return the number of a cell by its id in the file."""
    return int(page.locator(f"[data-cell='{id_}']").get_attribute("data-number") or 0)


def opened(page, path):
    """Open a file as a problem set."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=OPEN).click()
    chooser.value.set_files(path)
    page.wait_for_selector(READY, state="attached")


def saved(page, button, folder):
    """Press a button that saves a file, and return the file."""
    folder.mkdir(exist_ok=True)
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target


def test_a_problem_set_is_opened_worked_on_checked_and_saved(
    page, handed_out, tmp_path, axe
):
    """What is typed is still there after a reload, and in the file, which opens as it is."""
    opened(page, handed_out)
    expect(
        page.get_by_role("heading", name="1. How much of a potential")
    ).to_be_visible()
    expect(page.locator(".set-cells mjx-container").first).to_be_visible()
    assert not page.get_by_role("button", name="Show a solution").count()
    bring(page, axe)
    assert not violations(page)
    run(page, code(GAIN), number_of(page, "gain-answer"))
    checked = cell(page, number_of(page, "gain-check"))
    checked.get_by_role("button", name="Run code cell").click()
    expect(ended(checked)).to_contain_text("gain: right")
    write(page, 'h4_formula = "1"', number_of(page, "h4_formula-answer"))
    page.reload()
    page.wait_for_selector(READY, state="attached")
    field = page.get_by_label("Name of the file")
    expect(field).to_have_value("week-3")
    field.fill("anna")
    target = saved(page, "Save as a file", tmp_path / "in")
    assert target.name == "anna.ipynb"
    nbformat.validate(nbformat.read(target, as_version=4))
    before = json.loads(handed_out.read_text(encoding="utf-8"))
    after = json.loads(target.read_text(encoding="utf-8"))
    assert after["metadata"] == before["metadata"]
    changed = {
        b["id"]
        for a, b in zip(before["cells"], after["cells"], strict=True)
        if a["source"] != b["source"]
    }
    assert changed == {"gain-answer", "h4_formula-answer"}
    answers = {cell["id"]: cell["source"] for cell in after["cells"]}
    names = {}
    exec(answers["gain-answer"] + "\n" + answers["h4_formula-answer"], names)
    assert mark(["gain"], names, points=8) == 8
    assert mark(["h4-formula"], names, points=4) == 0
    write(page, "second = 2", number_of(page, "gain-answer"))
    with page.expect_navigation():
        opened(page, target)
    editor = cell(page, number_of(page, "gain-answer")).locator("textarea")
    expect(editor).to_have_value(answers["gain-answer"])


def test_my_version_of_a_notebook_has_what_i_wrote(page, address, tmp_path):
    """Outputs of code that was changed are left out."""
    page.goto(f"{address}notebooks/{FIRST}/")
    page.wait_for_selector(READY, state="attached")
    target = cell(page)
    assert target.locator(".cell-output img, .cell-output svg").count()
    write(page, "mine = 1")
    page.locator(".live-menu > summary").click()
    mine = saved(page, "Download my version (.ipynb)", tmp_path / "in")
    assert mine.name == f"{FIRST}-mine.ipynb"
    book = nbformat.read(mine, as_version=4)
    nbformat.validate(book)
    changed = next(c for c in book.cells if c.id == target.get_attribute("data-cell"))
    assert (changed.source, changed.outputs) == ("mine = 1", [])
    assert any(c.outputs for c in book.cells if c.cell_type == "code")
