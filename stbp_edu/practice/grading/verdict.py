"""Grade an answer: right, not attempted, or wrong and what is wrong.

A function is called on copies of its inputs; no exception of its own gets out. A formula that was
read safely becomes a function of its symbols, and the same search explains both.
"""

import ast
import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stbp_edu._support.checks import choice
from stbp_edu.practice import progress, tasks
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.answer import (
    RTOL,
    Answer,
    Failure,
    ResultPart,
    alike,
    kind_of,
    off,
)
from stbp_edu.practice.grading.cases import NO_SUM, wrong_cases
from stbp_edu.practice.grading.search import Finding, named, named_pair, single_mistake
from stbp_edu.practice.tasks import AnswerFunction, Exercise, FormulaBlank, step_name
from stbp_edu.practice.tasks.catalogue import Mistake
from stbp_edu.practice.tasks.programs import define, listed, parse

LONGEST_PRINT = 80
NO_RETURN = "It returns nothing: end it with `return` and the result."
FEW_DIGITS = 5e-3
"""What is right to so many digits is in float16."""
ROUNDED = "It is right to about 3 digits; float64 has 16. Is a number rounded?"
UNQUOTED = "This is a value, computed already: put the formula in quotes."
NO_VALUE = "It has no value: it takes a root of a negative number, divides by zero, or overflows."
SEVERAL = "It differs from the right formula in more than one place."
PAIR = "Two mistakes at once:"
FILL_IN = "Fill in the function and run the cell again"
Found = Sequence[Mistake | Finding]


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
    return _recorded(tasks.chosen(exercise_id, tasks.exercises()), function)


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
    return _recorded(blanks[choice("equation_id", equation_id, blanks)], answer)


def _recorded(task: tasks.Task, answer: object) -> Feedback:
    """Return the feedback on an answer, and keep what it says in the reader's progress."""
    feedback = grade(task, answer)
    progress.record(feedback.exercise, feedback.state)
    return feedback


def grade(task: tasks.Task, answer: object) -> Feedback:
    """Return the feedback on an answer to an exercise or a blank."""
    if isinstance(task, FormulaBlank):
        return _formula_graded(task, answer)
    assert isinstance(task, Exercise)
    return _function_graded(task, answer)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep silent what wrong programs print and warn of while they are tried."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _formula_graded(blank: FormulaBlank, given: object) -> Feedback:
    """Compare a formula with the right one; where it differs, say what is wrong."""
    wrong = Feedback(blank.id, "wrong")
    if isinstance(given, (int, float, complex, np.ndarray, np.generic)):
        return replace(wrong, message=(UNQUOTED,))
    try:
        text = "" if given is None or given is Ellipsis else str(given)
        if text.strip() in ("", "..."):
            asked = f"Type a formula. The symbols: {listed(blank.symbols)}."
            return Feedback(blank.id, "todo", (asked, f'`hint("{blank.id}")` helps.'))
        formula = parse(text, blank.symbols)
    except ValueError as error:
        return replace(wrong, message=(str(error),))
    reader = define(blank.source(ast.unparse(formula)))
    answer = Answer(blank, reader, tasks.points(blank))
    if not any(answer.wrong):
        equals = f"It equals the right-hand side of ({blank.equation})."
        return Feedback(blank.id, "right", (equals,))
    found: Found = [Finding("no-value", "", NO_VALUE)]
    lead = ""
    if any(np.isfinite(x).all() for x in answer.arrays):
        with _quiet():
            lead, found = _explained(answer)
    said = [lead, *(one.text for one in found)]
    if not found:
        k = answer.wrong.index(True)
        where = answer.situations[k].where
        said = [f"{SEVERAL} With {where}: {_difference(answer, k)}."]
    return _wrong(blank, [*said, blank.pointer()], found, lead == PAIR)


def _wrong(
    task: tasks.Task, said: Sequence[str], found: Found = (), together: bool = False
) -> Feedback:
    """Return the feedback on a wrong answer."""
    return Feedback(
        task.id,
        "wrong",
        tuple(text for text in said if text),
        tuple(one.id for one in found if isinstance(one, Mistake)),
        tuple(one for one in found if isinstance(one, Finding)),
        together=together,
    )


def _function_graded(exercise: Exercise, function: object) -> Feedback:
    """Compare a function with the reference; where it differs, say what is wrong."""
    help_ = f'; `hint("{exercise.id}")` helps' * exercise.of_the_course
    todo = Feedback(exercise.id, "todo", (f"{FILL_IN}{help_}.",))
    if function is None or function is Ellipsis:
        return todo
    if not callable(function):
        kind = type(function).__name__
        advice = f"Pass the function itself, not {kind}: do not call it."
        return _wrong(exercise, [advice])
    # The situations come before any line of the reader's code has run.
    answer = Answer(exercise, function, tasks.situations(exercise))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        outcomes = answer.outcomes
    ends_at_blank = any(
        outcome is None or getattr(outcome, "error", "").startswith("UFuncTypeError")
        for outcome in outcomes
    )
    if ends_at_blank and has_blank(function):
        return todo
    if all(outcome is None for outcome in outcomes):
        if does_nothing(function):
            return todo
        return _wrong(exercise, [NO_RETURN, exercise.pointer()])
    line, _, _ = printed.getvalue().strip().partition("\n")
    noise = f"Its printed output is left out here. It begins: {line[:LONGEST_PRINT]}"
    noted = [noise] if line else []
    if not any(answer.wrong):
        said = f"Checked on {len(outcomes)} {exercise.checked_on}."
        return Feedback(exercise.id, "right", (said, *noted))
    with _quiet():
        lead, found = _explained(answer)
    told = [lead, *(one.text for one in found)] if found else [_agreement(answer)]
    # A case says a place itself, but without a term no number.
    if "case" not in [one.id for one in found] or NO_SUM in told[-1]:
        told.append(_first_wrong(answer))
    return _wrong(exercise, [*told, *noted, exercise.pointer()], found, lead == PAIR)


def _explained(answer: Answer) -> tuple[str, Found]:
    """Return what is said first on a wrong answer, and the mistakes with a name, or other finds."""
    arrays = answer.arrays
    if arrays and all(np.isnan(array).all() for array in arrays):
        return "", []  # all that divides by zero would explain it
    mistakes = named(answer)
    if len(mistakes) > 1:
        return f"{len(mistakes)} mistakes give what your answer gives:", mistakes
    kinds = [getattr(outcome, "kind", "") for outcome in answer.outcomes]
    if mistakes or all(kind in ("problem", "type") for kind in kinds):
        return "", mistakes
    is_zero = arrays and not any(array.any() for array in arrays)
    if not is_zero and (pair := named_pair(answer)):  # two may leave 0 of anything
        return PAIR, pair
    cases = wrong_cases(answer)
    clear = [case for case in cases if NO_SUM not in case.text]
    findings = clear or single_mistake(answer) or cases
    if not findings and not any(answer.misses(FEW_DIGITS)):
        findings = [Finding("digits", "", ROUNDED)]
    return "", findings


def _agreement(answer: Answer) -> str:
    """Return a sentence on how many calls are right, and how many fail."""
    right = answer.wrong.count(False)
    failed = sum(isinstance(outcome, Failure) for outcome in answer.outcomes)
    said = (
        f"It agrees with the exact value in {right} of {len(answer.wrong)} situations"
    )
    if failed:
        said += f", and fails in {failed}"
    return f"{said}."


def _first_wrong(answer: Answer) -> str:
    """Return the sentence on what differs where an answer is first wrong."""
    k = answer.wrong.index(True)
    where = answer.situations[k].where
    outcome = answer.outcomes[k]
    if outcome is None:
        outcome = Failure("problem", "It returns nothing here.")
    if isinstance(outcome, dict) or outcome.kind == "type":
        return f"First at {where}: {_difference(answer, k)}."
    place = "In" if where.startswith("call ") else "In the call at"
    return f"{place} {where}: {outcome.message}"


def _difference(answer: Answer, k: int) -> str:
    """Return in what the wrong outcome of the k-th call first differs from the right one."""
    outcome: Any = answer.outcomes[k]
    right: Any = answer.right[k]
    if isinstance(outcome, Failure):
        return outcome.message
    for name, result in outcome.items():
        if not alike(result, right[name]):
            text = _described(result, right[name], answer.task.axes)
            return f"{name}: {text}" if name else text
    raise ValueError(f"the outcome of call {k} is right")


def _described(got: ResultPart, want: ResultPart, axes: Sequence[str]) -> str:
    """Return in what a result differs from the right one."""
    if not isinstance(got, np.ndarray) or not isinstance(want, np.ndarray):
        cells = f"yours {sorted(got)}, expected {sorted(want)}"
        return f"{cells}, as cells (t, n) with t counted from 0"
    if got.shape != want.shape:
        text = f"it returns {kind_of(got)}, where {kind_of(want)} is expected"
        if got.size == 1 and not want.shape:
            text += ": return the number in it, without the brackets around it"
        return text
    if want.dtype == bool and not want.shape:
        return "this does not hold"
    infinite = ~np.isfinite(got)
    where = infinite if infinite.any() else off(got, want, RTOL)
    index = tuple(map(int, np.argwhere(where)[0]))
    place = f" at index {index[0] if len(index) == 1 else index}" if index else ""
    if index and len(index) == len(axes):
        named = zip(axes, index, strict=True)
        words = (step_name(i) if name == "t" else f"{name} {i}" for name, i in named)
        place = f" at {', '.join(words)}"
        place += "" if list(axes) == ["t"] else " (counted from 0)"
    if infinite.any():
        return f"it returns {got[index]}{place}: a division by zero, or an overflow"
    return f"{side_by_side(float(got[index]), float(want[index]))}{place}"


def side_by_side(yours: float, exact: float) -> str:
    """Return two numbers with as many digits as it takes to tell them apart.

    >>> side_by_side(0.33333333, 0.33333444)
    'yours 0.333333, exact 0.333334'
    """
    for digits in range(4, 18):
        x = f"{yours:.{digits}g}"
        y = f"{exact:.{digits}g}"
        if x != y:
            break
    return f"yours {x}, exact {y}"


def has_blank(function: AnswerFunction) -> bool:
    """Return whether the dots of a stub are left anywhere in a function."""
    code = getattr(function, "__code__", None)
    return "Ellipsis" in repr(getattr(code, "co_consts", ()))


def does_nothing(function: AnswerFunction) -> bool:
    """Return whether a function that returns nothing is what a reader has not begun to fill in."""
    code = getattr(function, "__code__", None)
    is_empty = getattr(code, "co_code", b"") == (lambda: None).__code__.co_code
    is_refused = "NotImplementedError" in getattr(code, "co_names", ())
    return is_empty or is_refused or has_blank(function)
