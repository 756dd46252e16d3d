"""Grade a function: right, not attempted, or wrong and what is wrong.

The reader's function is called on copies of its inputs; no exception of its own gets out.
"""

import copy
import inspect
import pickle
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.calling import Habits, TooLongError, call, limited, tried
from stbp_edu.practice.grading.diagnosis import unnamed
from stbp_edu.practice.grading.differences import (
    NO_FLOORS,
    RTOL,
    SHORT_RTOL,
    Difference,
    difference,
    floors_of,
    is_blank,
    is_short,
    same_outcome,
)
from stbp_edu.practice.grading.search import Answer, Finding
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
    habits = Habits()
    outcomes = outcomes_of(exercise, function, habits)
    if all(o.blank if isinstance(o, Difference) else is_blank(o) for o in outcomes):
        return not_attempted
    rtol, words, exact = RTOL, "", first_difference(exercise, outcomes, right, RTOL)
    short = any(is_short(o, want) for o, want in zip(outcomes, right, strict=True))
    if short:
        rtol, words = SHORT_RTOL, "float32 holds about 7 digits: compute in float64 to keep 16."
    elif exact and first_difference(exercise, outcomes, right, SHORT_RTOL) is None:
        words = "It is right to about 5 digits; float64 holds 16. Is there a float32 inside?"
    final = SHORT_RTOL if words else RTOL
    first = exact and first_difference(exercise, outcomes, right, final, short=short)
    if first:
        answer = _answer(exercise, outcomes, right, rtol)
        return _diagnosis(exercise, function, answer, habits, *first)
    if again := second_time(exercise, function, outcomes, right):
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


def _answer(exercise: Exercise, outcomes: Any, right: Any, rtol: float) -> Answer:
    """Return a wrong answer as the search takes it."""
    return Answer(
        exercise.source(), exercise.arguments, inputs_of(exercise), outcomes, right,
        lambda function, k: run(exercise, function, k), tuple, rtol,
        exercise.axes, exercise.parts,
    )  # fmt: skip


def _diagnosis(
    exercise: Exercise,
    function: Function,
    answer: Answer,
    habits: Habits,
    k: int,
    first: Difference,
) -> Feedback:
    """Return the feedback on a wrong answer, given its first difference, in the k-th call."""
    inputs = answer.inputs[k]
    named = {
        m.id: str(m)
        for m in exercise.mistakes
        if not habits.stopped and answer.gives(exercise.function(m.body), exactly=False)
    }
    message = list(named.values())
    if len(named) > 1:
        message.insert(0, f"{len(named)} mistakes give what your function gives:")
    findings = [] if named or habits.stopped else _found(exercise, function, answer)
    message += [f.text for f in findings if f.text]
    if not named and not findings and not habits.stopped:
        message += _agreement(answer, first)
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


def _found(exercise: Exercise, function: Function, answer: Answer) -> list[Finding]:
    """Return what is found out about a mistake without a name; [] where the search fails."""
    try:
        with limited(Habits()):
            return unnamed(exercise, function, answer)
    except (Exception, TooLongError):  # a wrong answer may do anything when it is asked odd things
        return []


def _agreement(answer: Answer, first: Difference) -> list[str]:
    """Return in how many situations a wrong answer is right, or fails."""
    agree, many = answer.wrong.count(False), len(answer.right)
    failed = sum(isinstance(o, Difference) for o in answer.outcomes)
    if first.kind == "problem" and failed < many:
        rest = "right in every other" if agree + failed == many else f"right in {agree}"
        return [f"It fails in {failed} of {many} situations, and is {rest}."]
    if first.kind in ("problem", "type"):
        return []
    return [f"It agrees with the exact value in {agree} of {many} situations."]


def _shapes(exercise: Exercise, inputs: Inputs) -> str:
    """Return the shapes of a call's arguments, as a sentence."""
    pairs = zip(exercise.arguments, inputs.args, strict=True)
    shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
    return f"Shapes in that call: {', '.join(shapes)}." if shapes else "No argument is an array."


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

    Only where results are random it is called as the reader's are, with a generator of its own.
    """
    if exercise.comparable is not None:
        return call(function, inputs_of(exercise)[k].args, exercise)
    outcome = tried(function, _read_only_inputs(exercise)[k])
    if isinstance(outcome, Difference) and "read-only" in outcome.error:  # it works in place
        return tried(function, copy.deepcopy(inputs_of(exercise)[k].args))
    return outcome


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
