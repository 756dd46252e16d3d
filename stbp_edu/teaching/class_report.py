"""What a class answered: two tables, and the page "The mistakes of the class"."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import Task, course_table, tasks
from stbp_edu.practice.tasks.mistakes import misconceptions
from stbp_edu.teaching.judge import Verdict
from stbp_edu.teaching.marking import Submission
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
PAGE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True)
class Topic:
    """A misconception to discuss: how many students have it, and in which tasks."""

    id: str
    students: int
    tasks: Sequence[str]


def topics(submissions: Iterable[Submission]) -> list[Topic]:
    """Return the misconceptions that explain most wrong answers, the most frequent first.

    One that gives the same numbers as a more frequent one is not counted again. Judged answers
    alone are counted, not what students report themselves.
    """
    left = {
        (s.file, s.author, v.task): v.mistakes
        for s in submissions
        for v in s.verdicts
        if not s.reported and v.state != "right" and v.mistakes
    }
    found = []
    while left:
        students: dict[str, set[str]] = {}
        for (_, author, _), ids in left.items():
            for id_ in ids:
                students.setdefault(id_, set()).add(author)
        best = max(misconceptions(), key=lambda id_: len(students.get(id_, ())))
        if best not in students:
            break
        asked = {task for (_, _, task), ids in left.items() if best in ids}
        found.append(Topic(best, len(students[best]), [id_ for id_ in tasks() if id_ in asked]))
        left = {key: ids for key, ids in left.items() if best not in ids}
    return sorted(found, key=lambda topic: -topic.students)


def grades_csv(problem_set: ProblemSet, submissions: Iterable[Submission]) -> str:
    """Return the points of each judged notebook, a line each."""
    ids = problem_set.every_task()
    rows: list[list[object]] = [
        ["author", "file", "variant", *ids, "total", "of", "problem", "remark"]
    ]
    for s in submissions:
        if not s.reported:
            most = {v.task: problem_set.points_of(v.task) for v in s.verdicts}
            points = {v.task: problem_set.earned(v.task, v.state, v.mistakes) for v in s.verdicts}
            cells = [f"{points[id_]:g}" if id_ in points else "" for id_ in ids]
            total = [f"{sum(points.values()):g}", f"{sum(most.values()):g}", s.problem, s.remark]
            rows.append([s.author, s.file, s.variant, *cells, *total])
    return _csv(rows)


def answers_csv(submissions: Iterable[Submission]) -> str:
    """Return the verdict on each answer, a line each."""
    rows = [["author", "file", "task", "state", "mistakes", "by", "message"]]
    for s in submissions:
        by = "the student's own report" if s.reported else "the judge"
        rows += [
            [s.author, s.file, v.task, v.state, " ".join(v.mistakes), by, " ".join(v.message)]
            for v in s.verdicts
        ]
    return _csv(rows)


def feedback(problem_set: ProblemSet, submission: Submission) -> str:
    """Return what the author of a judged notebook is told, in Markdown."""
    lines = [f"# {problem_set.title}: {submission.author}", ""]
    total = most = 0.0
    for v in submission.verdicts:
        points, of = problem_set.earned(v.task, v.state, v.mistakes), problem_set.points_of(v.task)
        total, most = total + points, most + of
        lines += [f"## {tasks()[v.task].title}", ""]
        lines += [f"`{v.task}`: {STATES[v.state]}, {points:g} of {of:g} points.", ""]
        lines += [f"- {' '.join(text.split())}" for text in v.message] + [""]
    return "\n".join([*lines, f"{total:g} of {most:g} points in all.", ""])


def _csv(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV; a text that a spreadsheet would compute is quoted."""
    text = io.StringIO()
    harmless = [[f"'{c}" if str(c)[:1] in "=+-@\t\r" and c else c for c in row] for row in rows]
    csv.writer(text, lineterminator="\n").writerows(harmless)
    return text.getvalue()


def page(problem_set: ProblemSet, submissions: Sequence[Submission], site: str = "") -> str:
    """Return the page as HTML: each task's mistakes, and what to discuss.

    Args:
        problem_set: what was asked.
        submissions: what came back.
        site: address of the course's site, for links to the lessons; "" names them only.
    """
    judged = [s for s in submissions if not s.reported]
    reported = [s for s in submissions if s.reported]
    said = f"{many(sum(not s.problem for s in judged), 'notebook')} judged"
    if reported:
        said += f", {many(len(reported), 'file')} of progress, which say what students reported"
    body = [f"<p>{escape(problem_set.title)}: {said}.</p>", *_problems(submissions)]
    body += _overview(problem_set, judged)
    for id_ in problem_set.every_task():
        body += _task(tasks()[id_], judged, reported, site)
    body += _discuss(topics(submissions), site)
    template = Template(PAGE.read_text(encoding="utf-8"))
    return template.substitute(title=escape(problem_set.title), body="\n".join(body))


def _problems(submissions: Iterable[Submission]) -> list[str]:
    """Return what could not be judged, and what the teacher should look at."""
    lines = []
    for head, part in (("Not judged", "problem"), ("Look at", "remark")):
        told = [(s.file, getattr(s, part)) for s in submissions if getattr(s, part)]
        items = [f"<li>{escape(file)}: {escape(text)}</li>" for file, text in told]
        lines += [f"<p>{head}:</p><ul>", *items, "</ul>"] if items else []
    return lines


def _overview(problem_set: ProblemSet, judged: Sequence[Submission]) -> list[str]:
    """Return the table of all tasks."""
    counted = {id_: Counter(v.state for v in _of(id_, judged)) for id_ in problem_set.every_task()}
    rows = [
        [f"<code>{id_}</code>", *(str(counts[state]) for state in STATES)]
        for id_, counts in counted.items()
        if counts
    ]
    return _table(["Task", *STATES.values()], rows)


def _task(
    task: Task, judged: Sequence[Submission], reported: Sequence[Submission], site: str
) -> Iterator[str]:
    """Yield what was found of one task, where it was asked."""
    answers = [(s.author, v) for s in judged for v in s.verdicts if v.task == task.id]
    right = {author for author, v in answers if v.state == "right"}
    library, why = misconceptions(), {m.id: m.why for m in task.mistakes}
    by_reason: dict[tuple[str, str], list[str]] = {}
    for author, v in answers:
        if v.state != "right" and v.mistakes:
            names = " <em>or</em> ".join(markup(library[m]["name"]) for m in v.mistakes)
            reason = why.get(v.mistakes[0], library[v.mistakes[0]]["why"])
            by_reason.setdefault((names, markup(reason)), []).append(author)
        elif v.state in ("wrong", "refused"):
            told = next((m for m in v.message if "It raises" in m), v.message[0])
            told = told[max(told.find("It raises"), 0) :][:200]
            by_reason.setdefault(("without a name", markup(told)), []).append(author)
    found = sorted(by_reason.items(), key=lambda row: -len(row[1]))
    told_by = {(s.author, m) for s in reported for v in _of(task.id, [s]) for m in v.mistakes}
    counts = Counter(m for author, m in sorted(told_by) if author not in right)
    if answers:
        solved = sum(v.state == "right" for _, v in answers)
        yield f"<h2>{markup(task.title)}</h2>"
        yield f"<p>{solved} of {len(answers)} right. {_lesson(task, site)}</p>"
    rows = []
    for (name, reason), authors in found:
        who = escape(", ".join(sorted(authors)))
        cell = f"<details><summary>{len(authors)}</summary>{who}</details>"
        rows.append([cell, name, reason])
    for m, count in counts.most_common():
        name = f"{markup(library[m]['name'])} (self-reported)"
        rows.append([str(count), name, markup(library[m]["why"])])
    yield from _table(["Students", "Mistake", "Why it is one"], rows)


def _discuss(found: Sequence[Topic], site: str) -> Iterator[str]:
    """Yield the misconceptions to discuss."""
    yield f"<h2>{many(len(found[:DISCUSSED]), 'misconception')} to discuss</h2><ol>"
    for topic in found[:DISCUSSED]:
        what, where = misconceptions()[topic.id], [tasks()[id_] for id_ in topic.tasks]
        asked = ", ".join(f"<code>{task.id}</code>" for task in where)
        lessons = dict.fromkeys(_lesson(task, site) for task in where)
        yield (
            f"<li><strong>{markup(what['name'])}</strong>: {many(topic.students, 'student')}, "
            f"in {asked}. {markup(what['why'])} {' '.join(lessons)}</li>"
        )
    yield "</ol>" if found else "<li>No wrong answer has a name.</li></ol>"


def _lesson(task: Task, site: str) -> str:
    """Return where the course derives a task, as a link where the site is known."""
    slug = list(course_table())[task.notebook]
    text = f"Notebook {task.notebook}, “{escape(task.section)}”"
    if not site:
        return f"{text}."
    address = f"{site.rstrip('/')}/notebooks/{task.notebook:02}_{slug}/"
    return f'<a href="{escape(address)}">{text}</a>.'


def _of(task: str, submissions: Iterable[Submission]) -> list[Verdict]:
    return [v for s in submissions for v in s.verdicts if v.task == task]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as HTML, and nothing where it has no rows."""
    kinds = ["th", *["td"] * len(rows)]
    lines = [
        f"<tr>{''.join(f'<{kind}>{cell}</{kind}>' for cell in row)}</tr>"
        for kind, row in zip(kinds, [heads, *rows], strict=True)
    ]
    return ["<table>", *lines, "</table>"] if rows else []


def many(count: int, what: str) -> str:
    """Return a number of things.

    >>> many(1, "file"), many(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {what}{'s' * (count != 1)}"
