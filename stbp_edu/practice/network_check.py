"""Check a reader's own backward pass: case by case, to the first (t, n) where it goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.parameters import Gradients, Params
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.epsilon_fit import LEAK, NO_SUM, CaseReport, case_reports
from stbp_edu.practice.grading.verdict import grade
from stbp_edu.practice.tasks import exercises
from stbp_edu.practice.tasks.probes import wide_network


@dataclass(frozen=True, repr=False)
class NetworkReport(Feedback):
    """What is said about a whole backward pass; no cases where the function could not be run."""

    cases: tuple[CaseReport, ...] = ()
    title: ClassVar[str] = "Your backward pass"


def check_network(
    function: Callable[..., Any] | None, *, record: bool = True
) -> NetworkReport:
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
    'the reset term from the next step contains δ ⊙ h where ε belongs'
    """
    checks.instance("record", record, bool)
    report = NetworkReport(**vars(grade(exercises()["backward"], function)))
    cases = (
        case_reports(function) if callable(function) and report.state != "todo" else ()
    )
    if (
        report.right
    ):  # the verdict is that of the gradients; the cases explain a wrong one
        cases = tuple(CaseReport(c.case, c.cells) for c in cases)
    if report.right or any(c.wrong for c in cases):
        items = f"tried on the {wide_network().description}", *map(str, cases)
        report = replace(
            report, cases=cases, items=items, message=_message(report, cases)
        )
    if record:
        saved_progress.record("backward", report.state, report.mistakes)
    return report


def _message(report: NetworkReport, cases: tuple[CaseReport, ...]) -> tuple[str, ...]:
    """Return the mistakes that have a name, and where the first wrong case is derived."""
    if report.right:
        return ("Checked against the exact gradients of several networks.",)
    named = {
        m.id: str(m)
        for m in exercises()["backward"].mistakes
        if m.id in report.mistakes
    }
    first = next(
        c for c in (cases[4], *cases) if c.wrong
    )  # without ε no other case says a thing
    terms = []
    if first.case == 5:
        terms.append("w")
    else:
        if any(LEAK not in part for part in first.explanation.split("; ")):
            terms.append("delta")
        if LEAK in first.explanation or NO_SUM in first.explanation:
            terms.append("epsilon")
    ids = [f"c{first.case}-{term}" for term in terms]
    where, equations = exercises()[ids[0]], " and ".join(f"({id_})" for id_ in ids)
    place = f'Look at notebook {where.notebook}, "{where.section}", {equations}'
    return *named.values(), f'{place}; `hint("backward")` gives a hint.'


def by_autograd(
    loss: Callable[..., Any], leaf: Callable[[Array], Any]
) -> Callable[..., Gradients]:
    """Return the gradients of a loss of tensors, as a function that ``check_network`` takes.

    Args:
        loss: called as ``loss(trace, targets, W, b, neuron)``, with ``W`` and ``b`` as lists of
            leaves, None first; returns a scalar with the method ``backward``. It computes the
            potentials again from ``trace.O[0]``, and its spike returns those of ``trace.O``.
        leaf: makes a tensor of an array that the library differentiates by, with ``grad`` after
            ``backward``: in PyTorch ``lambda x: torch.tensor(x, requires_grad=True)``.

    Raises:
        TypeError: if ``loss`` or ``leaf`` cannot be called.

    >>> from types import SimpleNamespace
    >>> import numpy as np, stbp_edu
    >>> def loss(trace, targets, W, b, neuron):  # a library of one function
    ...     def backward():
    ...         arrays = ([None, *(x.data for x in part[1:])] for part in (W, b))
    ...         found = stbp_edu.backward(trace, targets, Params(*arrays), neuron)
    ...         for x, grad in zip((*W[1:], *b[1:]), (*found.W[1:], *found.b[1:])):
    ...             x.grad = grad
    ...     return SimpleNamespace(backward=backward)
    >>> leaf = lambda x: SimpleNamespace(data=x, grad=None)
    >>> stbp_edu.practice.check_network(by_autograd(loss, leaf)).right
    True
    """
    for name, given in (("loss", loss), ("leaf", leaf)):
        if not callable(given):
            raise TypeError(
                f"{name} must be a function, got {checks.brief(given)}; pass the function itself"
            )

    def gradients(trace: Any, targets: Array, params: Params, neuron: Any) -> Gradients:
        W, b = ([None, *map(leaf, part[1:])] for part in (params.W, params.b))
        loss(trace, targets, W, b, neuron).backward()
        found = ([None, *(x.grad for x in part[1:])] for part in (W, b))
        dL_dW, dL_db = (
            [g.numpy() if hasattr(g, "numpy") else g for g in part] for part in found
        )
        return Gradients(dL_dW, dL_db)

    return gradients
