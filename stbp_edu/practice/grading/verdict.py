"""Grade an answer: right, not attempted, or wrong and what is wrong.

A function is called on copies of its inputs; no exception of its own gets out.
"""

import contextlib
import copy
import dis
import io
import pickle
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np

from stbp_edu._support.checks import choice
from stbp_edu.practice import saved_progress, tasks
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.answer import SHORT_RTOL, Answer, same
from stbp_edu.practice.grading.calling import (
    CallResult,
    Difference,
    call,
    reading,
)
from stbp_edu.practice.grading.epsilon_fit import NO_SUM, case_reports
from stbp_edu.practice.grading.formula_verdict import grade_formula
from stbp_edu.practice.grading.pairs import likeliest_pairs, with_both
from stbp_edu.practice.grading.search import Finding, single_mistake
from stbp_edu.practice.grading.terms import vague_finding
from stbp_edu.practice.tasks import AnswerFunction, Exercise, FormulaBlank, Inputs
from stbp_edu.practice.tasks.catalogue import define

LONGEST_PRINT = 80
KEPT = (
    "Called again with the inputs of the first call, it gives a different result: it keeps "
    "state in a global variable or a default argument."
)
NO_RETURN = "It returns nothing: end it with `return` and the result."
SHORT = "It is right to about 5 digits, the precision of float32; float64 has 16."


def check(exercise_id: str, function: AnswerFunction | None) -> Feedback:
    """Say whether ``function`` solves the exercise, and if not, what is wrong.

    The function is called with copies, on several networks. Any right form is accepted.

    It trusts you: it is there to help, and takes your function as it is. A function that looks up
    the right one, or that counts its calls and answers well only while it is checked, is called
    right.

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
    exercise = tasks.chosen(exercise_id, tasks.exercises())
    feedback = grade(exercise, function)
    saved_progress.record(feedback.exercise, feedback.state, feedback.mistakes)
    return feedback


def check_formula(equation_id: str, answer: object) -> Feedback:
    """Say whether ``answer`` is the formula that the equation's right-hand side asks for.

    Args:
        equation_id: id of the equation, such as ``"c3-delta"``.
        answer: the formula as text (``"delta_T + eps_next * u * df"``), or a SymPy expression.

    Raises:
        ValueError: if there is no such blank.

    >>> check_formula("c3-delta", "df * u * eps_next + delta_T").right
    True
    >>> check_formula("c3-delta", "delta_T + delta_next * h_next * u * df").mistakes
    ('classic',)
    """
    blanks = tasks.blanks()
    blank = blanks[choice("equation_id", equation_id, blanks)]
    feedback = grade(blank, answer)
    saved_progress.record(feedback.exercise, feedback.state, feedback.mistakes)
    return feedback


def grade(task: tasks.Task, answer: object) -> Feedback:
    """Return the feedback on an answer to an exercise or a blank."""
    if isinstance(task, FormulaBlank):
        return grade_formula(task, answer)
    assert isinstance(task, Exercise)
    return _function_graded(task, answer)


def _function_graded(exercise: Exercise, function: object) -> Feedback:
    """Compare a function with the reference; where it differs, say what is wrong."""
    help_ = "Fill in the function and run the cell again"
    if exercise.of_the_course:
        help_ += f'; `hint("{exercise.id}")` helps'
    todo = Feedback(exercise.id, "todo", (f"{help_}.",))
    if function is None or function is Ellipsis:
        return todo
    if not callable(function):
        message = (
            f"Pass the function itself, not {type(function).__name__}: do not call it."
        )
        return Feedback(exercise.id, "wrong", (message,))
    every = situations(exercise)  # before any line of the reader's code has run
    judged: AnswerFunction = function
    view = None
    if exercise.view:
        judged, view = exercise.comparable(reading(function)), exercise.comparable

    def ask(args: Sequence[object], like: object) -> CallResult:
        return call(judged, args, like, exercise.parts)

    answer = Answer(exercise.source(), every, ask, exercise.axes, exercise.parts, view)
    first = every[0]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        outcomes = answer.outcomes
        again = ask(first.args, first.right)
    if all(outcome is None for outcome in outcomes):
        if not _lacks_return(function):
            return todo
        return Feedback(exercise.id, "wrong", (NO_RETURN, exercise.pointer))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wrong answers that are tried
        verdict = _verdict(exercise, answer, function, again)
    said = list(verdict.message)
    line, _, _ = printed.getvalue().strip().partition("\n")
    if line:
        text = line[:LONGEST_PRINT]
        said.append(f"Its printed output is left out here. It begins: {text}")
    if verdict.state == "wrong":
        said.append(exercise.pointer)
    return replace(verdict, message=tuple(said))


def _lacks_return(function: AnswerFunction) -> bool:
    """Return whether a function that returns nothing is more than a stub."""
    code = getattr(function, "__code__", None)
    if code is None or ... in code.co_consts or "NotImplementedError" in code.co_names:
        return False
    done = {step.opname.partition("_")[0] for step in dis.get_instructions(code)}
    return bool(done & {"BINARY", "CALL", "STORE"})


def _verdict(
    exercise: Exercise, answer: Answer, function: AnswerFunction, again: CallResult
) -> Feedback:
    """Return the feedback on an answer that was called in every situation, and the first again."""
    if any(answer.misses(SHORT_RTOL)):
        return _diagnosis(exercise, answer, function)
    if not same(again, answer.outcomes[0], SHORT_RTOL):
        return Feedback(exercise.id, "wrong", (KEPT,))
    said = [f"Checked on {len(answer.situations)} {exercise.checked_on}."]
    if any(answer.wrong) or answer.rtol == SHORT_RTOL:
        said.append(SHORT)
    return Feedback(exercise.id, "right", tuple(said))


def _diagnosis(
    exercise: Exercise, answer: Answer, function: AnswerFunction
) -> Feedback:
    """Return the feedback on a wrong answer: the mistakes with a name, or what else is found."""
    arrays = answer.arrays
    asked = exercise.mistakes
    if arrays and all(np.isnan(array).all() for array in arrays):
        asked = ()  # or all that divides by zero would explain it
    named: dict[str, str] = {}
    for mistake in asked:
        if answer.gives(exercise.function(mistake.body), exactly=False):
            named[mistake.id] = str(mistake)
    both: dict[str, str] = {}
    findings: list[Finding] = []
    if asked and not named and _runs(answer):
        is_zero = bool(arrays) and not any(array.any() for array in arrays)
        if not is_zero:  # two changes may leave 0 of anything
            both = _named_pair(exercise, answer)
        if not both:
            findings = _unnamed(exercise, answer, function)
    said: list[str] = []
    if len(named) > 1:
        said.append(f"{len(named)} mistakes give what your function gives:")
    if both:
        said.append("Two mistakes at once:")
    said += [*named.values(), *both.values()]
    said += [finding.text for finding in findings if finding.text]
    if not said:
        said.append(_agreement(answer))
    said += _first_wrong(exercise, answer)
    mistakes = tuple(named | both)
    return Feedback(
        exercise.id,
        "wrong",
        tuple(said),
        mistakes,
        tuple(findings),
        together=bool(both),
    )


def _runs(answer: Answer) -> bool:
    """Return whether there is a call in which no exception is raised."""
    for outcome in answer.outcomes:
        if not isinstance(outcome, Difference) or outcome.kind != "problem":
            return True
    return False


def _unnamed(
    exercise: Exercise, answer: Answer, function: AnswerFunction
) -> list[Finding]:
    """Return the findings on a wrong answer that no named mistake gives."""
    steps: list[Finding] = []
    if exercise.id == "backward":
        steps = _wrong_cases(function)
    clear = [step for step in steps if NO_SUM not in step.text]
    return clear or single_mistake(answer) or steps or vague_finding(answer)


def _agreement(answer: Answer) -> str:
    """Return a sentence on how many calls are right, and how many fail."""
    right = answer.wrong.count(False)
    failed = sum(isinstance(outcome, Difference) for outcome in answer.outcomes)
    said = (
        f"It agrees with the exact value in {right} of {len(answer.wrong)} situations"
    )
    if failed:
        said += f", and fails in {failed}"
    return f"{said}."


def _named_pair(exercise: Exercise, answer: Answer) -> dict[str, str]:
    """Return the two named mistakes that together give an answer, by id with their sentences."""
    for one, other in likeliest_pairs(exercise):
        source = with_both(exercise, one, other)
        if source and answer.gives(define(source), exactly=False):
            return {one.id: str(one), other.id: str(other)}
    return {}


def _wrong_cases(function: AnswerFunction) -> list[Finding]:
    """Return the findings on those cases of a backward pass that are wrong in themselves."""
    cases = [c for c in case_reports(function) if c.explanation]
    if cases and cases[-1].case == 5:
        cases = cases[-1:]  # then no ε can be found, and the other cases say nothing
    findings = []
    for c in cases:
        text = f"Case {c.case}: {c.explanation}. First at {c.first}."
        findings.append(Finding("case", f"case {c.case}", text))
    return findings


def _first_wrong(exercise: Exercise, answer: Answer) -> list[str]:
    """Return sentences on what differs where an answer is first wrong."""
    k = answer.wrong.index(True)
    inputs = answer.situations[k]
    first = answer.difference(k)
    said = [f"First at {inputs.where}: {first.message}."]
    if first.kind == "problem":
        place = "In" if inputs.where.startswith("call ") else "In the call at"
        said = [f"{place} {inputs.where}: {first.message}"]
    if first.kind in ("problem", "type", "shape"):
        shapes = []
        for name, value in zip(exercise.arguments, inputs.args, strict=True):
            if isinstance(value, np.ndarray):
                shapes.append(f"{name} {value.shape}")
        if shapes:
            said.append(f"Shapes in that call: {', '.join(shapes)}.")
        else:
            said.append("No argument is an array.")
    return said


def situations(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of an exercise's function, closed to changes, with the right results."""
    return _kept(exercise)()


@cache
def _kept(exercise: Exercise) -> Callable[[], tuple[Inputs, ...]]:
    """Return a function that makes the situations from bytes, which no answer can change."""
    answer = exercise.comparable(exercise.answer)
    every = []
    for inputs in tasks.inputs_of(exercise):
        right = answer(*copy.deepcopy(inputs.args))
        every.append(replace(inputs, right=right))
    # Pickled once, no array is a part of another.
    whole = pickle.loads(pickle.dumps(tuple(every)))
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(whole, protocol=5, buffer_callback=buffers.append)
    kept = [buffer.raw().tobytes() for buffer in buffers]
    return partial(pickle.loads, text, buffers=kept)
