"""Grade an answer: right, not attempted, or wrong and what is wrong.

A function is called on copies of its inputs; no exception of its own gets out. A formula that was
read safely becomes a function of its symbols, and the same search explains both.
"""

import ast
import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from stbp_edu._support.checks import choice
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.practice import saved_progress, tasks
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import formulas
from stbp_edu.practice.grading.answer import SHORT_RTOL, Answer, same
from stbp_edu.practice.grading.calling import CallResult, Difference, call, tried
from stbp_edu.practice.grading.cases import NO_SUM, wrong_cases
from stbp_edu.practice.grading.named import named, named_pair
from stbp_edu.practice.grading.search import Finding, single_mistake
from stbp_edu.practice.grading.stubs import does_nothing, has_blank, open_lines
from stbp_edu.practice.tasks import AnswerFunction, Exercise, FormulaBlank, Inputs
from stbp_edu.practice.tasks.catalogue import Mistake
from stbp_edu.practice.tasks.programs import define

LONGEST_PRINT = 80
KEPT = (
    "Called again with the inputs of the first call, it gives a different result: it keeps "
    "state in a global variable or a default argument."
)
NO_RETURN = "It returns nothing: end it with `return` and the result."
SHORT = "It is right to about 5 digits, the precision of float32; float64 has 16."
FEW_DIGITS = 5e-3
"""What is right to so many digits is in float16."""
ROUNDED = "It is right to about 3 digits; float64 has 16. Is a number rounded?"
UNQUOTED = "This is a value, computed already: put the formula in quotes."
NO_VALUE = "It has no value: it takes a root of a negative number, divides by zero, or overflows."
SEVERAL = "It differs from the right formula in more than one place."
TINY = "It is right except for a term that floats do not show near 0: tiny, or large only far away."
FILL_IN = "Fill in the function and run the cell again"


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
    saved_progress.record(feedback.exercise, feedback.state)
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
    if isinstance(given, (int, float, complex, np.ndarray, np.generic)):
        return Feedback(blank.id, "wrong", (UNQUOTED,))
    try:
        text = "" if given is None or given is Ellipsis else str(given)
        if text.strip() in ("", "..."):
            asked = f"Type a formula. The symbols: {formulas.listed(blank.symbols)}."
            return Feedback(blank.id, "todo", (asked, f'`hint("{blank.id}")` helps.'))
        formula = formulas.parse(text, blank.symbols)
    except ValueError as error:
        return Feedback(blank.id, "wrong", (str(error),))
    right = formulas.parse(blank.solution, blank.symbols)
    if formulas.equal(formula, right, blank):
        equals = f"It equals the right-hand side of ({blank.equation})."
        return Feedback(blank.id, "right", (equals,))
    reader = define(blank.source(ast.unparse(formula)))
    answer = Answer(blank.source(), _points(blank), partial(tried, reader))
    near = formulas.value(formula, formulas.points(blank)[0])
    feedback = Feedback(blank.id, "wrong")
    if not any(answer.wrong) and (near is None or near.is_finite()):
        feedback = replace(
            feedback, message=(TINY,), findings=(Finding("tiny", "", TINY),)
        )
    elif not any(answer.wrong) or not any(map(_is_finite, answer.arrays)):
        fault = Finding("no-value", "", NO_VALUE)
        feedback = replace(feedback, message=(NO_VALUE,), findings=(fault,))
    else:
        with _quiet():
            feedback, _ = _explained(blank, answer)
    said = feedback.message
    if not said:
        k = answer.wrong.index(True)
        where = answer.situations[k].where
        said = (f"{SEVERAL} With {where}: {answer.difference(k).message}.",)
    return replace(feedback, message=(*said, blank.pointer()))


@cache
def _points(blank: FormulaBlank) -> list[Inputs]:
    """Return the symbols' values near 0, with the right ones of the formula."""
    source = blank.source()
    used = {getattr(node, "id", "") for node in ast.walk(ast.parse(source))}
    every = []
    for point in formulas.points(blank)[: formulas.NEAR]:
        numbers = {name: float(point[name]) for name in blank.arguments}
        shown = [f"{name} = {x:g}" for name, x in numbers.items() if name in used]
        right = define(source)(*numbers.values())
        every.append(Inputs(tuple(numbers.values()), ", ".join(shown), right=right))
    return every


def _is_finite(array: np.ndarray[Any, Any]) -> bool:
    return bool(np.isfinite(array).all())


def _function_graded(exercise: Exercise, function: object) -> Feedback:
    """Compare a function with the reference; where it differs, say what is wrong."""
    help_ = f'; `hint("{exercise.id}")` helps' * exercise.of_the_course
    todo = Feedback(exercise.id, "todo", (f"{FILL_IN}{help_}.",))
    if function is None or function is Ellipsis:
        return todo
    wrong = Feedback(exercise.id, "wrong")
    if not callable(function):
        kind = type(function).__name__
        advice = f"Pass the function itself, not {kind}: do not call it."
        return replace(wrong, message=(advice,))
    every = tasks.situations(exercise)  # before any line of the reader's code has run
    view = exercise.comparable if exercise.view else None
    judged: AnswerFunction = view(function) if view else function

    def ask(args: Sequence[object], like: object) -> CallResult:
        return call(judged, args, like, exercise.parts)

    answer = Answer(exercise.source(), every, ask, exercise.axes, exercise.parts, view)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        outcomes = answer.outcomes
        again = ask(every[0].args, every[0].right)
    ends_at_blank = any(
        outcome is None or getattr(outcome, "error", "").startswith("UFuncTypeError")
        for outcome in outcomes
    )
    if ends_at_blank and has_blank(function):
        still = open_lines(function)
        if 0 < len(still) < exercise.blanks:
            which = f"Still open: {' and '.join(still)}."
            return replace(todo, message=(which, *todo.message))
        return todo
    if all(outcome is None for outcome in outcomes):
        nothing = replace(wrong, message=(NO_RETURN, exercise.pointer()))
        return todo if does_nothing(function) else nothing
    program = answer.source
    said: tuple[str, ...]
    if any(answer.misses(SHORT_RTOL)):
        with _quiet():
            feedback, program = _explained(exercise, answer, function)
        said = feedback.message or (_agreement(answer),)
        feedback = replace(feedback, message=(*said, *_first_wrong(exercise, answer)))
    elif not same(again, outcomes[0], SHORT_RTOL):
        feedback = replace(wrong, message=(KEPT,))
    else:
        said = (f"Checked on {len(every)} {exercise.checked_on}.",)
        said += (SHORT,) * (any(answer.wrong) or answer.rtol == SHORT_RTOL)
        feedback = Feedback(exercise.id, "right", said)
    said = feedback.message
    line, _, _ = printed.getvalue().strip().partition("\n")
    if line:
        text = line[:LONGEST_PRINT]
        said += (f"Its printed output is left out here. It begins: {text}",)
    if feedback.state == "wrong":
        said += (exercise.pointer(*_equations(exercise, feedback, program)),)
    return replace(feedback, message=said)


def _equations(exercise: Exercise, feedback: Feedback, program: str) -> list[str]:
    """Return the equations to look at: of the line that a program changes, or of what is wrong."""
    right = exercise.source()
    forms = [ast.unparse(ast.parse(text)).splitlines() for text in (right, program)]
    is_changed = False
    for line, ours, theirs in zip(right.splitlines(), *forms, strict=False):
        is_changed = is_changed or ours != theirs
        _, _, equation = line.partition("  # ")
        if is_changed and equation in EQUATIONS:
            return [equation]
    for finding in feedback.findings:
        if finding.id == "case":
            return list(finding.place.split())
    cell = re.search(r": ([δε]) at .*, case (\d)", "".join(feedback.message))
    if cell:
        letter = "delta" if cell[1] == "δ" else "epsilon"
        return [f"c{cell[2]}-{letter}"]
    return []


def _explained(
    task: tasks.Task, answer: Answer, function: AnswerFunction | None = None
) -> tuple[Feedback, str]:
    """Return the feedback on a wrong answer: the mistakes with a name, or what else is found.

    With it comes a program that gives the answer; the right one where none is found.
    """
    feedback = Feedback(task.id, "wrong")
    arrays = answer.arrays
    if arrays and all(np.isnan(array).all() for array in arrays):
        # All that divides by zero would explain it.
        return feedback, answer.source
    runs = any(
        getattr(of, "kind", "") not in ("problem", "type") for of in answer.outcomes
    )
    is_zero = arrays and not any(array.any() for array in arrays)
    mistakes = named(task, answer)
    said = f"{len(mistakes)} mistakes give what your answer gives:" * (
        len(mistakes) > 1
    )
    together = False
    if runs and not mistakes and not is_zero:  # two changes may leave 0 of anything
        mistakes = named_pair(task, answer)
        together = bool(mistakes)
        said = "Two mistakes at once:" * together
    findings: list[Finding] = []
    if runs and not mistakes:
        cases = wrong_cases(task.id, function)
        # The course's program is searched first, since it is written as its solution is.
        is_own = task.id == "backward"
        clear = [case for case in cases if is_own and NO_SUM not in case.text]
        findings = clear or single_mistake(answer) or cases
        if not findings and not any(answer.misses(FEW_DIGITS)):
            findings = [Finding("digits", "", ROUNDED)]
    found: list[Mistake | Finding] = [*mistakes, *findings]
    feedback = Feedback(
        task.id,
        "wrong",
        tuple(text for text in (said, *(one.text for one in found)) if text),
        tuple(mistake.id for mistake in mistakes),
        tuple(findings),
        together=together,
    )
    programs = [one.program for one in found if one.program]
    return feedback, next(iter(programs), answer.source)


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
            named = {name: value}
            if isinstance(value, list):
                named = {f"{name}[{k}]": part for k, part in enumerate(value)}
            arrays = {n: x for n, x in named.items() if isinstance(x, np.ndarray)}
            shapes += [f"{n} {x.shape}" for n, x in arrays.items()]
        if shapes:
            said.append(f"Shapes in that call: {', '.join(shapes)}.")
    return said
