"""Every notebook keeps the form of the course, and every rule of the form can fail."""

import copy
import re
from functools import cache

import nbformat
import pytest

from tests.notebook_rules import RULES, prose
from tools.notebooks.execution import NotebookError, execute
from tools.notebooks.numbering import files


def from_percent(text):
    """Return the notebook that a script describes: ``# %%`` starts code, ``[markdown]`` text.

    Another word behind ``# %%`` is a tag.
    """
    cells = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        body = body.strip("\n")
        if "[markdown]" in head:
            cells.append(
                nbformat.v4.new_markdown_cell(re.sub(r"^# ?", "", body, flags=re.M))
            )
        else:
            cells.append(
                nbformat.v4.new_code_cell(body, metadata={"tags": head.split()})
            )
    return nbformat.v4.new_notebook(cells=cells)


def findings(notebook, rule):
    return list(RULES[rule](notebook))


@cache
def read(path):
    """Return a notebook of the course; no rule may change it."""
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("slug", files())
def test_notebook_keeps_the_form(slug):
    found = {rule: findings(read(files()[slug]), rule) for rule in RULES}
    assert not {rule: what for rule, what in found.items() if what}


def html(text, kind="text/html"):
    return nbformat.v4.new_output("display_data", data={kind: text})


def stream(text):
    return nbformat.v4.new_output("stream", text=text)


CLOSED = html('<details class="stbp-answer"><summary>Show the answer</summary>')

BREAKS = {
    "executed_in_order": lambda nb: nb.cells[-2].update(execution_count=9),
    "opening": lambda nb: edit(nb, "every factor named.", "factors. All of them."),
    "asked_first": lambda nb: nb.cells[16].update(outputs=[CLOSED]),
    "outputs": lambda nb: nb.cells[10].outputs.append(html("<img alt='Short.'>")),
    "code_form": lambda nb: edit(nb, "import numpy as np", "%pip install numpy"),
    "equations": lambda nb: edit(nb, "`loss`: $L =", "`loss`: $2 L ="),
    "closing": lambda nb: edit(
        nb, "## Recap", "## Recap\n\n| `c1-d` | `stbp_edu.c1` |"
    ),
    "blocks": lambda nb: edit(nb, "## Recap", "## Recap\n\na\n- b"),
}


def edit(notebook, old, new):
    assert any(old in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)


@pytest.mark.parametrize(("rule", "mend"), BREAKS.items())
def test_rule_can_fail(rule, mend):
    notebook = copy.deepcopy(read(files()["case1"]))
    mend(notebook)
    assert findings(notebook, rule)


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
            execute(from_percent(f"# %%\n{code}"), "bad", tmp_path)
