"""nbgrader's own programs on what `assign` writes; Otter's source; and who gives the points."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.notebooks import code
from tests.system_tools import needed

pytestmark = pytest.mark.slow  # nbgrader starts kernels
pytest.importorskip("nbgrader", reason="its programs need the group test")
IDS = ["gain", "h4-formula"]
PATCH = 'check = lambda *a, **k: type("R", (), {"right": True})()'
WRONG = ["gain = lambda *a: 0", 'h4_formula = "0"']


def command(folder: Path, *arguments: str) -> None:
    """Run a command of nbgrader in its course's folder."""
    bins = Path(sys.executable).parent
    path = f"{bins}{os.pathsep}{os.environ['PATH']}"  # it calls others by their names
    environment = {**os.environ, "PATH": path, "JUPYTER_PLATFORM_DIRS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def assigned(folder: Path, flavour: str) -> Path:
    """Write a problem set of a flavour, and return its folder."""
    plan = folder / "plan.toml"
    plan.write_text(f"title = 'Week 3'\ntasks = {IDS}")
    course = folder / "course"
    assert main(["assign", str(plan), str(course), "--flavour", flavour]) == 0
    return course


def answered(book: str, answers: list[str]) -> str:
    """Return a notebook with these answers."""
    read = json.loads(book)
    cells = {cell["id"]: cell for cell in read["cells"]}
    for id_, answer in zip(IDS, answers, strict=True):
        cells[f"{id_.replace('-', '_')}-answer"]["source"] = answer
    return json.dumps(read)


def points(folder: Path, submitted: Path) -> dict[str, str]:
    """Return the points that `stbp-edu grade` gives, by author."""
    needed("bwrap")
    options = ["--plan", str(folder / "plan.toml"), "--out", str(folder / "out")]
    assert main(["grade", str(submitted), *options]) == 0
    with (folder / "out/grades.csv").open() as file:
        return {row["author"]: row["total"] for row in csv.DictReader(file)}


def test_nbgrader_hands_out_collects_and_autogrades_and_grade_gives_the_points(
    tmp_path: Path,
) -> None:
    """nbgrader leaves the points open, whatever a student's kernel believes."""
    course = assigned(tmp_path, "nbgrader")
    command(course, "generate_assignment", "week-3")
    released = (course / "release/week-3/week-3.ipynb").read_text()
    for id_ in IDS:
        assert id_.replace("-", "_") in released  # the name that an answer must have
        assert json.dumps(code(tasks()[id_]))[1:-1] not in released
    right = [code(tasks()[id_]) for id_ in IDS]
    handed = {"anna": right, "bo": [f"{PATCH}\n{text}" for text in WRONG]}
    for author, answers in handed.items():
        target = course / "submitted" / author / "week-3/week-3.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(answered(released, answers))
        other = course / "submitted" / author / "week-2/week-2.ipynb"
        other.parent.mkdir()
        other.write_text(released.replace("Week 3", "Week 2"))  # changed later
    command(course, "autograde", "week-3")
    command(course, "export", "--to", "nbgrader.csv")
    with (course / "nbgrader.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["assignment"] == "week-3"]
    assert {row["student_id"]: float(row["score"]) for row in rows} == {
        "anna": 0,
        "bo": 0,
    }
    assert {float(row["max_score"]) for row in rows} == {12}
    assert points(tmp_path, course / "submitted") == {"anna": "12", "bo": "0"}


def test_a_patched_check_gives_nothing_in_otters_flavour(tmp_path: Path) -> None:
    """The answers as `otter assign` leaves them to students, in a notebook of its flavour."""
    course = assigned(tmp_path, "otter")
    source = next((course / "source").rglob("*.ipynb")).read_text()
    submitted = tmp_path / "in"
    submitted.mkdir()
    right = [code(tasks()[id_]) for id_ in IDS]
    patched = [f"{PATCH}\n{text}" for text in WRONG]
    (submitted / "anna.ipynb").write_text(answered(source, right))
    (submitted / "bo.ipynb").write_text(answered(source, patched))
    assert points(tmp_path, submitted) == {"anna": "12", "bo": "0"}
