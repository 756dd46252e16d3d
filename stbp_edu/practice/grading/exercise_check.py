"""Grade a function: right, not attempted, or wrong and what is wrong.

The reader's function is called on copies of its inputs; no exception of its own gets out.
"""

import io
import pickle
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.answer import SHORT_RTOL, Answer, difference, same
from stbp_edu.practice.grading.calling import LONGEST_PRINT, Difference, Outcome, call, undone
from stbp_edu.practice.grading.epsilon_fit import NO_SUM, case_reports
from stbp_edu.practice.grading.search import Finding, single_mistake, wrong_terms
from stbp_edu.practice.tasks import Exercise, Function, Inputs, exercise_of, inputs_of

KEPT = (
    "Called again with the inputs of the first call, it answers otherwise: it keeps something "
    "from call to call, in a global name or in a default argument."
)
FEW_DIGITS = 5e-3
"""What is right to so many digits is rounded, or in float16."""
ROUNDED = "It is right to about 3 digits; float64 holds 16. Is a number rounded?"
SHORT = "It is right to about 5 digits, as float32 holds them; float64 holds 16."


def check(exercise_id: str, function: Function | None) -> Feedback:
    """Say whether ``function`` solves the exercise, and if not, what is wrong.

    The function is called with copies, on several networks. Any right form is accepted.

    It trusts you: it is there to help, and takes your function as it is. A function that looks up
    the right one, or that counts its calls and answers well only while it is checked, is called
    right. Where marks depend on it, ``stbp-edu grade`` runs each answer in a process of its own
    that holds nothing that is right.

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
    help_ = f'Fill in the function and run the cell again; `hint("{exercise.id}")` helps.'
    todo = Feedback(exercise.id, "todo", (help_,))
    if function is None or function is Ellipsis:
        return todo
    if not callable(function):
        message = f"Pass the function itself, not {type(function).__name__}: do not call it."
        return Feedback(exercise.id, "wrong", (message,))
    every = situations(exercise)  # before any line of the reader's code has run
    printed, judged = io.StringIO(), exercise.comparable(function)

    def ask(args: Sequence[Any], like: Any) -> Outcome:
        return call(judged, args, like, exercise.parts, printed)

    answer = Answer(
        exercise.source(), exercise.arguments, every, ask, exercise.axes, exercise.parts,
        exercise.comparable if exercise.view else None,
    )  # fmt: skip
    with undone() as undo, np.errstate(all="ignore"):
        if all(outcome is None for outcome in answer.outcomes):
            return todo
        undo()
        verdict = _verdict(exercise, answer, function)
    said = list(verdict.message)
    if text := printed.getvalue():
        first = text.strip().partition("\n")[0][:LONGEST_PRINT]
        said.append(f"What it prints is left out here. It begins: {first}")
    said += [exercise.pointer] * (verdict.state == "wrong")
    return replace(verdict, message=tuple(said))


def _verdict(exercise: Exercise, answer: Answer, function: Function) -> Feedback:
    """Return the feedback on an answer that was called in every situation."""
    rounded = any(answer.wrong) and not any(answer.misses(SHORT_RTOL))
    if any(answer.wrong) and not rounded:
        return _diagnosis(exercise, answer, function)
    first = answer.situations[0]
    again = answer.ask(first.args, first.right)
    if not same(again, answer.outcomes[0], SHORT_RTOL):
        return Feedback(exercise.id, "wrong", (KEPT,))
    said = f"Checked on {len(answer.situations)} situations in several networks."
    is_short = rounded or answer.rtol == SHORT_RTOL
    return Feedback(exercise.id, "right", (said, *[SHORT] * is_short))


def _diagnosis(exercise: Exercise, answer: Answer, function: Function) -> Feedback:
    """Return the feedback on a wrong answer: the mistakes with a name, or what else is found."""
    asked = () if answer.is_all_nan else exercise.mistakes
    named = {m.id: str(m) for m in asked if answer.gives(exercise.function(m.body), exactly=False)}
    findings = _unnamed(exercise, answer, function) if asked and not named else []
    several = f"{len(named)} mistakes give what your function gives:"
    said = [several] * (len(named) > 1) + [*named.values(), *(f.text for f in findings if f.text)]
    if not said:
        agreed = f"{answer.wrong.count(False)} of {len(answer.wrong)} situations"
        failed = sum(isinstance(outcome, Difference) for outcome in answer.outcomes)
        ending = f", and fails in {failed}" * bool(failed)
        said = [f"It agrees with the exact value in {agreed}{ending}."]
    where, first = _first_wrong(exercise, answer)
    return Feedback(exercise.id, "wrong", (*said, *first), tuple(named), where, tuple(findings))


def _unnamed(exercise: Exercise, answer: Answer, function: Function) -> list[Finding]:
    """Return what is found out about a mistake that has no name, the plainest idea first."""
    if all(isinstance(o, Difference) and o.kind == "problem" for o in answer.outcomes):
        return []
    steps = _wrong_cases(function) if exercise.id == "backward" else []
    clear = [f for f in steps if NO_SUM not in f.text]
    found = clear or single_mistake(answer) or steps
    if not found and not any(answer.misses(FEW_DIGITS)):
        return [Finding("digits", "", ROUNDED)]
    return found if found or answer.view else wrong_terms(answer)


def _wrong_cases(function: Function) -> list[Finding]:
    """Return what is wrong with the cases of a backward pass that are wrong in themselves."""
    cases = [c for c in case_reports(function) if c.explanation]
    if cases and cases[-1].case == 5:
        cases = cases[-1:]  # then no ε can be found, and the other cases say nothing
    return [
        Finding("case", f"case {c.case}", f"Case {c.case}: {c.explanation}. First at {c.first}.")
        for c in cases
    ]


def _first_wrong(exercise: Exercise, answer: Answer) -> tuple[str, list[str]]:
    """Return the situation in which an answer is first wrong, and sentences on what differs."""
    k = answer.wrong.index(True)
    inputs = answer.situations[k]
    first = difference(answer.outcomes[k], answer.right[k], answer.rtol, answer.axes)
    if first.kind == "problem":
        place = "In" if inputs.where.startswith("call ") else "In the call at"
        said = [f"{place} {inputs.where}: {first.message}"]
    else:
        part = f"{first.part}: " * bool(first.part)
        said = [f"First at {inputs.where}: {part}{first.message}."]
    if first.kind in ("problem", "type", "shape"):
        pairs = zip(exercise.arguments, inputs.args, strict=True)
        shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
        given = f"Shapes in that call: {', '.join(shapes)}."
        said.append(given if shapes else "No argument is an array.")
    return inputs.where, said


def situations(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return what an exercise's function is called with, closed to changes, and what is right."""
    text, buffers = _kept(exercise)
    found: tuple[Inputs, ...] = pickle.loads(text, buffers=buffers)
    return found


@cache
def _kept(exercise: Exercise) -> tuple[bytes, list[bytes]]:
    """Return the situations as bytes, which no answer can change, those of arrays by themselves."""
    answer = exercise.comparable(exercise.answer)
    every = tuple(
        replace(i, right=answer(*pickle.loads(pickle.dumps(i.args)))) for i in inputs_of(exercise)
    )
    buffers: list[pickle.PickleBuffer] = []
    whole = pickle.loads(pickle.dumps(every))  # with no array that is a part of another
    text = pickle.dumps(whole, protocol=5, buffer_callback=buffers.append)
    return text, [buffer.raw().tobytes() for buffer in buffers]
