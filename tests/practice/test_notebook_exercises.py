"""The notebooks' exercises in a real kernel: untouched, solved, and with two mistakes each."""

import ast
import re
from functools import cache
from pathlib import Path

import nbclient
import nbformat
import pytest

from stbp_edu.practice.tasks import FormulaBlank, blanks, course_table, tasks
from tests.notebook_rules import code_cells, prose

FOLDER = Path(__file__).parents[2] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
CALL = re.compile(
    r'^(?:check(?P<formula>_formula)?\("(?P<id>[\w-]+)", (?P<name>\w+)\)'
    r"|check_network\((?P<network>\w+)\))$",
    re.M,
)
ALWAYS = "import numpy as np\nfrom stbp_edu.practice import check, check_formula, check_network"
TRIED = 2  # mistakes of an exercise: each one is in test_catalogue.py and test_formula_check.py


@cache
def notebook(path):
    return nbformat.read(path, as_version=4)


def exercise_cells(path):
    """Return (exercise or blank, name of the reader's answer, source) for every such cell."""
    found = []
    for cell in code_cells(notebook(path)):
        if match := CALL.search(cell.source):
            id_ = (match["id"] or "backward") + ("-formula" if match["formula"] else "")
            found.append((tasks()[id_], match["name"] or match["network"], cell.source))
    return found


def filled(source, name, exercise, body=None):
    """Return the cell with the stub's definition, or the empty formula, replaced by an answer."""
    if isinstance(exercise, FormulaBlank):
        return source.replace(f'{name} = "..."', f"{name} = {body or exercise.solution!r}")
    (stub,) = (node for node in ast.parse(source).body if getattr(node, "name", "") == name)
    lines = source.splitlines()
    known = f"def {exercise.function().__name__}("
    answer = exercise.source(body).replace(known, f"def {name}(", 1)
    lines[stub.lineno - 1 : stub.end_lineno] = answer.splitlines()
    return "\n".join(lines)


def test_the_course_table_says_what_stands_in_the_notebooks():
    there = {p.stem[3:]: [e.id for e, _, _ in exercise_cells(p)] for p in PATHS}
    assert there == {slug: table["exercises"] for slug, table in course_table().items()}
    assert all(there.values())


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_what_the_answers_speak_of_is_imported(path):
    """A check says hint("...") helps: both can be called as they are written."""
    code = "\n".join(cell.source for cell in code_cells(notebook(path)))
    (names,) = re.findall(r"^from stbp_edu\.practice import (.+)$", code, re.M)
    used = {call.split("(")[0] for call in re.findall(r"^check\w*\(", code, re.M)}
    assert {*used, "hint", "solution"} <= set(names.split(", "))


def test_every_pointer_leads_to_a_heading():
    headings = [re.findall(r"^#+ (.*)$", prose(notebook(p)), re.M) for p in PATHS]
    for task in (*tasks().values(), *blanks().values()):
        assert task.section in headings[task.notebook], task.id


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_stub_solution_and_mistakes_in_jupyter(path, tmp_path, monkeypatch):
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(tmp_path / "progress.json"))
    cells, expected = [ALWAYS], [None]
    for exercise, name, source in exercise_cells(path):
        cells.append(source)
        expected.append(("not attempted yet", ""))
        cells.append(filled(source, name, exercise))
        expected.append((": right", ""))
        for mistake in exercise.mistakes[:TRIED]:
            cells.append(filled(source, name, exercise, mistake.body))
            expected.append(("not right yet", mistake.name))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = nbclient.NotebookClient(book, timeout=120, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    for cell, want in zip(book.cells, expected, strict=True):
        texts = [o.data["text/plain"] for o in cell.outputs if "data" in o]
        assert not [o for o in cell.outputs if o.output_type in ("error", "stream")], cell.source
        if want is not None:
            (text,) = texts
            assert want[0] in text, cell.source
            assert want[1] in text, cell.source
