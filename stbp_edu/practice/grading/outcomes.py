"""What comes of a function on the inputs of an exercise, and of the reference."""

from functools import cache
from typing import Any

from stbp_edu.practice.grading.calling import Habits, call
from stbp_edu.practice.grading.differences import (
    NO_FLOORS,
    SHORT_RTOL,
    difference,
    floors_of,
    same_outcome,
)
from stbp_edu.practice.grading.structure import Difference, is_blank
from stbp_edu.practice.tasks import Exercise, Function, inputs_of

Outcomes = tuple[Any, ...]
"""What comes of one function, for each input: a value, or a Difference where the call fails."""


def outcomes_of(exercise: Exercise, function: Function, habits: Habits) -> Outcomes:
    """Return what comes of ``function`` on every input of the exercise."""
    return tuple(call(function, i.args, exercise, habits) for i in inputs_of(exercise))


@cache
def right_outcomes(exercise: Exercise) -> Outcomes:
    """Return what comes of the reference on every input of the exercise."""
    outcomes = outcomes_of(exercise, exercise.answer, Habits())
    for outcome in outcomes:
        if isinstance(outcome, Difference) or is_blank(outcome):
            raise RuntimeError(f"the reference of {exercise.id} fails: {outcome}")
    return outcomes


def first_difference(
    exercise: Exercise, outcomes: Outcomes, rtol: float, *, short: bool = False
) -> tuple[int, Difference] | None:
    """Return the first call with a difference, and the difference; None where there is none.

    ``short`` says that the answer is in float32.
    """
    floors = floors_of(right_outcomes(exercise), exercise.parts) if short else NO_FLOORS
    for k, (got, want) in enumerate(zip(outcomes, right_outcomes(exercise), strict=True)):
        if is_blank(got):
            return k, Difference("problem", "It returns nothing here.")
        if first := difference(got, want, exercise.axes, exercise.parts, rtol, floors):
            return k, first
    return None


def second_time(exercise: Exercise, function: Function, outcomes: Outcomes) -> str:
    """Return what is wrong with a function that answers the same call otherwise later, or ""."""
    again = call(function, inputs_of(exercise)[0].args, exercise)
    right = right_outcomes(exercise)[0]
    if same_outcome(again, outcomes[0], right, SHORT_RTOL):
        return ""
    return (
        "Called again with the inputs of the first call, it answers otherwise: it keeps something "
        "from call to call, in a global name or in a default argument."
    )
