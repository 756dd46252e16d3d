"""Call the reader's function on copies of its inputs; no exception of its own gets out."""

import copy
import inspect
import traceback
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice.exercises import Exercise, Function, inputs_of


@dataclass(frozen=True)
class Outcome:
    """What came of one call: a value, or what went wrong.

    Attributes:
        value: what the function returned.
        problem: what went wrong in the call, as a sentence, or "".
        untouched: whether the function is still the stub.
    """

    value: Any = None
    problem: str = ""
    untouched: bool = False


def call(function: Function, args: tuple[Any, ...], comparable: Function | None = None) -> Outcome:
    """Return what comes of calling ``function`` with deep copies of ``args``.

    ``comparable`` turns the result of a random function into what can be compared.
    """
    try:
        # A division by zero shows up as a NaN, which is explained; no warning is needed.
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(args))
            if comparable is not None and not _is_blank(value):
                value = comparable(value, function, *copy.deepcopy(args))
    except NotImplementedError:
        return Outcome(untouched=True)
    except Exception as error:
        # An "..." that is left inside a formula is a blank, not a mistake.
        blank = isinstance(error, TypeError) and "ellipsis" in str(error)
        return Outcome(problem=_explain(error), untouched=blank)
    return Outcome(copy.deepcopy(value), untouched=_is_blank(value))


def outcomes_of(exercise: Exercise, function: Function) -> tuple[Outcome, ...]:
    """Return what comes of ``function`` on every input of the exercise."""
    return tuple(call(function, i.args, exercise.comparable) for i in inputs_of(exercise))


@cache
def right_outcomes(exercise: Exercise) -> tuple[Outcome, ...]:
    """Return what comes of the reference on every input of the exercise."""
    outcomes = outcomes_of(exercise, exercise.answer)
    for outcome in outcomes:
        if outcome.problem or outcome.untouched:
            raise RuntimeError(f"the reference of {exercise.id} fails: {outcome.problem}")
    return outcomes


def signature_problem(exercise: Exercise, function: Function) -> str:
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


def _is_blank(value: Any) -> bool:
    """Return whether a returned value is an unfilled stub: None, ``...``, or a tuple of such."""
    if isinstance(value, tuple) and value:
        return all(_is_blank(v) for v in value)
    return value is None or value is Ellipsis


def _explain(error: Exception) -> str:
    """Return what an exception means, and the line of the reader's code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    line = f", at `{frames[0].line}`" if frames and frames[0].line else ""
    return f"It raises {type(error).__name__}: {error}{line}."
