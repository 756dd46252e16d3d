"""Grade a function: right, not attempted, or wrong and what is wrong.

The reader's function is called on copies of its inputs; no exception of its own gets out.
"""

import inspect

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.calling import Habits
from stbp_edu.practice.grading.diagnosis import Answer, diagnosis
from stbp_edu.practice.grading.differences import RTOL, SHORT_RTOL
from stbp_edu.practice.grading.outcomes import (
    first_difference,
    outcomes_of,
    right_outcomes,
    second_time,
)
from stbp_edu.practice.grading.structure import Difference, is_blank, is_short
from stbp_edu.practice.tasks import Exercise, Function, exercise_of


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
    help_ = f'Fill in the function and run the cell again; `hint("{exercise.id}")` helps.'
    not_attempted = Feedback(exercise.id, "todo", (help_,))
    if function is None or function is Ellipsis:
        return not_attempted
    if not callable(function):
        message = f"Pass the function itself, not {type(function).__name__}: do not call it."
        return Feedback(exercise.id, "wrong", (message,))
    if problem := _signature_problem(exercise, function):
        return Feedback(exercise.id, "wrong", (problem,))
    right = right_outcomes(exercise)  # before any line of the reader's code has run
    habits = Habits()
    outcomes = outcomes_of(exercise, function, habits)
    if all(o.blank if isinstance(o, Difference) else is_blank(o) for o in outcomes):
        return not_attempted
    rtol, words, exact = RTOL, "", first_difference(exercise, outcomes, RTOL)
    short = any(is_short(o, want) for o, want in zip(outcomes, right, strict=True))
    if short:
        rtol, words = SHORT_RTOL, "float32 holds about 7 digits: compute in float64 to keep 16."
    elif exact and first_difference(exercise, outcomes, SHORT_RTOL) is None:
        words = "It is right to about 5 digits; float64 holds 16. Is there a float32 inside?"
    final = SHORT_RTOL if words else RTOL
    first = exact and first_difference(exercise, outcomes, final, short=short)
    if first:
        return diagnosis(Answer(exercise, function, outcomes, habits, rtol), *first)
    if again := second_time(exercise, function, outcomes):
        return Feedback(exercise.id, "wrong", (again, exercise.pointer))
    said = [f"Checked on {len(right)} situations in several networks."]
    said += [words] * bool(words)
    return Feedback(exercise.id, "right", (*said, *habits.sentences()))


def _signature_problem(exercise: Exercise, function: Function) -> str:
    """Return what is wrong with the way ``function`` is declared, or ""."""
    try:
        inspect.signature(function).bind(*exercise.arguments)
    except TypeError as error:
        return (
            f"It cannot be called as {exercise.signature}: {error}. Keep the arguments of the stub."
        )
    except Exception:  # a builtin without a signature: let the call decide
        return ""
    return ""
