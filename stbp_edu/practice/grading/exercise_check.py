"""Grade a function: right, not attempted, or wrong and what is wrong.

The reader's function is called on copies of its inputs; no exception of its own gets out.
"""

import copy
import inspect
import traceback
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.differences import (
    Difference,
    difference,
    is_blank,
    same_outcome,
)
from stbp_edu.practice.grading.unnamed_mistakes import constant_factor, single_changes
from stbp_edu.practice.tasks import Exercise, Function, Inputs, exercise_of, inputs_of

Outcomes = tuple[Any, ...]
"""What comes of one function, for each input: a value, or a Difference where the call fails."""


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
    outcomes = _outcomes_of(exercise, function)
    if all(o.blank if isinstance(o, Difference) else is_blank(o) for o in outcomes):
        return not_attempted
    for k, (got, want) in enumerate(zip(outcomes, right, strict=True)):
        if first := difference(got, want, exercise.axes, exercise.parts):
            if is_blank(got):
                first = Difference("problem", "It returns nothing here.")
            return _diagnose(exercise, outcomes, k, first)
    message = f"Checked on {len(right)} situations in several networks."
    return Feedback(exercise.id, "right", (message,))


def _signature_problem(exercise: Exercise, function: Function) -> str:
    """Return what is wrong with the way ``function`` is declared, or ""."""
    try:
        inspect.signature(function).bind(*exercise.arguments)
    except TypeError as error:
        return (
            f"It cannot be called as {exercise.signature}: {error}. Keep the arguments of the stub."
        )
    except ValueError:  # a builtin without a signature: let the call decide
        return ""
    return ""


def call(function: Function, args: tuple[Any, ...], comparable: Function | None = None) -> Any:
    """Return what ``function`` gives for deep copies of ``args``; a Difference where it fails.

    ``comparable`` turns the result of a random function into what can be compared.
    """
    try:
        # A division by zero shows up as a NaN, which is explained; no warning is needed.
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(args))
            if comparable is not None and not is_blank(value):
                value = comparable(value, function, *copy.deepcopy(args))
    except NotImplementedError:
        return None
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        line = f", at `{frames[0].line}`" if frames and frames[0].line else ""
        # An "..." that is left inside a formula is a blank, not a mistake.
        blank = isinstance(error, TypeError) and "ellipsis" in str(error)
        return Difference("problem", f"It raises {type(error).__name__}: {error}{line}.", blank)
    return copy.deepcopy(value)


def _outcomes_of(exercise: Exercise, function: Function) -> Outcomes:
    """Return what comes of ``function`` on every input of the exercise."""
    return tuple(call(function, i.args, exercise.comparable) for i in inputs_of(exercise))


@cache
def right_outcomes(exercise: Exercise) -> Outcomes:
    """Return what comes of the reference on every input of the exercise."""
    outcomes = _outcomes_of(exercise, exercise.answer)
    for outcome in outcomes:
        if isinstance(outcome, Difference) or is_blank(outcome):
            raise RuntimeError(f"the reference of {exercise.id} fails: {outcome}")
    return outcomes


def _diagnose(exercise: Exercise, outcomes: Outcomes, k: int, first: Difference) -> Feedback:
    """Return the feedback on a wrong answer, given its first difference, in the k-th call."""
    inputs = inputs_of(exercise)[k]
    wrong_form = first.kind in ("problem", "type", "shape")
    named = {
        m.id: str(m)
        for m in exercise.mistakes
        if _gives(exercise, exercise.function(m.body), outcomes)
    }
    message = list(named.values())
    if len(named) > 1:
        message.insert(0, f"{len(named)} mistakes give what your function gives:")
    if not named and not wrong_form:
        message += _unnamed(exercise, outcomes)
    if first.kind == "problem":
        message.append(f"In the call at {inputs.where}: {first.message}")
    else:
        part = f"{first.part}: " if first.part else ""
        message.append(f"First at {inputs.where}: {part}{first.message}.")
    if wrong_form:
        message.append(_shapes(exercise, inputs))
    message.append(exercise.pointer)
    return Feedback(exercise.id, "wrong", tuple(message), tuple(named), inputs.where)


def _gives(exercise: Exercise, function: Function, outcomes: Outcomes) -> bool:
    """Return whether ``function`` has these outcomes on every input."""
    triples = zip(inputs_of(exercise), outcomes, right_outcomes(exercise), strict=True)
    return all(
        same_outcome(call(function, inputs.args, exercise.comparable), outcome, right)
        for inputs, outcome, right in triples
    )


def _unnamed(exercise: Exercise, outcomes: Outcomes) -> list[str]:
    """Return what can be said where no named misconception fits."""
    right = right_outcomes(exercise)
    if factor := constant_factor(inputs_of(exercise), outcomes, right):
        return [f"Right but for a factor: your result is {factor} times the exact one."]
    for description, function in single_changes(exercise):
        if _gives(exercise, function, outcomes):
            return [f"It is what you get {description}."]
    agree = [difference(*pair) for pair in zip(outcomes, right, strict=True)].count(None)
    return [
        f"It agrees with the exact value in {agree} of {len(right)} situations.",
        "No single change of the right formula gives the same: compare them term by term.",
    ]


def _shapes(exercise: Exercise, inputs: Inputs) -> str:
    """Return the shapes of a call's arguments, as a sentence."""
    pairs = zip(exercise.arguments, inputs.args, strict=True)
    shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
    return f"Shapes in that call: {', '.join(shapes)}." if shapes else "No argument is an array."
