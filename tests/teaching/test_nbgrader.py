"""nbgrader's own programs on a class of nine: what they hand out, the marks, and the mistakes."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from stbp_edu.cli.main import main
from stbp_edu.teaching.notebooks import code, filled
from stbp_edu.teaching.problem_set import read_problem_set

pytest.importorskip("nbgrader", reason="its programs need the extra teach")

PLAN = """title = "Week 3"
tasks = ["gain", "c3-delta", "h4-formula", "my-neuron"]
tasks_from = "mine.toml"
points = { h4-formula = 5 }
variants = { count = 2 }
"""
GAIN = "def gain(U, O_gate, dO_gate, h):\n    {}"
DELTA = "def c3_delta(delta_last, err_next, U, df):\n    return {}"
OTHER_FORMS = {
    "gain": GAIN.format("print('so far'); return (dO_gate * h * U + O_gate).tolist()"),
    "c3_delta": "c3_delta = lambda last, err, *rest: np.add(last, np.prod(rest, 0) * err)",
    "h4_formula": 'h4_formula = "1 / (exp(v**2/(2*a)) * sqrt(2*a*pi))"',
}
ONE = {"c3_delta": DELTA.format("delta_last + err_next * df")}
TWO = {"gain": GAIN.format("return U * dO_gate * O_gate")}
ENDLESS = (
    "import time\n    while True: time.sleep(1)"  # nbgrader stops it after 30 seconds
)
CLASS = {  # by student, the answers that are not the solution's, and the points of 40
    "anna": ({}, 40),
    "bo": (OTHER_FORMS, 40),
    "dan": (ONE, 34),
    "eva": ({**ONE, "h4_formula": 'h4_formula = "exp(-v**2/(2*a))"'}, 31.5),
    "finn": ({**ONE, **TWO}, 28),
    "gil": (None, 0),
    "ivo": ({"gain": GAIN.format(ENDLESS)}, 32),
    "jo": ({}, 0),
    "kai": ({"neighbour": ""}, 25),
    "lu": ({}, 0),
}
"""gil hands in what was handed out, jo a damaged file, and kai the notebook of the neighbour.

bo has deleted a cell that gives points, and lu saved without the metadata of nbgrader.
"""


def nbgrader(course, *arguments, fails=False):
    """Run a command of nbgrader in its folder of a course, and return what it says."""
    bins = Path(sys.executable).parent
    path = f"{bins}{os.pathsep}{os.environ['PATH']}"  # it calls others by their names
    environment = {**os.environ, "PATH": path, "JUPYTER_PLATFORM_DIRS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) == fails, done.stderr
    return done.stderr


def answered(book, answers):
    """Return a notebook with these answers, by cell."""
    read = json.loads(book)
    cells = {cell["id"]: cell for cell in read["cells"]}
    for name, answer in answers.items():
        cells[f"{name}-answer"]["source"] = answer
    return json.dumps(read)


@pytest.fixture
def course(tmp_path):
    """Assign the problem set to the class."""
    (tmp_path / "mine.toml").write_text(filled("own_tasks.toml"))
    (tmp_path / "week3.toml").write_text(PLAN)
    (tmp_path / "class.csv").write_text("\n".join(["id", *CLASS]))
    plan, out = str(tmp_path / "week3.toml"), tmp_path / "course"
    assert main(["assign", plan, str(out), "--roster", f"{tmp_path}/class.csv"]) == 0
    return out


def handed_in(course):
    """Let the class answer, and put its files where nbgrader looks, some in an archive."""
    plan = read_problem_set(course.parent / "week3.toml")
    archive = course / "downloaded/week3/archive"
    archive.mkdir(parents=True)
    with ZipFile(archive / "from-moodle.zip", "w") as zipped:
        for k, (student, (changed, _)) in enumerate(CLASS.items()):
            variant = (k + (changed == {"neighbour": ""})) % 2 + 1
            text = (course / "handout/week3" / f"{student}.ipynb").read_text()
            right = {q.cell: code(q.task) for q in plan.questions(variant)}
            if changed is not None:
                own = {name: text for name, text in changed.items() if name in right}
                text = answered(text, right | own)
            text = text[:500] if student == "jo" else text
            read = json.loads(text) if student in ("bo", "lu") else {"cells": []}
            for cell in [*read["cells"]]:
                if student == "lu":
                    cell["metadata"] = {}
                elif cell["id"] == "gain-points":
                    read["cells"].remove(cell)
            text = json.dumps(read) if read["cells"] else text
            if k % 2:
                zipped.writestr(f"{student}_17_file_/{student} (1).ipynb", text)
            else:
                (archive / f"{student}.ipynb").write_text(text)
    return archive


def marks(course):
    """Return the points that nbgrader exports."""
    nbgrader(course, "export", "--to", "marks.csv")
    with (course / "marks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {float(row["max_score"]) for row in rows} == {40}
    return {row["student_id"]: float(row["score"]) for row in rows}


@pytest.mark.slow  # nbgrader starts a kernel for each student
def test_a_class_gets_its_marks_and_its_mistakes_are_named(course, capsys):
    nbgrader(course, "db", "student", "import", "../class.csv")
    nbgrader(course, "generate_assignment", "week3")
    released = json.loads((course / "release/week3/week3.ipynb").read_text())["cells"]
    handout = json.loads((course / "handout/week3/anna.ipynb").read_text())["cells"]
    for ours, theirs in zip(handout, released, strict=True):
        assert "".join(ours["source"]) == "".join(theirs["source"]).rstrip("\n")
    handed_in(course)
    nbgrader(course, "zip_collect", "week3")
    said = nbgrader(course, "autograde", "week3", fails=True)
    for failed in ("jo", "lu"):
        assert f"error processing assignment 'week3' for student '{failed}'" in said
    assert marks(course) == {student: points for student, (_, points) in CLASS.items()}
    nbgrader(course, "generate_feedback", "week3")
    feedback = (course / "feedback/dan/week3/week3.html").read_text()
    assert "34.0 / 40.0" in feedback  # the score
    assert "Found:" in feedback
    for hidden in ("own_tasks", "derived_backward", "finn"):
        assert hidden not in feedback
    capsys.readouterr()
    page = course / "mistakes.html"
    told = ["mistakes", str(course), "--assignment", "week3", "--page", str(page)]
    assert main(told) == 0
    said = capsys.readouterr().out
    assert said.startswith("8 notebooks\n")
    assert "c3-delta: Case 3" in said
    assert "  4 of 8 right, 3 wrong, 1 without an answer\n  3 (38%): " in said
    discussed = said.partition("To talk about:\n")[2].splitlines()
    topics = [line for line in discussed if line[0] != " "]
    assert topics[0] == "1. the factor u is missing: 3 (38%)"
    assert len(topics) == 3
    assert "did not end within the time" in said
    assert "dan, eva, finn" in page.read_text()


@pytest.mark.slow  # nbgrader starts twice
def test_a_file_that_is_not_clearly_of_one_student_is_named(course):
    archive = course / "downloaded/week3/archive"
    archive.mkdir(parents=True)
    wrong = ["anna (1).ipynb", "anna.ipynb", "week3.ipynb"]
    for name in [*wrong, "bo (2).ipynb"]:
        (archive / name).write_text("{}")
    said = nbgrader(course, "zip_collect", "week3", fails=True)
    listed = said.partition("Nothing is collected")[2]
    assert [name for name in wrong if f"{name}: " in listed] == wrong
    assert "bo (2)" not in listed
    assert not (course / "submitted").exists()
    (archive / "anna (1).ipynb").unlink()
    (archive / "week3.ipynb").rename(archive / "dan.ipynb")
    nbgrader(course, "zip_collect", "week3", "--force")
    collected = {path.name for path in (course / "submitted").iterdir()}
    assert collected == {"anna", "bo", "dan"}
