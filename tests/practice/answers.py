"""A task's answer as its tables write it, judged: a body, an edit of the solution, a formula."""

from stbp_edu.practice import check, check_formula
from stbp_edu.practice.tasks import Exercise, tasks
from stbp_edu.practice.tasks.programs import edited


def feedback_on(id_, body=None):
    """Return the feedback on an answer to an exercise or a blank; without one, on the solution."""
    task = tasks()[id_]
    text = edited(task.solution, body) if body else task.solution
    if isinstance(task, Exercise):
        return check(task.id, task.function(text))
    return check_formula(task.equation, text)
