"""Every exercise and derivation blank, what is done, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape

from stbp_edu.practice import progress
from stbp_edu.practice.exercises.course import course
from stbp_edu.practice.exercises.exercise import Exercise, catalogue, find
from stbp_edu.practice.feedback import LABELS, Hint, Solution, markup
from stbp_edu.practice.grading.formulas import SUFFIX, Formula, formulas

Task = Exercise | Formula
"""What a reader works on."""

_hints_given: dict[str, int] = {}


@cache
def tasks() -> dict[str, Task]:
    """Return all of them by id, in the order of the course."""
    every: list[Task] = [*catalogue().values(), *formulas().values()]
    return {task.id: task for task in sorted(every, key=lambda task: task.notebook)}


@cache
def in_notebooks() -> frozenset[str]:
    """Return the ids of what stands in a notebook; the rest is for more practice."""
    return frozenset(id_ for ids in course()["notebooks"].values() for id_ in ids)


def task(exercise_id: str) -> Task:
    """Return the exercise or blank of this id; ValueError where there is none."""
    blanks = formulas()
    name = str(exercise_id)
    if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in blanks:
        return blanks[name.removesuffix(SUFFIX)]
    return find(exercise_id)


def hint(exercise_id: str) -> Hint:
    """Return the next hint for an exercise; after the last, the first again.

    Raises:
        ValueError: if there is no such exercise.

    >>> hint("c1-epsilon")
    c1-epsilon, hint 1 of 2: Which arrows leave u^{T,N}? There is no step T+1.
    """
    exercise = task(exercise_id)
    of = len(exercise.hints)
    k = _hints_given.get(exercise.id, 0) % of
    _hints_given[exercise.id] = k + 1
    return Hint(exercise.id, k + 1, of, exercise.hints[k])


def solution(exercise_id: str) -> Solution:
    """Return a right answer with its reasoning; a notebook shows it folded.

    Raises:
        ValueError: if there is no such exercise.

    >>> print(solution("c1-epsilon").source)
    def c1_epsilon(delta, h):
        return delta * h
    """
    exercise = task(exercise_id)
    source = exercise.source() if isinstance(exercise, Exercise) else exercise.answer
    return Solution(exercise.id, source, exercise.reasoning)


@dataclass(frozen=True)
class Progress:
    """Every exercise with its state."""

    states: dict[str, str]

    def state(self, exercise: Task) -> str:
        """Return ``"right"``, ``"wrong"`` or ``"todo"``."""
        return self.states.get(exercise.id, "todo")

    @property
    def next(self) -> Task | None:
        """The first exercise of the notebooks that is not done, then of the others."""
        left = [e for e in tasks().values() if self.state(e) != "right"]
        return min(left, key=lambda e: e.id not in in_notebooks(), default=None)

    def __repr__(self) -> str:
        """Return the text form: one line an exercise, and what comes next."""
        exercises = tasks().values()
        done = sum(self.state(e) == "right" for e in exercises)
        lines = [f"{done} of {len(exercises)} exercises right."]
        lines += [
            f"  notebook {e.notebook:2}  {LABELS[self.state(e)]:17}  {e.id:16} {e.title}"
            for e in exercises
        ]
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


def report() -> Progress:
    """Return what is done and what comes next."""
    return Progress(progress.load())
