"""The notebooks' exercises as their cells run: untouched, and solved."""

import ast
import re
from functools import cache

import nbformat
import pytest

from stbp_edu.practice.tasks import FormulaBlank, course_table, tasks
from stbp_edu.practice.tasks.catalogue import derived_in
from tests.notebook_rules import code_cells, prose
from tools.notebooks.numbering import files

PATHS = [*files().values()]
CALL = re.compile(
    r'^(?:check(?P<formula>_formula)?\("(?P<id>[\w-]+)", (?P<name>\w+)\)'
    r"|check_network\((?P<network>\w+)\))$",
    re.M,
)
ALWAYS = "import numpy as np\nfrom stbp_edu.practice import check, check_formula, check_network"


@cache
def notebook(path):
    return nbformat.read(path, as_version=4)


def asked(source):
    """Return the exercise or blank that a cell asks for, and the name of the reader's answer."""
    match = CALL.search(source)
    if not match:
        return None
    id_ = (match["id"] or "backward") + "-formula" * bool(match["formula"])
    return tasks()[id_], match["name"] or match["network"]


def exercise_cells(path):
    """Return (exercise or blank, name of the reader's answer, source) for every such cell."""
    sources = [cell.source for cell in code_cells(notebook(path))]
    return [(*asked(source), source) for source in sources if asked(source)]


def filled(source, name, exercise):
    """Return the cell with the stub's definition, or the empty formula, replaced by the answer."""
    if isinstance(exercise, FormulaBlank):
        return source.replace(f'{name} = "..."', f"{name} = {exercise.solution!r}")
    (stub,) = (
        node for node in ast.parse(source).body if getattr(node, "name", "") == name
    )
    lines = source.splitlines()
    known = f"def {exercise.function().__name__}("
    answer = exercise.source().replace(known, f"def {name}(", 1)
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
    lines = re.findall(r"^from stbp_edu\.practice import (.+)$", code, re.M)
    names = ", ".join(lines)
    used = {call.split("(")[0] for call in re.findall(r"^check\w*\(", code, re.M)}
    assert {*used, "hint", "solution"} <= set(names.split(", "))


def test_every_pointer_leads_to_a_heading():
    headings = [re.findall(r"^#+ (.*)$", prose(notebook(p)), re.M) for p in PATHS]
    for id_, (number, section) in derived_in().items():
        assert section in headings[number], id_


def shown(source):
    """Return what a cell shows, where nothing but the names of ``ALWAYS`` is there."""
    names = {}
    exec(ALWAYS, names)
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, "<cell>", "exec"), names)
    return repr(eval(compile(last, "<cell>", "eval"), names))


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_stub_and_solution(path, capsys):
    for exercise, name, source in exercise_cells(path):
        assert "not attempted yet" in shown(source), source
        assert ": right" in shown(filled(source, name, exercise)), source
    assert capsys.readouterr() == ("", "")


def packed(text):
    """Return a text without spaces and ``return``, as it is compared with an answer."""
    return re.sub(r"\s|\breturn\b", "", text)


def told_above(cells):
    """Yield each task whose solution stands word for word in a cell above its own."""
    above = ""
    for cell in cells:
        if asked(cell.source):
            task, _ = asked(cell.source)
            if packed(task.solution) in above:
                yield task.id
        above += packed(cell.source)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_no_cell_above_an_exercise_has_its_solution(path):
    assert list(told_above(notebook(path).cells)) == []
