"""Grade an answer: right, not attempted, or wrong and what is wrong.

A function is called on copies of its inputs; no exception of its own gets out. A formula that was
read safely becomes a function of its symbols, and the same search explains both.
"""

import ast
import contextlib
import copy
import dis
import io
import linecache
import pickle
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
from stbp_edu.practice.grading.search import Finding, several_mistakes, single_mistake
from stbp_edu.practice.tasks import AnswerFunction, Exercise, FormulaBlank, Inputs
from stbp_edu.practice.tasks.programs import define

LONGEST_PRINT = 80
KEPT = (
    "Called again with the inputs of the first call, it gives a different result: it keeps "
    "state in a global variable or a default argument."
)
NO_RETURN = "It returns nothing: end it with `return` and the result."
SHORT = "It is right to about 5 digits, the precision of float32; float64 has 16."
UNQUOTED = "This is a value, computed already: put the formula in quotes."
NO_VALUE = "It has no value: it takes a root of a negative number, divides by zero, or overflows."
SEVERAL = "It differs from the right formula in more than one place."
TINY = "It is right except for a term that floats do not show near 0: tiny, or large only far away."


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


def _formula_graded(blank: FormulaBlank, answer: object) -> Feedback:
    """Compare a formula with the right one; where it differs, say what is wrong."""

    def judged(state: str, *said: str) -> Feedback:
        return Feedback(blank.id, state, said)

    if isinstance(answer, (int, float, complex, np.ndarray, np.generic)):
        return judged("wrong", UNQUOTED)
    try:
        text = "" if answer is None or answer is Ellipsis else str(answer)
    except BaseException:  # it fails to say what it is
        kind = type(answer).__name__
        return judged("wrong", f"This {kind} cannot be read: type a formula.")
    if text.strip() in ("", "..."):
        asked = f"Type a formula. The symbols: {formulas.listed(blank.symbols)}."
        return judged("todo", asked, f'`hint("{blank.id}")` helps.')
    try:
        formula = formulas.parse(text, blank.symbols)
    except ValueError as error:
        return judged("wrong", str(error))
    right = formulas.parse(blank.solution, blank.symbols)
    if formulas.equal(formula, right, blank):
        return judged("right", f"It equals the right-hand side of ({blank.equation}).")
    reader = define(blank.source(formulas.in_floats(formula)))
    compared = Answer(blank.source(), _points(blank), partial(tried, reader))
    with _quiet():
        fault = _fault(blank, formula, compared)
        if fault is None:
            feedback, _ = _explained(blank, compared)
        else:
            feedback = Feedback(blank.id, "wrong", (fault.text,), findings=(fault,))
    said = feedback.message or (f"{SEVERAL} {_first_point(blank, compared)}",)
    return replace(feedback, message=(*said, blank.pointer()))


@cache
def _points(blank: FormulaBlank) -> list[Inputs]:
    """Return the symbols' values near 0, with the right ones of the formula."""
    solution = define(blank.source())
    every = []
    for point in formulas.points(blank)[: formulas.NEAR]:
        args = tuple(float(point[name]) for name in blank.arguments)
        every.append(Inputs(args, "", right=solution(*args)))
    return every


def _fault(blank: FormulaBlank, formula: str, answer: Answer) -> Finding | None:
    """Return the finding on a formula without values, or with those of the right one near 0."""
    if not any(answer.wrong):
        exact = formulas.value(formula, formulas.points(blank)[0])
        if exact is None or exact.is_finite():
            return Finding("tiny", "", TINY)
    elif any(np.isfinite(array).all() for array in answer.arrays):
        return None
    return Finding("no-value", "", NO_VALUE)


def _first_point(blank: FormulaBlank, answer: Answer) -> str:
    """Return a sentence on the first point at which a formula is wrong."""
    k = answer.wrong.index(True)
    args = answer.situations[k].args
    numbers = dict(zip(blank.arguments, args, strict=True))
    used = {getattr(node, "id", "") for node in ast.walk(ast.parse(answer.source))}
    shown = [f"{name} = {x:g}" for name, x in numbers.items() if name in used]
    return f"With {', '.join(shown)}: {answer.difference(k).message}."


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
    view = exercise.comparable if exercise.view else None
    if view:
        judged = view(function)

    def ask(args: Sequence[object], like: object) -> CallResult:
        return call(judged, args, like, exercise.parts)

    answer = Answer(exercise.source(), every, ask, exercise.axes, exercise.parts, view)
    first = every[0]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        outcomes = answer.outcomes
        again = ask(first.args, first.right)
    if has_blank(function) and any(map(_ends_at_blank, outcomes)):
        still = open_lines(function)
        if 0 < len(still) < exercise.blanks:
            which = f"Still open: {' and '.join(still)}."
            return replace(todo, message=(which, *todo.message))
        return todo
    if all(outcome is None for outcome in outcomes):
        if _is_stub(function):
            return todo
        return Feedback(exercise.id, "wrong", (NO_RETURN, exercise.pointer()))
    with _quiet():
        feedback, program = _compared(exercise, answer, function, again)
    said = list(feedback.message)
    line, _, _ = printed.getvalue().strip().partition("\n")
    if line:
        text = line[:LONGEST_PRINT]
        said.append(f"Its printed output is left out here. It begins: {text}")
    if feedback.state == "wrong":
        said.append(exercise.pointer(*_equations(exercise, feedback, program)))
    return replace(feedback, message=tuple(said))


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


def has_blank(function: AnswerFunction) -> bool:
    """Return whether the dots of a stub are left anywhere in a function."""
    code = getattr(function, "__code__", None)
    return "Ellipsis" in repr(getattr(code, "co_consts", ()))


def open_lines(function: AnswerFunction) -> list[str]:
    """Return the lines of a function in which dots of its stub are left, each with its number."""
    file = function.__code__.co_filename
    found = {}
    for step in dis.get_instructions(function):
        if step.argval is Ellipsis and step.positions and step.positions.lineno:
            number = step.positions.lineno
            text, _, _ = linecache.getline(file, number).strip().partition("  #")
            found[number] = f"line {number}" + (f", `{text}`" if text else "")
    return list(found.values())


def _ends_at_blank(outcome: CallResult) -> bool:
    """Return whether a call returns dots, or fails since it computes with them."""
    error = getattr(outcome, "error", "")
    return outcome is None or error.startswith("UFuncTypeError")


def _is_stub(function: AnswerFunction) -> bool:
    """Return whether a function that returns nothing is what a reader has not begun to fill in."""
    if has_blank(function):
        return True
    code = getattr(function, "__code__", None)
    does_nothing = getattr(code, "co_code", b"") == (lambda: None).__code__.co_code
    return does_nothing or "NotImplementedError" in getattr(code, "co_names", ())


def _compared(
    exercise: Exercise, answer: Answer, function: AnswerFunction, again: CallResult
) -> tuple[Feedback, str]:
    """Return the feedback on an answer that was called in every situation, and the first again.

    With it comes a program that gives the answer; the right one where none is found.
    """
    if any(answer.misses(SHORT_RTOL)):
        feedback, program = _explained(exercise, answer, function)
        said = (
            *(feedback.message or (_agreement(answer),)),
            *_first_wrong(exercise, answer),
        )
        return replace(feedback, message=said), program
    if not same(again, answer.outcomes[0], SHORT_RTOL):
        return Feedback(exercise.id, "wrong", (KEPT,)), answer.source
    said = (f"Checked on {len(answer.situations)} {exercise.checked_on}.",)
    if any(answer.wrong) or answer.rtol == SHORT_RTOL:
        said += (SHORT,)
    return Feedback(exercise.id, "right", said), answer.source


def _explained(
    task: tasks.Task, answer: Answer, function: AnswerFunction | None = None
) -> tuple[Feedback, str]:
    """Return the feedback on a wrong answer: the mistakes with a name, or what else is found.

    With it comes a program that gives the answer; the right one where none is found.
    """
    arrays = answer.arrays
    runs = any(
        getattr(of, "kind", "") not in ("problem", "type") for of in answer.outcomes
    )
    if arrays and all(np.isnan(array).all() for array in arrays):
        # All that divides by zero would explain it.
        return Feedback(task.id, "wrong"), answer.source
    one = named(task, answer)
    is_zero = bool(arrays) and not any(array.any() for array in arrays)
    # Two changes may leave 0 of anything.
    both = [] if one or is_zero or not runs else named_pair(task, answer)
    findings: list[Finding] = []
    if runs and not one and not both:
        steps: list[Finding] = []
        clear: list[Finding] = []
        if task.id == "backward":
            steps = wrong_cases(function)
            clear = [step for step in steps if NO_SUM not in step.text]
        elif task.id == "program-5":
            steps = wrong_cases(_as_backward(function))
        findings = clear or single_mistake(answer) or steps or several_mistakes(answer)
    said = [str(mistake) for mistake in (*one, *both)]
    if len(one) > 1:
        said.insert(0, f"{len(one)} mistakes give what your answer gives:")
    if both:
        said.insert(0, "Two mistakes at once:")
    said += [finding.text for finding in findings if finding.text]
    mistakes = tuple(mistake.id for mistake in (*one, *both))
    feedback = Feedback(
        task.id, "wrong", tuple(said), mistakes, tuple(findings), together=bool(both)
    )
    programs = [task.source(mistake.body) for mistake in (*one, *both)]
    programs += [finding.program for finding in findings if finding.program]
    return feedback, next(iter(programs), answer.source)


def _as_backward(function: AnswerFunction | None) -> AnswerFunction:
    """Return the program that grows through the course, called as a whole backward pass is."""
    program: Any = function
    return lambda trace, targets, params, neuron: program(
        trace.U, trace.O, targets, params.W, neuron
    )


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


@cache
def situations(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of an exercise's function, closed to changes, with the right results."""
    answer = exercise.comparable(exercise.answer)
    every = []
    for inputs in tasks.inputs_of(exercise):
        right = answer(*copy.deepcopy(inputs.args))
        every.append(replace(inputs, right=right))
    # An array over bytes cannot be written to; copied once, none is a part of another.
    buffers: list[pickle.PickleBuffer] = []
    whole = tuple(copy.deepcopy(every))
    text = pickle.dumps(whole, protocol=5, buffer_callback=buffers.append)
    closed: tuple[Inputs, ...] = pickle.loads(
        text, buffers=[buffer.raw().tobytes() for buffer in buffers]
    )
    return closed
