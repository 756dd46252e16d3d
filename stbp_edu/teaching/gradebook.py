"""The points of a class: a table with a row for each student, and files for Moodle and Canvas."""

from collections.abc import Iterable, Sequence

from stbp_edu.teaching.class_report import as_csv
from stbp_edu.teaching.problem_set import ProblemSet
from stbp_edu.teaching.roster import Student
from stbp_edu.teaching.submissions import Submission

ABSENT = "handed nothing in"
STRANGER = "not in the roster"


def grades_csv(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    roster: Sequence[Student] = (),
) -> str:
    """Return the points: a line for each author, and for each student who is absent.

    Where several files are of one author, the line is that of the graded one, and its remark
    names the others.
    """
    ids = problem_set.every_task()
    head = ["author", "name", "file", "variant"]
    rows = [[*head, *ids, "total", "of", "problem", "remark"]]
    names = {student["author"]: student["name"] for student in roster}
    by_author: dict[str, list[Submission]] = {}
    for s in submissions:
        if not s.reported:
            by_author.setdefault(s.author, []).append(s)
    for author, files in by_author.items():
        counted = next((s for s in files if s.verdicts), files[0])
        remarks = []
        if counted.remark:
            remarks.append(counted.remark)
        if roster and author not in names:
            remarks.append(STRANGER)
        remarks += [f"{s.file}: {s.problem}" for s in files if s is not counted]
        found = [author, names.get(author, ""), counted.file, str(counted.variant)]
        points = _points(problem_set, counted, ids)
        rows.append([*found, *points, counted.problem, "; ".join(remarks)])
    for author, name in names.items():
        if author not in by_author:
            empty = [""] * len(ids)
            rows.append([author, name, "", "", *empty, "", "", ABSENT, ""])
    return as_csv(rows)


def _points(problem_set: ProblemSet, one: Submission, ids: Sequence[str]) -> list[str]:
    """Return the cells of one graded file: points for each task, their sum, and of how many."""
    if not one.verdicts:
        return [""] * (len(ids) + 2)
    earned = {v.exercise: problem_set.earned(v) for v in one.verdicts}
    total = sum(earned.values())
    most = sum(problem_set.points_of(id_) for id_ in earned)
    cells = [f"{earned[id_]:g}" if id_ in earned else "" for id_ in ids]
    return [*cells, f"{total:g}", f"{most:g}"]


def totals(
    problem_set: ProblemSet, submissions: Iterable[Submission]
) -> dict[str, str]:
    """Return the points of each author of a graded notebook, as text."""
    found = {}
    for s in submissions:
        if s.verdicts and not s.reported:
            total = sum(problem_set.earned(v) for v in s.verdicts)
            found[s.author] = f"{total:g}"
    return found


def moodle_csv(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    roster: Sequence[Student],
    absent: str = "",
) -> str:
    """Return the points as Moodle's grade import reads them; ``absent`` for who has none."""
    points = totals(problem_set, submissions)
    rows = [["Email address", "ID number", problem_set.title]]
    for student in roster:
        total = points.get(student["author"], absent)
        rows.append([student["email"], student["id"], total])
    return as_csv(rows)


def canvas_csv(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    roster: Sequence[Student],
    absent: str = "",
) -> str:
    """Return the points as Canvas's gradebook imports them; ``absent`` for who has none."""
    points = totals(problem_set, submissions)
    possible = []
    for variant in range(1, problem_set.count + 1):
        tasks = problem_set.tasks_of(variant)
        possible.append(sum(problem_set.points_of(id_) for id_ in tasks))
    rows = [["Student", "ID", "SIS Login ID", "Section", problem_set.title]]
    rows.append(["    Points Possible", "", "", "", f"{max(possible):g}"])
    for student in roster:
        total = points.get(student["author"], absent)
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
