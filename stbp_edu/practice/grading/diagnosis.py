"""Find out what is wrong with a function whose outcomes differ from the reference's."""

import numpy as np

from stbp_edu.practice.exercises import Exercise, Function, Inputs, Mistake, inputs_of, pointer
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.call import Outcome, call, right_outcomes
from stbp_edu.practice.grading.constant_factor import constant_factor
from stbp_edu.practice.grading.differences import Difference, difference, same_outcome
from stbp_edu.practice.grading.single_changes import single_changes

Outcomes = tuple[Outcome, ...]
"""The outcomes of one function, one for each input."""


def diagnose(exercise: Exercise, outcomes: Outcomes, first: Difference) -> Feedback:
    """Return the feedback on a wrong answer, given its first difference from the right one."""
    inputs = inputs_of(exercise)[first.call]
    mistakes = mistakes_that_give(exercise, outcomes)
    message = [str(m) for m in mistakes]
    if len(mistakes) > 1:
        message.insert(0, f"{len(mistakes)} mistakes give what your function gives:")
    if not mistakes and first.kind not in ("problem", "type", "shape"):
        message += _unnamed(exercise, outcomes)
    if first.kind == "problem":
        message.append(f"In the call at {inputs.where}: {first.message}")
    else:
        part = f"{first.part}: " if first.part else ""
        message.append(f"First at {inputs.where}: {part}{first.message}.")
    if first.kind in ("problem", "type", "shape"):
        message.append(_shapes(exercise, inputs))
    message.append(pointer(exercise.id, exercise.notebook, exercise.section, exercise.equation))
    ids = tuple(m.misconception.id for m in mistakes)
    return Feedback(exercise.id, "wrong", tuple(message), ids, inputs.where)


def mistakes_that_give(exercise: Exercise, outcomes: Outcomes) -> list[Mistake]:
    """Return the mistakes with the same outcomes everywhere, one for each misconception."""
    fitting: dict[str, Mistake] = {}
    for mistake in exercise.mistakes:
        if _gives(exercise, exercise.function(mistake.body), outcomes):
            fitting.setdefault(mistake.misconception.id, mistake)
    return list(fitting.values())


def _gives(exercise: Exercise, function: Function, outcomes: Outcomes) -> bool:
    """Return whether ``function`` has these outcomes on every input."""
    triples = zip(inputs_of(exercise), outcomes, right_outcomes(exercise), strict=True)
    return all(
        same_outcome(call(function, inputs.args, exercise.comparable), outcome, right.value)
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
    pairs = zip(outcomes, right, strict=True)
    agree = sum(difference(ours.value, want.value) is None for ours, want in pairs)
    return [
        f"It agrees with the exact value in {agree} of {len(right)} situations.",
        "No single change of the right formula gives the same: compare them term by term.",
    ]


def _shapes(exercise: Exercise, inputs: Inputs) -> str:
    """Return the shapes of a call's arguments, as a sentence."""
    pairs = zip(exercise.arguments, inputs.args, strict=True)
    shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
    return f"Shapes in that call: {', '.join(shapes)}." if shapes else "No argument is an array."
