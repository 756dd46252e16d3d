"""Grade a function: right, not attempted, or wrong and what is wrong."""

from stbp_edu.practice import saved_progress
from stbp_edu.practice.exercises import Exercise, Function, exercise_of
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.call import outcomes_of, right_outcomes, signature_problem
from stbp_edu.practice.grading.diagnosis import diagnose
from stbp_edu.practice.grading.differences import first_difference


def check(exercise_id: str, function: Function | None) -> Feedback:
    """Say whether ``function`` solves the exercise, and if not, what is wrong.

    The function is called with copies, on several networks. Any right form is accepted.

    Args:
        exercise_id: id of the exercise, such as ``"c3-delta"``.
        function: your function, with the arguments of the stub.

    Raises:
        ValueError: if there is no such exercise.

    >>> check("c1-epsilon", lambda delta, h: h * delta)
    c1-epsilon: right.
      Checked on 6 situations in several networks.
    >>> check("c3-delta", lambda delta_last, err_next, U, df: delta_last).mistakes
    ('missing-temporal', 'reset-detached')
    """
    feedback = grade(exercise_of(exercise_id), function)
    saved_progress.record(feedback.exercise, feedback.state)
    return feedback


def grade(exercise: Exercise, function: object) -> Feedback:
    """Compare a function with the reference; where it differs, say what is wrong."""
    if function is None or function is Ellipsis:
        return _not_attempted(exercise)
    if not callable(function):
        message = f"Pass the function itself, not {type(function).__name__}: do not call it."
        return Feedback(exercise.id, "wrong", (message,))
    if problem := signature_problem(exercise, function):
        return Feedback(exercise.id, "wrong", (problem,))
    right = right_outcomes(exercise)  # before any line of the reader's code has run
    outcomes = outcomes_of(exercise, function)
    if all(o.untouched for o in outcomes):
        return _not_attempted(exercise)
    difference = first_difference(outcomes, right, exercise.axes, exercise.parts)
    if difference is None:
        message = f"Checked on {len(right)} situations in several networks."
        return Feedback(exercise.id, "right", (message,))
    return diagnose(exercise, outcomes, difference)


def _not_attempted(exercise: Exercise) -> Feedback:
    """Return the feedback on an untouched stub."""
    message = f'Fill in the function and run the cell again; `hint("{exercise.id}")` helps.'
    return Feedback(exercise.id, "todo", (message,))
