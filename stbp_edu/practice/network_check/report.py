"""Check a reader's own backward pass: case by case, to the first (t, n) where it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Gradients
from stbp_edu.practice import progress
from stbp_edu.practice.exercises.exercise import find
from stbp_edu.practice.exercises.networks import Network
from stbp_edu.practice.exercises.situation import step
from stbp_edu.practice.feedback import LABELS, markup
from stbp_edu.practice.grading.attempt import attempt
from stbp_edu.practice.grading.compare import RTOL
from stbp_edu.practice.grading.grade import judge
from stbp_edu.practice.network_check.local import judge as judge_locally
from stbp_edu.practice.network_check.recover import probe, recovered

SLACK = 1e-5  # ε is found by solving for it, which costs some digits


@dataclass(frozen=True)
class CaseReport:
    """How one case fares.

    Attributes:
        case: 1 to 5.
        cells: how many cells (t, n) of the grid the case has; layers for case 5.
        wrong: how many of them hold a wrong value.
        first: the first wrong one in the order of the sweep, or an empty string.
        words: what is wrong with the case itself; empty where it is right, given what reaches it.
    """

    case: int
    cells: int
    wrong: int
    first: str = ""
    words: str = ""

    def __str__(self) -> str:
        """One line."""
        head = f"case {self.case}: {self.cells - self.wrong} of {self.cells} right"
        if not self.wrong:
            return head
        words = self.words or "the case itself is right: it passes on an error made elsewhere"
        return f"{head}; first wrong at {self.first}; {words}"


@dataclass(frozen=True)
class NetworkReport:
    """The whole answer.

    Attributes:
        state: ``"right"``, ``"todo"`` or ``"wrong"``.
        message: the diagnosis, a paragraph a line.
        cases: one report a case; empty where the function could not be run.
        mistakes: ids of the misconceptions that give exactly these gradients.
    """

    state: str
    message: tuple[str, ...]
    cases: tuple[CaseReport, ...] = ()
    mistakes: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the backward pass is right."""
        return self.state == "right"

    def __repr__(self) -> str:
        """Return the text form."""
        lines = [*map(str, self.cases), *self.message]
        return "\n  ".join((f"Your backward pass: {LABELS[self.state]}.", *lines))

    def _repr_html_(self) -> str:
        """Return the HTML form."""
        rows = "".join(f"<li>{escape(str(c))}</li>" for c in self.cases)
        rows = rows and f"<ul>{rows}</ul>"
        lines = "".join(f"<p>{markup(line)}</p>" for line in self.message)
        head = f"<p><strong>Your backward pass: {LABELS[self.state]}.</strong></p>"
        kept = f'data-exercise="backward" data-state="{self.state}"'
        return f'<div class="stbp-feedback" role="status" {kept}>{head}{rows}{lines}</div>'


def check_network(function: Callable[..., Any] | None) -> NetworkReport:
    """Say whether a whole backward pass is right, and if not, where it first goes wrong.

    Args:
        function: called as ``function(trace, targets, params, neuron)``; returns the gradients as
            ``(W, b)``, lists with None first, or as a :class:`stbp_edu.Gradients`.

    >>> import stbp_edu
    >>> check_network(stbp_edu.backward).right
    True
    >>> def classic(trace, targets, params, neuron):
    ...     return stbp_edu.backward(trace, targets, params, neuron, rule="classic")
    >>> check_network(classic).cases[2].words
    'the temporal path carries δ ⊙ h where ε belongs'
    """
    report = _report(function)
    progress.record("backward", report.state)
    return report


def _report(function: Callable[..., Any] | None) -> NetworkReport:
    """Grade the gradients, then look into every case."""
    feedback = judge(find("backward"), function)
    net = probe()
    args = (net.trace, net.targets, net.params, net.neuron)
    outcome = attempt(function, args) if callable(function) else None
    gradients = _gradients(outcome.value, net) if outcome is not None else None
    if feedback.state == "todo" or gradients is None:
        return NetworkReport(feedback.state, feedback.message, (), feedback.mistakes)
    epsilon, misfit = recovered(net, gradients)
    cases = (*(_case(net, epsilon, k) for k in (1, 2, 3, 4)), _case_five(net, misfit))
    right = feedback.right and not any(c.wrong for c in cases)
    message = ("Checked against the exact gradients of several networks.",)
    return NetworkReport(
        "right" if right else "wrong",
        message if right else feedback.message,
        cases,
        feedback.mistakes,
    )


def _gradients(value: Any, net: Network) -> Gradients | None:
    """Return the value as finite gradients of the right shapes, or None."""
    params = net.params
    try:
        both = (value.W, value.b) if hasattr(value, "W") else (value[0], value[1])
        layers = range(1, params.N + 1)
        W, b = ([None, *(np.asarray(part[n], dtype=float) for n in layers)] for part in both)
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    pairs: list[Any] = [
        *zip(W[1:], params.W[1:], strict=True),
        *zip(b[1:], params.b[1:], strict=True),
    ]
    fits = all(np.shape(got) == want.shape and np.all(np.isfinite(got)) for got, want in pairs)
    return Gradients(W, b) if fits else None


def _case(net: Network, epsilon: list[Any], case: int) -> CaseReport:
    """Compare the cells of one case with the exact ε, and the case with its own inputs."""
    cells = list(net.cells(case))
    wrong = [(t, n) for t, n in cells if _differs(epsilon[n], net.sweep.epsilon[n], t)]
    if not wrong:
        return CaseReport(case, len(cells), 0)
    local = judge_locally(net, epsilon, case)
    words = "" if local.right(case) else "; ".join(local.words(case))
    t, n = wrong[0]
    return CaseReport(case, len(cells), len(wrong), f"{step(t)}, n = {n}", words)


def _differs(got: Array, exact: Array, t: int) -> bool:
    """Whether ε at step t differs from the exact one."""
    rest = np.abs(got[t] - exact[t]).max()
    return bool(rest > SLACK * np.abs(exact[t]).max())


def _case_five(net: Network, misfit: list[float]) -> CaseReport:
    """Say whether the gradients are what any ε could give."""
    layers = range(net.params.N, 0, -1)
    wrong = [n for n in layers if misfit[n] > RTOL]
    if not wrong:
        return CaseReport(5, net.params.N, 0)
    words = "these gradients are no sum over steps and samples of ε times the spikes below"
    return CaseReport(5, net.params.N, len(wrong), f"layer {wrong[0]}", words)
