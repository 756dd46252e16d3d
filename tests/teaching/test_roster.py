"""Rosters as teachers have them, and files as Moodle, Canvas and browsers name them."""

from pathlib import Path, PurePath

import pytest

from stbp_edu.cli.main import main
from stbp_edu.teaching.notebooks import notebook
from stbp_edu.teaching.problem_set import ProblemSet
from stbp_edu.teaching.roster import authors_of, read_roster
from tests.system_tools import needed

OWN = "author,name,email,id,section\nanna,Anna Xu,ax1@x,100,A\nzoe,Zoé Yi,zy2@x,101,A\n"
MOODLE = "First name,Last name,ID number,Email address\nAnna,Xu,100,ax1@x\nZoé,Yi,101,zy2@x\n"
CANVAS = (
    'Student,ID,SIS Login ID,Section,Old set\n"    Points Possible",,,,10\n'
    '"Xu, Anna",100,ax1@x,A,9\n"Yi, Zoé",101,zy2@x,A,8\n'
)
ROSTERS = {
    "own": OWN,
    "semicolons": "\ufeff" + OWN.replace(",", ";"),
    "capitals": OWN.replace("author,name", "Author,Name"),
    "Moodle": MOODLE,
    "Canvas": CANVAS,
}
FILES = [
    "Anna Xu_1001_assignsubmission_file_/week-3.ipynb",
    "zip/Anna Xu_1001_assignsubmission_file/week-3.ipynb",
    "Anna Xu_1001_assignsubmission_file_week-3.ipynb",
    "xuanna_1001_771001_week-3.ipynb",
    "xuanna_LATE_1001_771001_week-3-1.ipynb",
    "ax1.ipynb",
    "AX1 (1).ipynb",
    "Anna Xu/week-3.ipynb",
    "100.ipynb",
]


def roster(folder: Path, text: str) -> Path:
    path = folder / "class.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ROSTERS)
def test_each_name_of_a_file_is_matched_with_its_student(kind, tmp_path):
    students = read_roster(roster(tmp_path, ROSTERS[kind]))
    assert [student["email"] for student in students] == ["ax1@x", "zy2@x"]
    paths = [PurePath(name) for name in FILES]
    found = authors_of(paths, students)
    assert {found[path] for path in paths} == {students[0]["author"]}
    zoe = PurePath("Zoe\u0301 Yi_7_assignsubmission_file_/x.ipynb")
    other = PurePath("Bo_8_assignsubmission_file_/x.ipynb")
    found = authors_of([zoe, other], students)
    assert found == {zoe: students[1]["author"], other: "Bo"}


def test_a_roster_that_excel_wrote_in_the_letters_of_windows_is_read(tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes("author;name\nzoe;Zoé\n".encode("cp1252"))
    assert read_roster(path)[0]["name"] == "Zoé"


def test_two_students_of_one_name_are_not_taken_for_each_other(tmp_path):
    text = MOODLE.replace("Zoé,Yi", "Anna,Xu")
    students = read_roster(roster(tmp_path, text))
    assert [student["author"] for student in students] == ["ax1@x", "zy2@x"]
    paths = [PurePath(f"Anna Xu_{k}_assignsubmission_file_/x.ipynb") for k in (1, 2)]
    assert list(authors_of(paths, students).values()) == ["Anna Xu 1", "Anna Xu 2"]
    canvas = PurePath("xuanna_101_771_x.ipynb")
    assert authors_of([canvas], students)[canvas] == "zy2@x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "got the columns none"),
        ("points\n3\n", "got the columns points"),
        ("author\nanna\nanna\n", "each author once, got 'anna' twice"),
    ],
)
def test_a_roster_that_names_nobody_is_refused(text, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        read_roster(roster(tmp_path, text))


@pytest.mark.slow
def test_files_of_nobody_in_the_roster_end_loudly(tmp_path, capsys):
    needed("bwrap")
    plan, folder, out = tmp_path / "p.toml", tmp_path / "in", tmp_path / "out"
    plan.write_text("title = 'W'\ntasks = ['h4-formula']")
    book = notebook(ProblemSet("W", ["h4-formula"]), 1, "teacher")
    folder.mkdir()
    (folder / "x1.ipynb").write_text(book)
    asked = ["grade", str(folder), "--plan", str(plan), "--out", str(out)]
    asked += ["--roster", str(roster(tmp_path, OWN))]
    assert main(asked) == 2
    assert not out.exists()
    assert "no file in FOLDER is of a student" in capsys.readouterr().err
    (folder / "Anna.ipynb").write_text(book)
    assert main(asked) == 1
    assert "so in no file for the import: x1" in capsys.readouterr().err
    moodle = (out / "grades-moodle.csv").read_text()
    assert moodle == "Email address,ID number,W\nax1@x,100,4\nzy2@x,101,\n"
