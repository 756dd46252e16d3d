"""What the answers of a class say together: its mistakes, their shares, and three ideas to discuss.

They are read from executed notebooks, in which ``check`` and the hidden cells of a problem set
leave cards. An idea is a misconception, or a wrong answer without a name that several gave.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from stbp_edu.practice.feedback import LABELS, Feedback
from stbp_edu.practice.tasks import misconceptions, tasks

DISCUSSED = 3
"""How many ideas are to be discussed."""
SEVERAL = 2
"""How many students make an answer without a name an idea to discuss."""
CARD = re.compile(
    r'<div class="stbp-feedback"[^>]*? data-exercise="([^"]*)" data-state="(\w+)"'
    r'(?: data-mistakes="([^"]*)")?( data-together)?'
)
"""What a card says in its first tag; :meth:`.Feedback._repr_html_` writes it."""


@dataclass(frozen=True)
class HandIn:
    """The notebook of a student.

    Attributes:
        student: whose it is.
        verdicts: what its cards say, the last of each task.
        lost: cells for points that have no card: their kernel ended.
    """

    student: str
    verdicts: Sequence[Feedback]
    lost: int = 0


@dataclass(frozen=True)
class Mistake:
    """A mistake in a task.

    Attributes:
        name: what is wrong.
        why: why it is.
        students: who made it.
    """

    name: str
    why: str
    students: Sequence[str]


@dataclass(frozen=True)
class TaskReport:
    """What the class answered to one task.

    Attributes:
        id: of the task.
        verdicts: one for each student who was asked.
        mistakes: the most frequent first.
    """

    id: str
    verdicts: Sequence[Feedback]
    mistakes: Sequence[Mistake]

    @property
    def title(self) -> str:
        """What is asked; of a teacher's own task, its id."""
        return tasks()[self.id].title if self.id in tasks() else self.id

    def count(self, state: str) -> int:
        """Return how many answers are in a state."""
        return sum(verdict.state == state for verdict in self.verdicts)


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
    where: Sequence[tuple[str, str]]


def hand_ins(folder: Path, assignment: str = "") -> dict[Path, HandIn | str]:
    """Return the executed notebooks in a folder by path; of one that cannot be read, why.

    Of nbgrader's folder of a course these are the autograded ones. A notebook is of the student in
    whose folder it lies, or after whom it is named.

    Args:
        folder: where to look.
        assignment: the name of nbgrader's assignment; of all where "".
    """
    base = folder / "autograded" if (folder / "autograded").is_dir() else folder
    found: dict[Path, HandIn | str] = {}
    for path in sorted(base.rglob("*.ipynb")):
        inner = path.relative_to(base)
        if ".ipynb_checkpoints" in inner.parts or assignment not in (
            "",
            path.stem,
            path.parent.name,
        ):
            continue
        try:
            cells = _cells(path)
        except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
            found[path] = f"{type(error).__name__}: {error}"
            continue
        student = inner.parts[0] if len(inner.parts) > 1 else path.stem
        said = [list(_cards(cell)) for cell in cells]
        verdicts = {verdict.exercise: verdict for each in said for verdict in each}
        graded = [k for k, cell in enumerate(cells) if _gives_points(cell)]
        lost = sum(not said[k] for k in graded)
        found[path] = HandIn(student, list(verdicts.values()), lost)
    return found


def _cells(path: Path) -> list[Any]:
    """Return the code cells of a notebook whose cards count: where nbgrader gives points, those."""
    read = json.loads(path.read_bytes())["cells"]
    code = [cell for cell in read if cell["cell_type"] == "code"]
    return [cell for cell in code if _gives_points(cell)] or code


def _gives_points(cell: Any) -> bool:
    """Return whether nbgrader gives points for a cell."""
    return bool(cell["metadata"].get("nbgrader", {}).get("grade"))


def _cards(cell: Any) -> Iterator[Feedback]:
    """Yield the feedback in the outputs of a cell."""
    for output in cell["outputs"]:
        data = output.get("data", {})
        card = CARD.search("".join(data.get("text/html", "")))
        if card is None or card[2] not in LABELS:
            continue
        _, *message = "".join(data.get("text/plain", "")).split("\n  ")
        named = (card[3] or "").split()
        mistakes = tuple(id_ for id_ in named if id_ in misconceptions())
        yield Feedback(
            unescape(card[1]),
            card[2],
            tuple(message),
            mistakes,
            together=bool(card[4]),
        )


def task_reports(found: Sequence[HandIn]) -> list[TaskReport]:
    """Return what the class answered to each task, in the order of the course."""
    order = [*tasks()]
    asked = dict.fromkeys(v.exercise for one in found for v in one.verdicts)
    ids = sorted(asked, key=lambda id_: order.index(id_) if id_ in order else -1)
    return [_task_report(id_, found) for id_ in ids]


def _task_report(id_: str, found: Sequence[HandIn]) -> TaskReport:
    """Return what the class answered to one task."""
    answers = [(one, v) for one in found for v in one.verdicts if v.exercise == id_]
    wrong: dict[tuple[str, str], list[str]] = {}
    for one, verdict in answers:
        if verdict.state == "wrong":
            wrong.setdefault(_name_and_reason(verdict), []).append(one.student)
    mistakes = [Mistake(*said, students) for said, students in wrong.items()]
    mistakes.sort(key=lambda mistake: -len(mistake.students))
    return TaskReport(id_, [verdict for _, verdict in answers], mistakes)


def _name_and_reason(verdict: Feedback) -> tuple[str, str]:
    """Return the name of what is wrong with an answer, and the reason."""
    if not verdict.mistakes:
        return "without a name", " ".join(verdict.message[:1])[:200]
    names = [misconceptions()[mistake]["name"] for mistake in verdict.mistakes]
    reasons = [reason(verdict.exercise, mistake) for mistake in verdict.mistakes]
    if verdict.together:
        return ", and ".join(names), " ".join(reasons)
    return ", or ".join(names), reasons[0]


def reason(task: str, mistake: str) -> str:
    """Return why a mistake is one in a task; in a teacher's own, in general."""
    if task in tasks():
        return tasks()[task].why_wrong(mistake)
    return misconceptions()[mistake]["why"]


def lesson(task: str) -> str:
    """Return where the course explains a task; "" of a teacher's own."""
    if task not in tasks():
        return ""
    return f'Notebook {tasks()[task].notebook}, "{tasks()[task].section}".'


Idea = tuple[str, ...]
"""A misconception as one name, or a wrong answer without a name: its task, and what is said."""


def topics(found: Iterable[HandIn]) -> list[Topic]:
    """Return the few ideas that explain most wrong answers, the most frequent first.

    Where an answer fits several mistakes, it counts for the most frequent one.
    """
    left = [
        (one.student, verdict.exercise, ideas)
        for one in found
        for verdict in one.verdicts
        for ideas in _ideas(verdict)
    ]
    explained: list[Topic] = []
    while left:
        shown = {(idea, student) for student, _, ideas in left for idea in ideas}
        students = Counter(idea for idea, _ in shown)
        best = max(students, key=lambda idea: (students[idea], idea))
        where = dict.fromkeys(task for _, task, ideas in left if best in ideas)
        left = [row for row in left if best not in row[2]]
        if len(best) == 1:
            name = misconceptions()[best[0]]["name"]
            reasons = [(task, reason(task, best[0])) for task in where]
            explained.append(Topic(name, students[best], reasons))
        elif students[best] >= SEVERAL:
            explained.append(
                Topic("an answer without a name", students[best], [(best[0], best[1])])
            )
    return sorted(explained, key=lambda topic: -topic.students)[:DISCUSSED]


def _ideas(verdict: Feedback) -> list[list[Idea]]:
    """Return the ideas that a wrong answer shows; of each, the names that it may have."""
    if verdict.state != "wrong":
        return []
    if not verdict.mistakes:
        return [[(verdict.exercise, " ".join(verdict.message[:2]))]]
    names: list[Idea] = [(mistake,) for mistake in verdict.mistakes]
    return [[name] for name in names] if verdict.together else [names]
