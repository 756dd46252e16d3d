"""What the answers of a class say together: two tables, a page, and a text for each student.

The page "The mistakes of the class" ends with the three ideas to discuss. An idea is a
misconception, or a wrong answer without a name that several students gave.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.tasks import Task, course_table, misconceptions
from stbp_edu.teaching.notebooks import filled
from stbp_edu.teaching.problem_set import ProblemSet
from stbp_edu.teaching.submissions import Submission

DISCUSSED = 3
"""How many ideas the page ends with."""
SEVERAL = 2
"""How many students make an answer without a name an idea to discuss."""
STATES = {
    "right": "right",
    "slip": "right but for a slip",
    "wrong": "wrong",
    "todo": "not attempted",
    "stopped": "stopped at a limit",
}
Unnamed = tuple[str, str]
"""A wrong answer without a name: its task, and what is said of it."""


@dataclass(frozen=True)
class Topic:
    """An idea to discuss.

    Attributes:
        name: what is wrong, in words.
        students: how many of them show it.
        where: the tasks in which they do, each with the reason why it is wrong there.
    """

    name: str
    students: int
    where: Sequence[tuple[Task, str]]


def unnamed(verdict: Feedback) -> Unnamed:
    """Return a key for a wrong answer without a name: the same words for the same values."""
    return verdict.exercise, " ".join(verdict.message[:2])


def ideas_of(verdict: Feedback) -> list[tuple[str | Unnamed, ...]]:
    """Return the ideas that a wrong answer shows; of each, the names that it may have."""
    if verdict.state != "wrong":
        return []
    if not verdict.mistakes:
        return [(unnamed(verdict),)]
    if verdict.together:
        return [(mistake,) for mistake in verdict.mistakes]
    return [verdict.mistakes]


def topics(
    submissions: Iterable[Submission], library: Mapping[str, Task]
) -> list[Topic]:
    """Return the few ideas that explain most wrong answers, the most frequent first.

    Where an answer fits several mistakes, it counts for the most frequent one. Only graded answers
    count, not what students report themselves.
    """
    left = [
        (submission.author, verdict.exercise, names)
        for submission in submissions
        if not submission.reported
        for verdict in submission.verdicts
        for names in ideas_of(verdict)
    ]
    found: list[Topic] = []
    while left:
        students = Counter[str | Unnamed]()
        for name, _ in {(n, author) for author, _, names in left for n in names}:
            students[name] += 1
        best = max(students, key=lambda name: (students[name], str(name)))
        shown_in = {task for _, task, names in left if best in names}
        left = [row for row in left if best not in row[2]]
        tasks = [task for id_, task in library.items() if id_ in shown_in]
        if isinstance(best, str):
            where = [(task, task.why_wrong(best)) for task in tasks]
            name = misconceptions()[best]["name"]
            found.append(Topic(name, students[best], where))
        elif students[best] >= SEVERAL:
            where = [(task, best[1]) for task in tasks]
            found.append(Topic("an answer without a name", students[best], where))
    return sorted(found, key=lambda topic: -topic.students)[:DISCUSSED]


def answers_csv(submissions: Iterable[Submission]) -> str:
    """Return the verdict on each answer, a line each."""
    rows = [["author", "file", "task", "state", "mistakes", "by", "message"]]
    for s in submissions:
        by = "the student's own report" if s.reported else "stbp-edu grade"
        for v in s.verdicts:
            joint = " + " if v.together else " or "
            mistakes, message = joint.join(v.mistakes), " ".join(v.message)
            rows.append([s.author, s.file, v.exercise, v.state, mistakes, by, message])
    return as_csv(rows)


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV; a text that a spreadsheet would compute is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([f"'{c}" if c.startswith(COMPUTED) else c for c in row])
    return text.getvalue()


COMPUTED = tuple("=+-@\t\r")
"""The characters with which a spreadsheet's formula begins."""


def feedback(problem_set: ProblemSet, submission: Submission, site: str = "") -> str:
    """Return the feedback for the author of a graded notebook, as HTML; see :func:`page`."""
    verdicts = submission.verdicts
    total = sum(problem_set.earned(v) for v in verdicts)
    most = sum(problem_set.points_of(v.exercise) for v in verdicts)
    return filled(
        "feedback.html",
        plan=problem_set,
        author=submission.author,
        verdicts=verdicts,
        tasks=problem_set.library(submission.variant),
        states=STATES,
        total=total,
        most=most,
        site=site,
        slugs=list(course_table()),
    )


def page(
    problem_set: ProblemSet, submissions: Sequence[Submission], site: str = ""
) -> str:
    """Return the page as HTML: each task's mistakes, and what to discuss.

    Args:
        problem_set: what was asked.
        submissions: what came back.
        site: address of the course's site, for links to the lessons; "" names them only.
    """
    library = problem_set.library()
    asked = [library[id_] for id_ in problem_set.every_task()]
    return filled(
        "mistakes.html",
        plan=problem_set,
        submissions=submissions,
        site=site,
        states=STATES,
        asked=[_answers_to(task, submissions) for task in asked],
        topics=topics(submissions, library),
        library=misconceptions(),
        slugs=list(course_table()),
    )


def _answers_to(task: Task, submissions: Sequence[Submission]) -> dict[str, Any]:
    """Return the findings of one task: verdicts, who is wrong and why, and the report."""
    graded, reported = [], set()
    for s in submissions:
        for v in s.verdicts:
            if v.exercise != task.id:
                continue
            if s.reported:
                reported |= {(s.author, mistake) for mistake in v.mistakes}
            else:
                graded.append((s.author, v))
    right = {author for author, v in graded if v.state == "right"}
    wrong: dict[tuple[str, str], list[str]] = {}
    for author, v in graded:
        if v.state in ("wrong", "slip"):
            wrong.setdefault(_mistake_and_why(task, v), []).append(author)
    counts = Counter(mistake for author, mistake in reported if author not in right)
    return {
        "task": task,
        "verdicts": [v for _, v in graded],
        "wrong": sorted(wrong.items(), key=lambda row: -len(row[1])),
        "reported": counts.most_common(),
    }


def _mistake_and_why(task: Task, verdict: Feedback) -> tuple[str, str]:
    """Return the name of what is wrong with an answer, and the reason."""
    if verdict.mistakes:
        names = [misconceptions()[m]["name"] for m in verdict.mistakes]
        reasons = [task.why_wrong(m) for m in verdict.mistakes]
        if verdict.together:
            return ", and ".join(names), " ".join(reasons)
        return ", or ".join(names), reasons[0]
    if verdict.state == "slip":
        return "a slip", verdict.message[0][:200]
    for line in verdict.message:
        if "It raises" in line:
            return "without a name", line[line.index("It raises") :][:200]
    return "without a name", verdict.message[0][:200]
