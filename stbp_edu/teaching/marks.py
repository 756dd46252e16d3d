"""The points for an answer: what the hidden cells of a problem set call when nbgrader runs them.

It runs in the kernel that runs the student's code, with the rights of whoever runs nbgrader, and
trusts that code as ``check`` does.
"""

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import grade
from stbp_edu.teaching.own_tasks import tasks_with
from stbp_edu.teaching.problem_set import name_of

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
