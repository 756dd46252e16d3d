"""What is said about a wrong answer: the mistake by its name, or else where it is."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.calling import Habits, call
from stbp_edu.practice.grading.differences import RTOL, difference, same_outcome
from stbp_edu.practice.grading.finding import Finding
from stbp_edu.practice.grading.outcomes import Outcomes, right_outcomes
from stbp_edu.practice.grading.steps import VAGUE, by_step
from stbp_edu.practice.grading.structure import Difference
from stbp_edu.practice.grading.unnamed_mistakes import by_asking, by_change, by_factor
from stbp_edu.practice.tasks import Exercise, Function, Inputs, inputs_of


@dataclass(frozen=True)
class Answer:
    """A wrong answer.

    Attributes:
        exercise: what was asked.
        function: the reader's function.
        outcomes: what came of it, call by call.
        habits: what it does besides.
        rtol: to how many digits it computes.
    """

    exercise: Exercise
    function: Function
    outcomes: Outcomes
    habits: Habits
    rtol: float = RTOL

    def gives(self, function: Function, *, exactly: bool = False) -> bool:
        """Return whether ``function`` has the same outcomes on every input."""
        exercise = self.exercise
        triples = zip(inputs_of(exercise), self.outcomes, right_outcomes(exercise), strict=True)
        return all(
            same_outcome(
                call(function, inputs.args, exercise), outcome, right, self.rtol, exactly=exactly
            )
            for inputs, outcome, right in triples
        )


def diagnosis(answer: Answer, k: int, first: Difference) -> Feedback:
    """Return the feedback on a wrong answer, given its first difference, in the k-th call."""
    exercise = answer.exercise
    inputs = inputs_of(exercise)[k]
    named = {
        m.id: str(m)
        for m in exercise.mistakes
        if not answer.habits.stopped and answer.gives(exercise.function(m.body))
    }
    message = list(named.values())
    if len(named) > 1:
        message.insert(0, f"{len(named)} mistakes give what your function gives:")
    if not named:
        message += _located(answer, first) or _agreement(answer, first)
    if first.kind == "problem":
        place = "In" if inputs.where.startswith("call ") else "In the call at"
        message.append(f"{place} {inputs.where}: {first.message}")
    else:
        part = f"{first.part}: " if first.part else ""
        message.append(f"First at {inputs.where}: {part}{first.message}.")
    if first.kind in ("problem", "type", "shape"):
        message.append(_shapes(exercise, inputs))
    message += [*answer.habits.sentences(), exercise.pointer]
    return Feedback(exercise.id, "wrong", tuple(message), tuple(named), inputs.where)


def _located(answer: Answer, first: Difference) -> list[str]:
    """Return the sentences on a mistake without a name; none where the search itself fails."""
    try:
        return [finding.text for finding in unnamed(answer, first)]
    except Exception:  # a wrong answer may do anything when it is asked odd things
        return []


def unnamed(answer: Answer, first: Difference) -> list[Finding]:
    """Return what can be said where no named misconception fits."""
    exercise, outcomes = answer.exercise, answer.outcomes
    right, inputs = right_outcomes(exercise), inputs_of(exercise)
    if answer.habits.stopped:
        return []
    if all(isinstance(o, Difference) for o in outcomes):
        return []
    with np.errstate(all="ignore"):
        steps = by_step(exercise, answer.function, outcomes, right)
        clear = [f for f in steps if f.kind != VAGUE]
        return (
            by_factor(inputs, outcomes, right)
            or clear
            or by_change(exercise, partial(answer.gives, exactly=True))
            or steps
            or by_asking(exercise, answer.function, outcomes, right, answer.rtol)
        )


def _agreement(answer: Answer, first: Difference) -> list[str]:
    """Return in how many situations a wrong answer is right, or fails."""
    right = right_outcomes(answer.exercise)
    pairs = list(zip(answer.outcomes, right, strict=True))
    agree = [difference(*pair, rtol=answer.rtol) for pair in pairs].count(None)
    failed = sum(isinstance(o, Difference) for o in answer.outcomes)
    if answer.habits.stopped:
        return []
    if first.kind == "problem" and failed < len(right):
        rest = "right in every other" if agree + failed == len(right) else f"right in {agree}"
        return [f"It fails in {failed} of {len(right)} situations, and is {rest}."]
    if first.kind in ("problem", "type"):
        return []
    return [f"It agrees with the exact value in {agree} of {len(right)} situations."]


def _shapes(exercise: Exercise, inputs: Inputs) -> str:
    """Return the shapes of a call's arguments, as a sentence."""
    pairs = zip(exercise.arguments, inputs.args, strict=True)
    shapes = [f"{name} {np.shape(a)}" for name, a in pairs if isinstance(a, np.ndarray)]
    return f"Shapes in that call: {', '.join(shapes)}." if shapes else "No argument is an array."
