"""Check a reader's own backward pass: case by case, to the first (t, n) where it goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.calling import call
from stbp_edu.practice.grading.differences import RTOL
from stbp_edu.practice.grading.epsilon_fit import (
    LEAK,
    NEAR,
    explanations,
    gradients_of,
    recover_epsilon,
    wide_network,
)
from stbp_edu.practice.grading.exercise_check import grade
from stbp_edu.practice.tasks import ForwardPass, exercise_of, step_name


@dataclass(frozen=True)
class CaseReport:
    """How many cells of one case are right, and what is wrong.

    Attributes:
        case: 1 to 5.
        cells: how many cells (t, n) of the grid the case has; layers for case 5.
        wrong: how many of them hold a wrong value.
        first: the first wrong one in the order of the sweep, or an empty string.
        explanation: what is wrong with the case itself; empty where it is right, given what
            reaches it.
    """

    case: int
    cells: int
    wrong: int
    first: str = ""
    explanation: str = ""

    def __str__(self) -> str:
        """Return the text form, one line."""
        head = f"case {self.case}: {self.cells - self.wrong} of {self.cells} right"
        if not self.wrong:
            return head
        rest = self.explanation or "the case itself is right: it passes on an error made elsewhere"
        return f"{head}; first wrong at {self.first}; {rest}"


@dataclass(frozen=True, repr=False)
class NetworkReport(Feedback):
    """What is said about a whole backward pass; no cases where the function could not be run."""

    cases: tuple[CaseReport, ...] = ()
    title: ClassVar[str] = "Your backward pass"

    @property
    def items(self) -> tuple[str, ...]:
        """The network on which the cases were tried, and the cases, a line each."""
        network = f"tried on the {wide_network().description}"
        return (network, *map(str, self.cases)) if self.cases else ()


def check_network(function: Callable[..., Any] | None, *, record: bool = True) -> NetworkReport:
    """Say whether a whole backward pass is right, and if not, where it first goes wrong.

    Args:
        function: called as ``function(trace, targets, params, neuron)``; returns the gradients as
            ``(W, b)``, lists with None first, or as a :class:`stbp_edu.Gradients`.
            :func:`by_autograd` makes one of a loss in a library such as PyTorch.
        record: whether it counts as your answer to the exercise ``"backward"``.

    >>> import stbp_edu
    >>> check_network(stbp_edu.backward).right
    True
    >>> def classic(trace, targets, params, neuron):
    ...     return stbp_edu.backward(trace, targets, params, neuron, rule="classic")
    >>> check_network(classic).cases[2].explanation
    'the temporal path carries δ ⊙ h where ε belongs'
    """
    report = NetworkReport(**vars(grade(exercise_of("backward"), function)))
    net = wide_network()
    args = (net.trace, net.targets, net.params, net.neuron)
    gradients = gradients_of(call(function, args), net) if callable(function) else None
    if gradients is not None and report.state != "todo":
        epsilon, misfit = recover_epsilon(net, gradients)
        cases = (*(_case(net, epsilon, k) for k in (1, 2, 3, 4)), _case_five(net, misfit))
        report = replace(report, cases=cases)
        if any(c.wrong for c in cases):
            report = replace(report, state="wrong", message=_message(report, cases))
        elif report.right:
            message = "Checked against the exact gradients of several networks."
            report = replace(report, message=(message,))
    if record:
        saved_progress.record("backward", report.state)
    return report


def _message(report: NetworkReport, cases: tuple[CaseReport, ...]) -> tuple[str, ...]:
    """Return the mistakes that have a name, and where the first wrong case is derived."""
    exercise = exercise_of("backward")
    named = {m.id: str(m) for m in exercise.mistakes if m.id in report.mistakes}
    if cases[4].wrong:  # then no ε can be found, and the other cases say nothing
        ids = ["c5-w"]
    else:
        first = next(c for c in cases if c.wrong)
        parts = first.explanation.split("; ")
        in_epsilon = [LEAK in part or part.startswith("no sum") for part in parts]
        in_delta = [LEAK not in part for part in parts]
        terms = ["delta"] * any(in_delta) + ["epsilon"] * any(in_epsilon)
        ids = [f"c{first.case}-{term}" for term in terms]
    where = exercise_of(ids[0])
    equations = " and ".join(f"({id_})" for id_ in ids)
    return (
        *named.values(),
        f'Look at notebook {where.notebook}, "{where.section}", {equations}; '
        f'`hint("{exercise.id}")` gives a hint.',
    )


def _case(net: ForwardPass, epsilon: list[Any], case: int) -> CaseReport:
    """Compare the cells of one case with the exact ε, and the case with its own inputs."""
    cells, exact = list(net.cells(case)), net.adjoints.epsilon
    wrong = [
        f"{step_name(t)}, n = {n}"
        for t, n in cells
        if np.abs(epsilon[n][t] - exact[n][t]).max() > NEAR * np.abs(exact[n][t]).max()
    ]
    if not wrong:
        return CaseReport(case, len(cells), 0)
    explanation = "; ".join(explanations(net, epsilon, case))
    return CaseReport(case, len(cells), len(wrong), wrong[0], explanation)


def _case_five(net: ForwardPass, misfit: list[float]) -> CaseReport:
    """Report whether the gradients are what any ε could give."""
    N = net.params.N
    wrong = [f"layer {n}" for n in range(N, 0, -1) if misfit[n] > RTOL]
    if not wrong:
        return CaseReport(5, N, 0)
    explanation = "these gradients are no sum over steps and samples of ε times the spikes below"
    return CaseReport(5, N, len(wrong), wrong[0], explanation)
