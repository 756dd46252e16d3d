"""The points of a class: a table with a row for each student, and files for Moodle and Canvas.

A roster is a CSV file with a column ``author``, the name of a student's file or folder, and as
many as there are of ``name``, ``email``, ``id`` and ``section``, as the platform exports them.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stbp_edu.teaching.class_report import as_csv
from stbp_edu.teaching.problem_set import ProblemSet
from stbp_edu.teaching.submissions import Submission

Student = Mapping[str, str]
COLUMNS = ("author", "name", "email", "id", "section")
ABSENT = "handed nothing in"


def read_roster(path: Path) -> list[Student]:
    """Return the students of a roster, in its order.

    Raises:
        ValueError: if it has no column ``author``, or an author twice.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or "author" not in rows[0]:
        columns = ", ".join(rows[0]) if rows else "no row"
        raise ValueError(
            f"{path} must have a column author, got {columns}; it names each student's file"
        )
    students: list[Student] = [
        {n: (row.get(n) or "").strip() for n in COLUMNS} for row in rows
    ]
    authors = [student["author"] for student in students]
    for author in authors:
        if authors.count(author) > 1:
            raise ValueError(f"{path} must name each author once, got {author!r} twice")
    return students


def grades_csv(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    roster: Sequence[Student] = (),
) -> str:
    """Return the points: a line for each graded file, and for each student who is absent."""
    ids = problem_set.every_task()
    head = ["author", "name", "file", "variant"]
    rows = [[*head, *ids, "total", "of", "problem", "remark"]]
    names = {student["author"]: student["name"] for student in roster}
    present = set()
    for s in submissions:
        if s.reported:
            continue
        present.add(s.author)
        earned = {v.exercise: problem_set.earned(v) for v in s.verdicts}
        most = sum(problem_set.points_of(id_) for id_ in earned)
        cells = [f"{earned[id_]:g}" if id_ in earned else "" for id_ in ids]
        remark = s.remark
        if roster and s.author not in names:
            remark = "; ".join(filter(None, (remark, "not in the roster")))
        found = [s.author, names.get(s.author, ""), s.file, str(s.variant)]
        total = f"{sum(earned.values()):g}"
        rows.append([*found, *cells, total, f"{most:g}", s.problem, remark])
    for author, name in names.items():
        if author not in present:
            empty = [""] * len(ids)
            rows.append([author, name, "", "", *empty, "0", "", ABSENT, ""])
    return as_csv(rows)


def totals(
    problem_set: ProblemSet, submissions: Iterable[Submission]
) -> dict[str, float]:
    """Return the points of each author of a graded notebook."""
    found = {}
    for s in submissions:
        if s.verdicts and not s.reported:
            found[s.author] = sum(problem_set.earned(v) for v in s.verdicts)
    return found


def moodle_csv(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    roster: Sequence[Student],
) -> str:
    """Return the points as Moodle's grade import reads them; the absent have 0."""
    points = totals(problem_set, submissions)
    rows = [["Email address", "ID number", problem_set.title]]
    for student in roster:
        total = f"{points.get(student['author'], 0):g}"
        rows.append([student["email"], student["id"], total])
    return as_csv(rows)


def canvas_csv(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    roster: Sequence[Student],
) -> str:
    """Return the points as Canvas's gradebook imports them; the absent have 0."""
    points = totals(problem_set, submissions)
    most = max(
        sum(problem_set.points_of(id_) for id_ in problem_set.tasks_of(k + 1))
        for k in range(problem_set.count)
    )
    rows = [["Student", "ID", "SIS Login ID", "Section", problem_set.title]]
    rows.append(["    Points Possible", "", "", "", f"{most:g}"])
    for student in roster:
        total = f"{points.get(student['author'], 0):g}"
        rows.append(
            [
                student["name"],
                student["id"],
                student["email"],
                student["section"],
                total,
            ]
        )
    return as_csv(rows)
