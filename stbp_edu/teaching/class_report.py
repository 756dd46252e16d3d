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

    One that gives the same numbers as a more frequent one is not counted again. What students
    report themselves counts as well.
    """
    left = {
        (s.file, s.author, v.task): v.mistakes
        for s in submissions
        for v in s.verdicts
        if v.state != "right" and v.mistakes
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
    rows: list[list[object]] = [["author", "file", "variant", *ids, "total", "of", "problem"]]
    for s in submissions:
        if not s.reported:
            most = {v.task: problem_set.points_of(v.task) for v in s.verdicts}
            points = {v.task: most[v.task] * (v.state == "right") for v in s.verdicts}
            cells = [f"{points[id_]:g}" if id_ in points else "" for id_ in ids]
            total = [f"{sum(points.values()):g}", f"{sum(most.values()):g}", s.problem]
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
    said = f"{_many(sum(not s.problem for s in judged), 'notebook')} judged"
    if reported:
        said += f", {_many(len(reported), 'file')} of progress, which say what students reported"
    body = [f"<p>{escape(problem_set.title)}: {said}.</p>", *_problems(submissions)]
    body += _overview(problem_set, judged)
    for id_ in problem_set.every_task():
        body += _task(tasks()[id_], judged, reported, site)
    body += _discuss(topics(submissions), site)
    template = Template(PAGE.read_text(encoding="utf-8"))
    return template.substitute(title=escape(problem_set.title), body="\n".join(body))


def _problems(submissions: Iterable[Submission]) -> list[str]:
    """Return what could not be judged."""
    items = [f"<li>{escape(s.file)}: {escape(s.problem)}</li>" for s in submissions if s.problem]
    return ["<p>Not judged:</p><ul>", *items, "</ul>"] if items else []


def _overview(problem_set: ProblemSet, judged: Sequence[Submission]) -> list[str]:
    """Return the table of all tasks."""
    rows = []
    for id_ in problem_set.every_task():
        counts = Counter(v.state for v in _of(id_, judged))
        rows.append([f"<code>{id_}</code>", *(str(counts[state]) for state in STATES)])
    return _table(["Task", *STATES.values()], rows)


def _task(
    task: Task, judged: Sequence[Submission], reported: Sequence[Submission], site: str
) -> Iterator[str]:
    """Yield what was found of one task."""
    verdicts = _of(task.id, judged)
    right = sum(v.state == "right" for v in verdicts)
    yield f"<h2>{markup(task.title)}</h2><p>{right} of {len(verdicts)} right. {_lesson(task, site)}"
    yield "</p>"
    library = misconceptions()
    named = Counter(v.mistakes for v in verdicts if v.mistakes)
    others = Counter(v.message[0][:200] for v in verdicts if v.state == "wrong" and not v.mistakes)
    told = Counter(m for v in _of(task.id, reported) for m in v.mistakes)
    rows = []
    for ids, many in named.most_common():
        names = " <em>or</em> ".join(markup(library[m]["name"]) for m in ids)
        why = {m.id: m.why for m in task.mistakes}.get(ids[0], library[ids[0]]["why"])
        rows.append([str(many), names, markup(why)])
    for text, many in others.most_common():
        rows.append([str(many), "without a name", markup(text)])
    for id_, many in told.most_common():
        name = f"{markup(library[id_]['name'])} (self-reported)"
        rows.append([str(many), name, markup(library[id_]["why"])])
    yield from _table(["Students", "Mistake", "Why it is one"], rows)


def _discuss(found: Sequence[Topic], site: str) -> Iterator[str]:
    """Yield the misconceptions to discuss."""
    yield f"<h2>{DISCUSSED} misconceptions to discuss</h2><ol>"
    for topic in found[:DISCUSSED]:
        what, where = misconceptions()[topic.id], [tasks()[id_] for id_ in topic.tasks]
        asked = ", ".join(f"<code>{task.id}</code>" for task in where)
        lessons = dict.fromkeys(_lesson(task, site) for task in where)
        yield (
            f"<li><strong>{markup(what['name'])}</strong>: {_many(topic.students, 'student')}, "
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


def _many(count: int, what: str) -> str:
    """Return a number of things.

    >>> _many(1, "file"), _many(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {what}{'s' * (count != 1)}"
