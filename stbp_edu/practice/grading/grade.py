"""Grade an answer: right, not attempted, or wrong and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice import progress
from stbp_edu.practice.exercises.course import pointer
from stbp_edu.practice.exercises.exercise import Exercise, find
from stbp_edu.practice.exercises.mistakes import Mistake
from stbp_edu.practice.exercises.situation import Situation
from stbp_edu.practice.exercises.situations import situations
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.attempt import Outcome, attempt, signature_problem
from stbp_edu.practice.grading.compare import difference, same
from stbp_edu.practice.grading.factors import factor_between
from stbp_edu.practice.grading.mutants import mutants


def check(exercise_id: str, function: Callable[..., Any] | None) -> Feedback:
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
    exercise = find(exercise_id)
    feedback = judge(exercise, function)
    progress.record(exercise.id, feedback.state)
    return feedback


def judge(exercise: Exercise, function: Any) -> Feedback:
    """Compare with the reference and, where it differs, look for what is wrong."""
    if function is None or function is Ellipsis:
        return _todo(exercise)
    if not callable(function):
        words = f"Pass the function itself, not {type(function).__name__}: do not call it."
        return Feedback(exercise.id, "wrong", (words,))
    calls = situations(exercise.situations)
    problem = signature_problem(function, exercise.signature, calls[0].args)
    if problem:
        return Feedback(exercise.id, "wrong", (problem,))
    wants = references(exercise)  # before any line of the reader's code has run
    got = [attempt(function, call.args, exercise.look) for call in calls]
    if all(o.untouched for o in got):
        return _todo(exercise)
    first = _first_difference(exercise, calls, got, wants)
    if first is None:
        words = f"Checked on {len(calls)} situations in several networks."
        return Feedback(exercise.id, "right", (words,))
    return _diagnose(exercise, calls, got, wants, *first)


def _todo(exercise: Exercise) -> Feedback:
    """Return the answer to an untouched stub."""
    words = f'Fill in the function and run the cell again; `hint("{exercise.id}")` helps.'
    return Feedback(exercise.id, "todo", (words,))


@cache
def references(exercise: Exercise) -> tuple[Outcome, ...]:
    """Return what the reference brings in each situation."""
    calls = situations(exercise.situations)
    found = tuple(attempt(exercise.answer, c.args, exercise.look) for c in calls)
    for outcome in found:
        if outcome.problem or outcome.untouched:
            raise RuntimeError(f"the reference of {exercise.id} fails: {outcome.problem}")
    return found


Calls = tuple[Situation, ...]
"""The calls that an exercise is graded on."""

Outcomes = list[Outcome] | tuple[Outcome, ...]
"""What came of each."""


def _first_difference(
    exercise: Exercise, calls: Calls, got: Outcomes, wants: Outcomes
) -> tuple[str, str, str] | None:
    """Return kind, place and words of the first wrong situation."""
    for call, outcome, want in zip(calls, got, wants, strict=True):
        if outcome.problem or outcome.untouched:
            return "problem", call.where, outcome.problem or "It returns nothing here."
        found = difference(outcome.value, want.value, exercise.axes, exercise.parts)
        if found is not None:
            part = f"{found.part}: " if found.part else ""
            return found.kind, call.where, f"{part}{found.words}"
    return None


def _diagnose(
    exercise: Exercise,
    calls: Calls,
    got: Outcomes,
    wants: Outcomes,
    kind: str,
    where: str,
    words: str,
) -> Feedback:
    """Put together what is known about a wrong answer."""
    named = matches(exercise, got)
    message = [str(m) for m in named]
    if len(named) > 1:
        message.insert(0, f"{len(named)} mistakes give what your function gives:")
    if not named:
        message += _unnamed(exercise, calls, got, wants, kind)
    place = {"problem": f"In the call at {where}: {words}"}.get(kind, f"First at {where}: {words}.")
    message.append(place)
    if kind in ("problem", "shape", "type"):
        message.append(_shapes(exercise, next(c for c in calls if c.where == where)))
    message.append(pointer(exercise, exercise.equation))
    ids = tuple(m.misconception.id for m in named)
    return Feedback(exercise.id, "wrong", tuple(message), ids, where)


def _shapes(exercise: Exercise, call: Situation) -> str:
    """Say what shape each argument of a call has."""
    names = exercise.signature.partition("(")[2].rstrip(")").split(", ")
    pairs = zip(names, call.args, strict=True)
    shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
    return f"Shapes in that call: {', '.join(shapes)}." if shapes else "No argument is an array."


def matches(exercise: Exercise, got: Outcomes) -> list[Mistake]:
    """Return the mistakes that give the same in every situation, one for each misconception."""
    found: dict[str, Mistake] = {}
    for mistake in exercise.mistakes:
        if _gives(exercise, exercise.function(mistake.body), got):
            found.setdefault(mistake.misconception.id, mistake)
    return list(found.values())


def _gives(exercise: Exercise, function: Callable[..., Any], got: Outcomes) -> bool:
    """Whether ``function`` brings the same as ``got`` in every situation."""
    triples = zip(situations(exercise.situations), got, references(exercise), strict=True)
    look = exercise.look
    return all(same(attempt(function, c.args, look), o, want.value) for c, o, want in triples)


def _unnamed(
    exercise: Exercise, calls: Calls, got: Outcomes, wants: Outcomes, kind: str
) -> list[str]:
    """Say what can be said where no named misconception fits."""
    if kind in ("problem", "type", "shape"):
        return []
    factor = factor_between(calls, got, wants)
    if factor:
        return [f"Right but for a factor: your result is {factor} times the exact one."]
    for description, function in mutants(exercise):
        if _gives(exercise, function, got):
            return [f"It is what you get {description}."]
    agree = sum(difference(o.value, w.value) is None for o, w in zip(got, wants, strict=True))
    return [
        f"It agrees with the exact value in {agree} of {len(calls)} situations.",
        "No single change of the right formula gives the same: compare them term by term.",
    ]
