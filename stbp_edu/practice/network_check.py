"""Check a reader's own backward pass: case by case, to the first (t, n) where it goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.parameters import Gradients, Params
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.cases import CaseReport, case_reports
from stbp_edu.practice.grading.verdict import grade
from stbp_edu.practice.tasks import exercises
from stbp_edu.practice.tasks.inputs import wide_network


@dataclass(frozen=True, repr=False)
class NetworkReport(Feedback):
    """What is said about a whole backward pass; no cases where the function could not be run."""

    cases: tuple[CaseReport, ...] = ()


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
    feedback = grade(exercises()["backward"], function)
    report = NetworkReport(**vars(replace(feedback, title="Your backward pass")))
    cases: tuple[CaseReport, ...] = ()
    if callable(function) and report.state != "todo":
        cases = case_reports(function)
    if report.right:
        # The verdict is that of the gradients; the cases explain a wrong one.
        cases = tuple(CaseReport(c.case, c.cells) for c in cases)
    if report.right or any(c.wrong for c in cases):
        network = f"tried on the {wide_network().description}"
        items = (network, *map(str, cases))
        message = _message(report)
        report = replace(report, cases=cases, items=items, message=message)
    if record:
        saved_progress.record("backward", report.state)
    return report


def _message(report: NetworkReport) -> tuple[str, ...]:
    """Return the mistakes that have a name, and where the pass is derived."""
    if report.right:
        return ("Checked against the exact gradients of several networks.",)
    named = [said for said in report.message if said.startswith("Found: ")]
    return *named, exercises()["backward"].pointer()


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
        W = [leaf(weights) for weights in params.W[1:]]
        b = [leaf(biases) for biases in params.b[1:]]
        loss(trace, targets, [None, *W], [None, *b], neuron).backward()
        return Gradients([None, *map(_gradient, W)], [None, *map(_gradient, b)])

    return gradients


def _gradient(tensor: Any) -> Any:
    """Return the gradient that a library left at a tensor, as an array."""
    found = tensor.grad
    return found.numpy() if hasattr(found, "numpy") else found
