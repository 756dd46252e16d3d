"""The exercises on the built site, in a real browser: untouched, solved, and with each mistake."""

import json
import re
from html import unescape

import pytest

pytest.importorskip("mkdocs", reason="the site's tests need the extra [test]")
pytest.importorskip("playwright", reason="browser tests need the extra [test]")

from playwright.sync_api import expect

from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import FormulaBlank
from tests.practice.test_notebook_exercises import (
    ALWAYS,
    CALL,
    PATHS,
    exercise_cells,
    filled,
    notebook,
)

SECONDS = 1000


def numbers(path):
    """Return the number on the page of every exercise's cell."""
    code = [cell for cell in notebook(path).cells if cell.cell_type == "code"]
    return [k for k, cell in enumerate(code, start=1) if CALL.search(cell.source)]


def shown(text):
    """Return a line of feedback as a reader sees it: its indices raised, its code without marks."""
    return unescape(re.sub("<[^>]+>", "", markup(text)))


def test_stub_solution_and_every_misconception_on_the_page(opened, address):
    path = next(path for path in PATHS if path.stem == opened.stem)
    page = opened.page
    page.evaluate("localStorage.clear()")

    def answer(number, source):
        """Run a cell with this source; return what it says."""
        cell = page.locator(f"#cell-{number}")
        cell.get_by_role("textbox").fill(f"{ALWAYS}\n{source}")
        cell.get_by_role("button", name=f"Run code cell {number}", exact=True).click()
        expect(cell).to_have_attribute("data-state", "done")
        return cell.locator(".stbp-feedback").text_content()

    for number, (exercise, name, source) in zip(numbers(path), exercise_cells(path), strict=True):
        assert "not attempted yet" in answer(number, source)
        for mistake in exercise.mistakes:
            text = answer(number, filled(source, name, exercise, mistake.body))
            assert "not right yet" in text
            assert shown(mistake.name) in text
        assert ": right" in answer(number, filled(source, name, exercise))
    kept = json.loads(page.evaluate("localStorage.getItem('stbp-edu-progress')"))
    assert kept == {exercise.id: "right" for exercise, _, _ in exercise_cells(path)}
    progress = page.context.new_page()
    progress.goto(f"{address}progress/")
    said = progress.locator("[data-progress] [role=status]")
    expect(said).to_contain_text(f"{len(kept)} of ")
    progress.close()


def test_sympy_is_there_to_confirm_a_formula(address, context):
    """The page loads it for a blank, though no cell that the reader runs imports it."""
    path, number, blank = next(
        (path, k, found)
        for path in PATHS
        for k, found in zip(numbers(path), exercise_cells(path), strict=True)
        if isinstance(found[0], FormulaBlank)
    )
    page = context.new_page()
    page.goto(f"{address}notebooks/{path.stem}/")
    page.wait_for_selector("html[data-live=ready]", state="attached")
    cell = page.locator(f"#cell-{number}")
    exercise, name, source = blank
    answered = f"{filled(source, name, exercise)}.right, 'sympy' in sys.modules"
    cell.get_by_role("textbox").fill(f"import sys\n{ALWAYS}\n{answered}")
    cell.get_by_role("button", name=f"Run code cell {number}", exact=True).click()
    expect(cell).to_have_attribute("data-state", "done", timeout=60 * SECONDS)
    expect(cell.locator(".cell-output")).to_contain_text("(True, True)")
