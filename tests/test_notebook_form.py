"""Every notebook keeps the form of the course."""

import re
from functools import cache

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.notebook_rules import RULES, prose
from tools.notebooks.execution import NotebookError, execute
from tools.notebooks.numbering import files


@cache
def read(path):
    """Return a notebook of the course; no rule may change it."""
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("slug", files())
def test_notebook_keeps_the_form(slug):
    found = {rule: list(of(read(files()[slug]))) for rule, of in RULES.items()}
    assert not {rule: what for rule, what in found.items() if what}


def test_links_to_sections_have_the_form_of_jupyterlab():
    """The site makes its own anchors of them."""
    headings = {}
    for path in files().values():
        text = prose(read(path))
        found = re.findall(r"^#+ (.+?)\s*$", text, flags=re.M)
        headings[path.name] = {heading.replace(" ", "-") for heading in found}
    for path in files().values():
        links = re.findall(r"\]\((\d\d_\w+\.ipynb)?#([^)\s]+)\)", prose(read(path)))
        for name, anchor in links:
            assert anchor in headings[name or path.name], (path.name, anchor)


@pytest.mark.slow
def test_a_failure_or_a_warning_stops_the_build(tmp_path):
    for code, message in (
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings; warnings.warn('no')", "error stream"),
    ):
        with pytest.raises(NotebookError, match=message):
            execute(
                nbformat.v4.new_notebook(cells=[new_code_cell(code)]), "bad", tmp_path
            )
