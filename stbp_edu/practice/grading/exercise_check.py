"""Grade a function: right, not attempted, or wrong and what is wrong.

The reader's function is called on copies of its inputs; no exception of its own gets out.
"""

import inspect
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.calling import Habits, call, text_of, viewed
from stbp_edu.practice.grading.diagnosis import unnamed
from stbp_edu.practice.grading.guard import undone
from stbp_edu.practice.grading.search import Answer, Finding
from stbp_edu.practice.grading.values import (
    RTOL,
    SHORT_RTOL,
    Difference,
    Outcome,
    difference,
    is_short,
    plain,
    same,
)
from stbp_edu.practice.tasks import Exercise, Function, Inputs, exercise_of, inputs_of


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
    saved_progress.record(feedback.exercise, feedback.state, feedback.mistakes)
    return feedback


def grade(exercise: Exercise, function: object) -> Feedback:
    """Compare a function with the reference; where it differs, say what is wrong."""
    if function is None or function is Ellipsis:
        return _not_attempted(exercise)
    if not callable(function):
        message = f"Pass the function itself, not {type(function).__name__}: do not call it."
        return Feedback(exercise.id, "wrong", (message,))
    inputs, likes = situations(exercise)  # before any line of the reader's code has run
    habits = Habits()
    with undone() as undo:

        def ask(args: Sequence[Any], like: Any = likes[0], names: Sequence[str] = ()) -> Outcome:
            given = names, exercise.parts, exercise.comparable
            return call(function, args, like, habits, *given)

        if problem := _signature_problem(exercise, function):
            return Feedback(exercise.id, "wrong", (problem,))
        outcomes = [ask(i.args, like) for i, like in zip(inputs, likes, strict=True)]
        undo()
        if all(outcome is None for outcome in outcomes):
            return _not_attempted(exercise)
        right = [plain(like, like) for like in likes]
        rtol = SHORT_RTOL if any(map(is_short, outcomes)) else RTOL
        answer = Answer(
            exercise.source(), exercise.arguments, inputs, outcomes, right, likes, rtol,
            exercise.axes, exercise.parts, exercise.comparable,
        )  # fmt: skip
        return _verdict(exercise, answer, habits, function, ask)


def _not_attempted(exercise: Exercise) -> Feedback:
    """Return the feedback on a stub."""
    help_ = f'Fill in the function and run the cell again; `hint("{exercise.id}")` helps.'
    return Feedback(exercise.id, "todo", (help_,))


def _signature_problem(exercise: Exercise, function: Function) -> str:
    """Return what is wrong with the way ``function`` is declared, or ""."""
    try:
        inspect.signature(function).bind(*exercise.arguments)
    except TypeError as error:
        return (
            f"It cannot be called as {exercise.signature}: {text_of(error)}. "
            "Keep the arguments of the stub."
        )
    except Exception:  # a builtin without a signature: let the call decide
        return ""
    return ""


def _verdict(
    exercise: Exercise, answer: Answer, habits: Habits, function: Function, ask: Callable[..., Any]
) -> Feedback:
    """Return the feedback on an answer that was called in every situation."""
    first = first_difference(answer, answer.rtol)
    if short := first is not None and first_difference(answer, SHORT_RTOL) is None:
        first = None
    if first:
        return _diagnosis(exercise, answer, habits, function, ask, *first)
    again = ask(answer.inputs[0].args, names=exercise.arguments)
    if not same(again, answer.outcomes[0], SHORT_RTOL):
        kept = (
            "Called again with the inputs of the first call, it answers otherwise: it keeps "
            "something from call to call, in a global name or in a default argument."
        )
        return Feedback(exercise.id, "wrong", (kept, exercise.pointer))
    said = [f"Checked on {len(answer.right)} situations in several networks."]
    if short or answer.rtol == SHORT_RTOL:
        said.append("It is right to about 5 digits, as float32 holds them; float64 holds 16.")
    return Feedback(exercise.id, "right", (*said, *habits.sentences()))


def _diagnosis(
    exercise: Exercise, answer: Answer, habits: Habits, function: Function,
    ask: Callable[..., Any], k: int, first: Difference,
) -> Feedback:  # fmt: skip
    """Return the feedback on a wrong answer, given its first difference, in the k-th call."""
    inputs = answer.inputs[k]
    named = {
        m.id: str(m)
        for m in exercise.mistakes
        if answer.gives(exercise.function(m.body), exactly=False)
    }
    message = list(named.values())
    if len(named) > 1:
        message.insert(0, f"{len(named)} mistakes give what your function gives:")
    findings: list[Finding] = []
    with suppress(Exception):  # a wrong answer may do anything when it is asked odd things
        findings = [] if named else unnamed(exercise, answer, function, ask)
    message += [f.text for f in findings if f.text]
    if not message:
        message.append(_agreement(answer))
    if first.kind == "problem":
        place = "In" if inputs.where.startswith("call ") else "In the call at"
        message.append(f"{place} {inputs.where}: {first.message}")
    else:
        part = f"{first.part}: " if first.part else ""
        message.append(f"First at {inputs.where}: {part}{first.message}.")
    if first.kind in ("problem", "type", "shape"):
        message.append(_shapes(exercise, inputs))
    message += [*habits.sentences(), exercise.pointer]
    found = tuple(findings)
    return Feedback(exercise.id, "wrong", tuple(message), tuple(named), inputs.where, found)


def _agreement(answer: Answer) -> str:
    """Return in how many situations a wrong answer is right, and in how many it fails."""
    right, failed = (
        answer.wrong.count(False),
        sum(isinstance(o, Difference) for o in answer.outcomes),
    )
    text = f"It agrees with the exact value in {right} of {len(answer.right)} situations"
    return f"{text}, and fails in {failed}." if failed else f"{text}."


def _shapes(exercise: Exercise, inputs: Inputs) -> str:
    """Return the shapes of a call's arguments, as a sentence."""
    pairs = zip(exercise.arguments, inputs.args, strict=True)
    shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
    return f"Shapes in that call: {', '.join(shapes)}." if shapes else "No argument is an array."


def situations(exercise: Exercise) -> tuple[tuple[Inputs, ...], list[Any]]:
    """Return what an exercise's function is called with, closed to changes, and what is right."""
    found: tuple[tuple[Inputs, ...], list[Any]] = pickle.loads(_kept(exercise))
    _close(found)
    return found


@cache
def _kept(exercise: Exercise) -> bytes:
    """Return the situations as bytes, which no answer can change."""
    inputs = inputs_of(exercise)
    likes = [
        viewed(exercise.answer, pickle.loads(pickle.dumps(i.args)), exercise.comparable)
        for i in inputs
    ]
    if any(plain(like, like) is None for like in likes):
        raise RuntimeError(f"the reference of {exercise.id} returns nothing")
    return pickle.dumps((inputs, likes))


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


def first_difference(answer: Answer, rtol: float) -> tuple[int, Difference] | None:
    """Return the first call with a difference, and the difference; None where there is none."""
    calls = enumerate(zip(answer.outcomes, answer.right, answer.labels, strict=True))
    for k, (got, want, names) in calls:
        if first := difference(got, want, rtol, names, answer.axes):
            return k, first
    return None
