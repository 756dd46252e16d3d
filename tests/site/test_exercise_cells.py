"""The exercises on the built site, in a real browser: untouched, solved, and with mistakes."""

import json
import re
from dataclasses import replace
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
from tests.site.reader import run


def numbers(path):
    """Return the number on the page of every exercise's cell."""
    code = [cell for cell in notebook(path).cells if cell.cell_type == "code"]
    return [k for k, cell in enumerate(code, start=1) if CALL.search(cell.source)]


def shown(text):
    """Return a line of feedback as a reader sees it: its indices raised, its code without marks."""
    return unescape(re.sub("<[^>]+>", "", markup(text)))


def test_every_solution_is_right_in_the_page(opened, address):
    """And a mistake has its name: of the first notebook's, those of all are judged elsewhere."""
    path = next(path for path in PATHS if path.stem == opened.stem)
    page = opened.page
    page.evaluate("localStorage.clear()")

    def answer(number, source):
        """Run a cell with this source; return what it says."""
        return (
            run(page, f"{ALWAYS}\n{source}", number)
            .locator(".stbp-feedback")
            .text_content()
        )

    for number, (exercise, name, source) in zip(
        numbers(path), exercise_cells(path), strict=True
    ):
        if path == PATHS[0]:
            assert "not attempted yet" in answer(number, source)
            for mistake in exercise.mistakes[:2]:
                wrong = replace(exercise, solution=mistake.body)
                text = answer(number, filled(source, name, wrong))
                assert "not right yet" in text
                assert shown(mistake.name) in text
        assert ": right" in answer(number, filled(source, name, exercise))
    kept = json.loads(page.evaluate("localStorage.getItem('stbp-edu-progress')"))
    assert kept == {exercise.id: "right" for exercise, _, _ in exercise_cells(path)}
    if path == PATHS[0]:
        progress = page.context.new_page()
        progress.goto(f"{address}start/")
        said = progress.locator("[data-progress] [role=status]")
        expect(said).to_contain_text(f"{len(kept)} of ")
        progress.close()


def test_a_formula_is_judged_without_waiting_for_sympy(warm):
    """A right one is confirmed in the page, and the megabytes of computer algebra stay away."""
    blank, name, source = next(
        found
        for path in PATHS
        for found in exercise_cells(path)
        if isinstance(found[0], FormulaBlank)
    )
    answered = f"{filled(source, name, blank)}.right, 'sympy' in sys.modules"
    output = run(warm, f"import sys\n{ALWAYS}\n{answered}")
    expect(output).to_contain_text("(True, False)")
