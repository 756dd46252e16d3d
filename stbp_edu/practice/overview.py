"""Hints, solutions, and the report of what is done and what comes next."""

from collections import Counter
from dataclasses import dataclass
from html import escape

from stbp_edu.practice import saved_progress
from stbp_edu.practice.exercises import Exercise, Task, course_table, exercise_of, tasks
from stbp_edu.practice.feedback import LABELS, Hint, Solution, markup

_hints_given = Counter[str]()


def is_in_course(task: Task) -> bool:
    """Return whether a task stands in a notebook; the others are for more practice."""
    return any(task.id in ids for ids in course_table()["notebooks"].values())


def _task_of(exercise_id: str) -> Task:
    """Return the exercise or blank of this id; raise ValueError if there is none."""
    return tasks().get(str(exercise_id)) or exercise_of(exercise_id)


def hint(exercise_id: str) -> Hint:
    """Return the next hint for an exercise; after the last, the first again.

    Raises:
        ValueError: if there is no such exercise.

    >>> hint("c1-epsilon")
    c1-epsilon, hint 1 of 2: Which arrows leave u^{T,N}? There is no step T+1.
    """
    task = _task_of(exercise_id)
    k = _hints_given[task.id] % len(task.hints)
    _hints_given[task.id] += 1
    return Hint(task.id, k + 1, len(task.hints), task.hints[k])


def solution(exercise_id: str) -> Solution:
    """Return a right answer with its reasoning; a notebook shows it folded.

    Raises:
        ValueError: if there is no such exercise.

    >>> print(solution("c1-epsilon").source)
    def c1_epsilon(delta, h):
        return delta * h
    """
    task = _task_of(exercise_id)
    source = task.source() if isinstance(task, Exercise) else task.solution
    return Solution(task.id, source, task.reasoning)


@dataclass(frozen=True)
class Progress:
    """Every exercise with its state."""

    states: dict[str, str]

    def state(self, task: Task) -> str:
        """Return ``"right"``, ``"wrong"`` or ``"todo"``."""
        return self.states.get(task.id, "todo")

    @property
    def next(self) -> Task | None:
        """The first exercise of the notebooks that is not done, then of the others."""
        left = [task for task in tasks().values() if self.state(task) != "right"]
        return min(left, key=lambda task: not is_in_course(task), default=None)

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, and what comes next."""
        lines = [
            f"  notebook {e.notebook:2}  {LABELS[self.state(e)]:17}  {e.id:16} {e.title}"
            for e in tasks().values()
        ]
        done = sum(self.state(e) == "right" for e in tasks().values())
        lines.insert(0, f"{done} of {len(lines)} exercises right.")
        if self.next is not None:
            lines.append(f"Next: {self.next.id}, notebook {self.next.notebook}.")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the HTML form: a table."""
        rows = "".join(
            f"<tr><td>{e.notebook}</td><td><code>{escape(e.id)}</code></td>"
            f"<td>{markup(e.title)}</td><td>{LABELS[self.state(e)]}</td></tr>"
            for e in tasks().values()
        )
        head = "<tr><th>Notebook</th><th>Exercise</th><th>What</th><th>State</th></tr>"
        return f'<table class="stbp-progress"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def progress_report() -> Progress:
    """Return what is done and what comes next."""
    return Progress(saved_progress.load())
