"""Exercises in a page, one of each kind: untouched, solved, and with mistakes."""

import json
import re
from dataclasses import replace
from html import unescape

from playwright.sync_api import expect

from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import FormulaBlank
from tests.practice.test_notebook_exercises import (
    ALWAYS,
    PATHS,
    exercise_cells,
    filled,
)
from tests.site.reader import run


def shown(text):
    """Return a line of feedback as a reader sees it: its indices raised, its code without marks."""
    return unescape(re.sub("<[^>]+>", "", markup(text)))


def test_each_kind_of_exercise_is_judged_in_the_page(warm, address):
    """Functions, a formula, for which no computer algebra is loaded, and a whole backward pass."""
    kinds = {}
    for path in PATHS:
        for exercise, name, source in exercise_cells(path):
            formula = isinstance(exercise, FormulaBlank)
            kind = "network" if "check_network" in source else formula
            kinds.setdefault(kind, (exercise, name, source))
    assert len(kinds) == 3

    def answer(source):
        """Run a cell with this source; return what it says."""
        output = run(warm, f"{ALWAYS}\n{source}")
        return output.locator(".stbp-feedback").text_content()

    for exercise, name, source in kinds.values():
        assert "not attempted yet" in answer(source)
        for mistake in exercise.mistakes[:2]:
            wrong = replace(exercise, solution=mistake.body)
            text = answer(filled(source, name, wrong))
            assert "not right yet" in text
            assert shown(mistake.name) in text
        assert ": right" in answer(filled(source, name, exercise))
    loaded = run(warm, "import sys\n'sympy' in sys.modules", 2)
    expect(loaded).to_contain_text("False")
    kept = json.loads(warm.evaluate("localStorage.getItem('stbp-edu-progress')"))
    assert kept == {exercise.id: "right" for exercise, _, _ in kinds.values()}
    progress = warm.context.new_page()
    progress.goto(f"{address}start/")
    said = progress.locator("[data-progress] [role=status]")
    expect(said).to_contain_text(f"{len(kept)} of ")
    progress.close()
