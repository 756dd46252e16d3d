"""What comes of a function on the inputs of an exercise, and of the reference."""

import copy
import pickle
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice.grading.calling import Habits, call, problem
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


def right_outcomes(exercise: Exercise) -> Outcomes:
    """Return what comes of the reference on every input; a copy that no reader's code has seen."""
    outcomes: Outcomes = pickle.loads(_kept(exercise))
    return outcomes


@cache
def _kept(exercise: Exercise) -> bytes:
    """Return what comes of the reference, as bytes: nobody can change them by mistake."""
    outcomes = outcomes_of(exercise, exercise.answer, Habits())
    for outcome in outcomes:
        if isinstance(outcome, Difference) or is_blank(outcome):
            raise RuntimeError(f"the reference of {exercise.id} fails: {outcome}")
    return pickle.dumps(outcomes)


def run(exercise: Exercise, function: Function, k: int) -> Any:
    """Return what comes of one of the package's own functions in the k-th call.

    Nothing of the reader's runs here, so that it takes no clock, and copies of lists alone; only
    random results are called as the reader's are, each with a generator of its own.
    """
    if exercise.comparable is not None:
        return call(function, inputs_of(exercise)[k].args, exercise)
    args = _read_only_inputs(exercise)[k]
    try:
        return function(*(copy.deepcopy(a) if isinstance(a, list) else a for a in args))
    except Exception as error:
        return problem(error)


@cache
def _read_only_inputs(exercise: Exercise) -> tuple[tuple[Any, ...], ...]:
    """Return the arguments of every call, in copies of which no array can be changed."""
    every = tuple(copy.deepcopy(i.args) for i in inputs_of(exercise))
    _close(every)
    return every


def _close(value: Any) -> None:
    """Make every array in a value read-only."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _close(part)
    elif is_dataclass(value):
        for field in fields(value):
            _close(getattr(value, field.name))


def first_difference(
    exercise: Exercise, outcomes: Outcomes, right: Sequence[Any], rtol: float, *,
    short: bool = False,
) -> tuple[int, Difference] | None:  # fmt: skip
    """Return the first call with a difference, and the difference; None where there is none.

    ``short`` says that the answer is in float32.
    """
    floors = floors_of(right, exercise.parts) if short else NO_FLOORS
    for k, (got, want) in enumerate(zip(outcomes, right, strict=True)):
        if is_blank(got):
            return k, Difference("problem", "It returns nothing here.")
        if first := difference(got, want, exercise.axes, exercise.parts, rtol, floors):
            return k, first
    return None


def second_time(
    exercise: Exercise, function: Function, outcomes: Outcomes, right: Sequence[Any]
) -> str:
    """Return what is wrong with a function that answers the same call otherwise later, or ""."""
    again = call(function, inputs_of(exercise)[0].args, exercise)
    if same_outcome(again, outcomes[0], right[0], SHORT_RTOL):
        return ""
    return (
        "Called again with the inputs of the first call, it answers otherwise: it keeps something "
        "from call to call, in a global name or in a default argument."
    )
