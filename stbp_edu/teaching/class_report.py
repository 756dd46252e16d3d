"""What a class answered: two tables, and the page "The mistakes of the class"."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stbp_edu.practice.tasks import Task, course_table, tasks
from stbp_edu.practice.tasks.mistakes import misconceptions
from stbp_edu.teaching.marking import Submission
from stbp_edu.teaching.notebooks import filled
from stbp_edu.teaching.problem_set import ProblemSet

DISCUSSED = 3
"""How many misconceptions the page ends with."""
STATES = {
    "right": "right",
    "wrong": "wrong",
    "todo": "not attempted",
    "refused": "refused",
    "stopped": "stopped at a limit",
}


@dataclass(frozen=True)
class Topic:
    """A misconception to discuss: how many students have it, and in which tasks."""

    id: str
    students: int
    where: Sequence[Task]


def topics(submissions: Iterable[Submission]) -> list[Topic]:
    """Return the misconceptions that explain most wrong answers, the most frequent first.

    One that gives the same numbers as a more frequent one is not counted again. Judged answers
    alone are counted, not what students report themselves.
    """
    judged = (s for s in submissions if not s.reported)
    left = [(s.author, v) for s in judged for v in s.verdicts if v.state != "right" and v.mistakes]
    found = []
    while left:
        pairs = {(author, id_) for author, v in left for id_ in v.mistakes}
        counts = Counter(id_ for _, id_ in pairs)
        best = max(misconceptions(), key=counts.__getitem__)
        if not counts[best]:
            break
        asked = {v.exercise for _, v in left if best in v.mistakes}
        found.append(Topic(best, counts[best], [t for t in tasks().values() if t.id in asked]))
        left = [(author, v) for author, v in left if best not in v.mistakes]
    return sorted(found, key=lambda topic: -topic.students)


def grades_csv(problem_set: ProblemSet, submissions: Iterable[Submission]) -> str:
    """Return the points of each judged notebook, a line each."""
    ids = problem_set.every_task()
    rows = [["author", "file", "variant", *ids, "total", "of", "problem", "remark"]]
    for s in submissions:
        if not s.reported:
            earned = {v.exercise: problem_set.earned(v) for v in s.verdicts}
            cells = [f"{earned[id_]:g}" if id_ in earned else "" for id_ in ids]
            total, most = sum(earned.values()), sum(map(problem_set.points_of, earned))
            head = [s.author, s.file, str(s.variant)]
            rows.append([*head, *cells, f"{total:g}", f"{most:g}", s.problem, s.remark])
    return _csv(rows)


def answers_csv(submissions: Iterable[Submission]) -> str:
    """Return the verdict on each answer, a line each."""
    rows = [["author", "file", "task", "state", "mistakes", "by", "message"]]
    for s in submissions:
        by = "the student's own report" if s.reported else "the judge"
        rows += [
            [s.author, s.file, v.exercise, v.state, " ".join(v.mistakes), by, " ".join(v.message)]
            for v in s.verdicts
        ]
    return _csv(rows)


def _csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV; a text that a spreadsheet would compute is quoted."""
    text = io.StringIO()
    harmless = [[f"'{c}" if c[:1] in tuple("=+-@\t\r") else c for c in row] for row in rows]
    csv.writer(text, lineterminator="\n").writerows(harmless)
    return text.getvalue()


def feedback(problem_set: ProblemSet, submission: Submission) -> str:
    """Return what the author of a judged notebook is told, in Markdown."""
    verdicts = submission.verdicts
    return filled(
        "feedback.md", plan=problem_set, author=submission.author, verdicts=verdicts, tasks=tasks(),
        states=STATES, total=sum(map(problem_set.earned, verdicts)),
        most=sum(problem_set.points_of(v.exercise) for v in verdicts),
    )  # fmt: skip


def page(problem_set: ProblemSet, submissions: Sequence[Submission], site: str = "") -> str:
    """Return the page as HTML: each task's mistakes, and what to discuss.

    Args:
        problem_set: what was asked.
        submissions: what came back.
        site: address of the course's site, for links to the lessons; "" names them only.
    """
    return filled(
        "mistakes.html", plan=problem_set, submissions=submissions, site=site, states=STATES,
        judged=[s for s in submissions if not s.reported],
        reported=[s for s in submissions if s.reported],
        asked=[_found(tasks()[id_], submissions) for id_ in problem_set.every_task()],
        topics=topics(submissions)[:DISCUSSED], library=misconceptions(),
        slugs=list(course_table()),
    )  # fmt: skip


def _found(task: Task, submissions: Sequence[Submission]) -> dict[str, Any]:
    """Return what was found of one task: its verdicts, who is wrong and why, and what is told."""
    answers = [(s, v) for s in submissions for v in s.verdicts if v.exercise == task.id]
    judged = [(s.author, v) for s, v in answers if not s.reported]
    right = {author for author, v in judged if v.state == "right"}
    library, why = misconceptions(), {m.id: m.why for m in task.mistakes}
    wrong: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for author, v in judged:
        if v.state != "right" and v.mistakes:
            names = tuple(library[m]["name"] for m in v.mistakes)
            reason = why.get(v.mistakes[0], library[v.mistakes[0]]["why"])
            wrong.setdefault((names, reason), []).append(author)
        elif v.state in ("wrong", "refused"):
            said = next((m[m.find("It raises") :] for m in v.message if "It raises" in m), "")
            wrong.setdefault(((), (said or v.message[0])[:200]), []).append(author)
    told = {(s.author, m) for s, v in answers if s.reported for m in v.mistakes}
    return {
        "task": task,
        "verdicts": [v for _, v in judged],
        "wrong": sorted(wrong.items(), key=lambda row: -len(row[1])),
        "told": Counter(m for author, m in sorted(told) if author not in right).most_common(),
    }
