"""What a class's answers are worth, and what they say together.

``mark`` gives the points for an answer: the hidden cells of a problem set call it when nbgrader
runs them. It runs in the kernel that runs the student's code, with the rights of whoever runs
nbgrader, and trusts that code as ``check`` does.

The report has the class's mistakes, their shares, and three ideas to discuss. They are read from
executed notebooks, in which ``check`` and the hidden cells leave cards. An idea is a misconception,
or a wrong answer without a name that several gave.
"""

import contextlib
import io
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import grade
from stbp_edu.practice.tasks import misconceptions, tasks
from stbp_edu.teaching.problem_set import name_of, tasks_with

MISSING = "There is no `{}`: its cell is empty, or stops with an error."
NOBODY = "{} has no variant; add the student to the roster, and assign again."
LATE = "It did not end within the time that nbgrader gives a cell."


def mark(
    tasks: Sequence[str],
    answers: Mapping[str, Any],
    *,
    points: float,
    partial: float = 0.5,
    variants: Mapping[str, int] | None = None,
    own_tasks: str = "",
) -> float:
    """Show the feedback on an answer, and return its points, which nbgrader reads.

    A right answer gets all points, one named mistake ``partial`` of them, and two at once
    ``partial`` of that.

    Args:
        tasks: the ids of the tasks, one for each variant.
        answers: the names of the notebook: its ``globals()``.
        points: for a right answer.
        partial: the fraction for one named mistake.
        variants: which variant each student has; None where there is only one. The student is the
            one in whose folder nbgrader runs the notebook, ``autograded/STUDENT/ASSIGNMENT``;
            one without a variant gets no points, and a sentence.
        own_tasks: the text of the file of the teacher's own tasks.

    >>> mark(["c1-epsilon"], {"c1_epsilon": lambda delta, h: h * delta}, points=4)
    c1-epsilon: right.
      Checked on 6 situations in several networks.
    4.0
    """
    from IPython.display import display

    student = Path.cwd().parent.name
    variant = 1 if variants is None else variants.get(student, 0)
    task = tasks_with(own_tasks, variant or 1)[tasks[max(variant - 1, 0)]]
    name = name_of(task)
    # nbgrader gives no points to a cell that writes on the error stream.
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            verdict = grade(task, answers[name])
        except KeyError:
            verdict = Feedback(task.id, "todo", (MISSING.format(name),))
        except KeyboardInterrupt:  # with which nbgrader ends a cell
            verdict = Feedback(task.id, "wrong", (LATE,))
    if (
        not variant
    ):  # an error here would show this cell, with all names, in the feedback
        verdict = Feedback(task.id, "wrong", (NOBODY.format(student),))
    if not task.of_the_course:
        verdict = replace(verdict, title=task.title)
    display(verdict)  # type: ignore[no-untyped-call]
    if verdict.right:
        return float(points)
    if verdict.mistakes:
        return points * (partial**2 if verdict.together else partial)
    return 0.0


DISCUSSED = 3
"""How many ideas are to be discussed."""
SEVERAL = 2
"""How many students make an answer without a name an idea to discuss."""
CARD = re.compile(
    r'<div class="stbp-feedback"[^>]*? data-exercise="([^"]*)" data-state="(right|wrong|todo)"'
    r'(?: data-mistakes="([^"]*)")?( data-together)?'
)
"""What a card says in its first tag; :meth:`.Feedback._repr_html_` writes it."""
Answer = tuple[str, Feedback]
"""A student, and the verdict on an answer."""
Idea = tuple[str, ...]
"""A misconception as one name, or a wrong answer without a name: its task, and what is said."""


@dataclass(frozen=True)
class TaskReport:
    """What a class answered to one task.

    Attributes:
        id: of the task.
        title: what it asks for, in a line.
        states: how many answers are right, wrong, or not attempted ("todo").
        mistakes: of each the name, why it is one, and who made it; the most frequent first.
    """

    id: str
    title: str
    states: Counter[str]
    mistakes: Sequence[tuple[str, str, Sequence[str]]]


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


def executed(folder: Path, assignment: str = "") -> dict[Path, str]:
    """Return the executed notebooks in a folder, each with its student.

    Of nbgrader's folder of a course these are the autograded ones. A notebook is of the student in
    whose folder it lies, or after whom it is named.

    Args:
        folder: where to look.
        assignment: the name of nbgrader's assignment; all where "".
    """
    base = folder / "autograded" if (folder / "autograded").is_dir() else folder
    found = {}
    for path in sorted(base.rglob("*.ipynb")):
        parts = path.relative_to(base).parts
        is_asked = assignment in ("", path.stem, path.parent.name)
        if is_asked and ".ipynb_checkpoints" not in parts:
            found[path] = parts[0].removesuffix(".ipynb")
    return found


def verdicts_in(path: Path) -> list[Feedback]:
    """Return what the cards of an executed notebook say, the last one of each task.

    Where nbgrader gives points for cells, only their cards count.

    Raises:
        ValueError: if the file is not an executed notebook, or lacks cards or points cells.
    """
    try:
        cells = json.loads(path.read_bytes())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        graded = [c for c in code if c["metadata"].get("nbgrader", {}).get("grade")]
        cards = [card for cell in graded or code for card in _cards(cell)]
        ids = {c["metadata"].get("nbgrader", {}).get("grade_id", "") for c in code}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not an executed notebook ({error!r})") from error
    answers = {id_[:-7] for id_ in ids if id_.endswith("-answer")}
    lost = answers - {id_[:-7] for id_ in ids if id_.endswith("-points")}
    if lost:
        raise ValueError(
            f"{path} lacks the cells that give points for {', '.join(sorted(lost))}: an old "
            "nbgrader_config.py does not put them back"
        )
    if not cards:
        raise ValueError(f"{path} holds no executed check: did its kernel stop?")
    return list({card.exercise: card for card in cards}.values())


def _cards(cell: Any) -> Iterator[Feedback]:
    """Yield the feedback in the outputs of a cell."""
    for output in cell["outputs"]:
        data = output.get("data", {})
        card = CARD.search("".join(data.get("text/html", "")))
        if card is None:
            continue
        head, *message = "".join(data.get("text/plain", "")).split("\n  ")
        named = (card[3] or "").split()
        mistakes = tuple(id_ for id_ in named if id_ in misconceptions())
        yield Feedback(
            exercise=unescape(card[1]),
            state=card[2],
            message=tuple(message),
            mistakes=mistakes,
            together=bool(card[4]),
            title=head.rpartition(": ")[0],
        )


def task_reports(answers: Sequence[Answer]) -> list[TaskReport]:
    """Return what the class answered to each task, in the order in which they were asked."""
    found = []
    for id_ in dict.fromkeys(verdict.exercise for _, verdict in answers):
        own = [(student, v) for student, v in answers if v.exercise == id_]
        wrong: dict[tuple[str, ...], tuple[str, str, list[str]]] = {}
        for student, verdict in own:
            if verdict.state == "wrong":
                said = _name_and_reason(verdict)
                # The notes of two variants differ in their numbers.
                key = said[:1] if verdict.mistakes else said
                wrong.setdefault(key, (*said, []))[2].append(student)
        rows = [*wrong.values()]
        rows.sort(key=lambda row: -len(row[2]))
        title = tasks()[id_].title if id_ in tasks() else own[0][1].title
        found.append(TaskReport(id_, title, Counter(v.state for _, v in own), rows))
    return found


def _name_and_reason(verdict: Feedback) -> tuple[str, str]:
    """Return the name of what is wrong with an answer, and the reason."""
    if not verdict.mistakes:
        said = " ".join(verdict.message[:2])[:200]
        return "without a name", re.sub(r"(?s).*(It raises \w+).*", r"\1.", said)
    names = [misconceptions()[mistake]["name"] for mistake in verdict.mistakes]
    reasons = [reason(verdict, mistake) for mistake in verdict.mistakes]
    if verdict.together:
        return ", and ".join(names), " ".join(reasons)
    return ", or ".join(names), reasons[0]


def reason(verdict: Feedback, mistake: str) -> str:
    """Return why a mistake is one in a task, as the verdict on an answer says."""
    found = f"Found: {misconceptions()[mistake]['name']}. "
    for line in verdict.message:
        if line.startswith(found):
            return line.removeprefix(found)
    return misconceptions()[mistake]["why"]


def lesson(task: str) -> str:
    """Return where the course explains a task; "" of a teacher's own."""
    if task not in tasks():
        return ""
    return f'Notebook {tasks()[task].notebook}, "{tasks()[task].section}".'


def topics(answers: Sequence[Answer]) -> list[Topic]:
    """Return the few ideas that explain most wrong answers, the most frequent first.

    Where an answer fits several mistakes, it counts for the most frequent one.
    """
    left = [
        (student, verdict, ideas)
        for student, verdict in answers
        for ideas in _ideas(verdict)
    ]
    found: list[Topic] = []
    while left:
        shown = {(idea, student) for student, _, ideas in left for idea in ideas}
        students = Counter(idea for idea, _ in shown)
        best = max(students, key=lambda idea: (students[idea], idea))
        where = {v.exercise: v for _, v, ideas in left if best in ideas}
        left = [row for row in left if best not in row[2]]
        if len(best) == 1:
            name = misconceptions()[best[0]]["name"]
            reasons = [(task, reason(v, best[0])) for task, v in where.items()]
            found.append(Topic(name, students[best], reasons))
        elif students[best] >= SEVERAL:
            said = [(best[0], best[1])]
            found.append(Topic("an answer without a name", students[best], said))
    return sorted(found, key=lambda topic: -topic.students)[:DISCUSSED]


def _ideas(verdict: Feedback) -> list[list[Idea]]:
    """Return the ideas that a wrong answer shows, each as a list of those that it may be.

    Two mistakes at once are two ideas. Where each of several mistakes gives the answer, they are
    one idea, of which nobody knows which it is.
    """
    if verdict.state != "wrong":
        return []
    if not verdict.mistakes:
        _, said = _name_and_reason(verdict)
        return [[(verdict.exercise, said)]]
    mistakes: list[Idea] = [(mistake,) for mistake in verdict.mistakes]
    if verdict.together:
        return [[mistake] for mistake in mistakes]
    return [mistakes]
