"""A reader's own backward pass: checked case by case, and what it learns of the digits.

``check_network`` finds the first (t, n) where it goes wrong. ``learn`` is the training of
``stbp.py``, the program on one page: the same neuron, network, spikes and steps of Adam, and the
same seed, so the accuracies are the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import forward
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params
from stbp_edu.plotting import Shown
from stbp_edu.practice import progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.answer import call, in_shape, plain
from stbp_edu.practice.grading.cases import CaseReport, case_reports
from stbp_edu.practice.grading.verdict import grade, has_blank
from stbp_edu.practice.tasks import exercises
from stbp_edu.practice.tasks.inputs import wide_network
from stbp_edu.surrogates import Gaussian
from stbp_edu.training.data.datasets import digits
from stbp_edu.training.optimiser import adam, start


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
        progress.record("backward", report.state)
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


NEURON = LIF(tau=0.5, v_th=0.5, surrogate=Gaussian(0.25))
STEPS, HIDDEN, BATCH, RATE, HELD_OUT = 10, 100, 32, 0.005, 360
CHANCE = 0.2  # one digit in ten is right by chance; a few more are no learning
UNCHANGED = (
    "It reads {:.1%} rightly, and guessing gives 10%: these gradients do not lower the loss. Check "
    "the sign of δ, and that no gradient is 0 or NaN; "
    '`check("program-5", backward)` finds the first difference.'
)
NOT_RIGHT = (
    "It learns, although its gradients are not right: "
    '`check("program-5", backward)` says what is wrong.'
)
FORM = (
    "backward must return two lists, dW and db, with None first and then an array for each layer, "
    "of the shape of its weights and of its biases."
)


def learn(backward: Callable[..., Any] | None, *, epochs: int = 20) -> Feedback | Shown:
    """Train a network on the digits with ``backward``, and return the curve of its accuracy.

    After each epoch it prints how many of 360 digits that were held out are read rightly. Wrong
    gradients may learn as well; the last line then says that they are wrong.

    Args:
        backward: your function, called as ``backward(U, O, Y, W, neuron)`` on each batch; returns
            the gradients ``dW, db``, lists with None first.
        epochs: how often the network sees the 1,437 digits.

    Raises:
        TypeError: if ``backward`` is no function.

    >>> def backward(U, O, Y, W, neuron):
    ...     return ...
    >>> learn(backward)
    learn: not attempted yet.
      Write backward first; then it learns here.
    """
    epochs = checks.count("epochs", epochs, at_least=1)
    if backward is None or has_blank(backward):
        said = "Write backward first; then it learns here."
        return Feedback("learn", "todo", (said,))
    if not callable(backward):
        raise TypeError(
            f"backward must be a function, got {checks.brief(backward)}; pass the function itself"
        )
    found: list[float] = []
    for accuracy in _accuracies(backward, epochs):
        if isinstance(accuracy, str):
            return Feedback("learn", "wrong", (accuracy,))
        found.append(accuracy)
        print(f"epoch {len(found)}: {accuracy:.1%} read rightly", flush=True)
    if found[-1] < CHANCE:
        return Feedback("learn", "wrong", (UNCHANGED.format(found[-1]),))
    exercise = exercises()["program-5"]
    if not grade(exercise, backward).right:  # not recorded, as no check was asked for
        print(NOT_RIGHT, flush=True)
    fig, ax = plotting.figure(height=2.6)
    percent = [100 * accuracy for accuracy in found]
    plotting.learning_curve(ax, {"yours": percent}, "read rightly, %")
    ax.set_ylim(0, 100)
    return plotting.show(
        fig,
        alt="The share of held-out digits that the network reads rightly after each epoch: "
        f"{found[0]:.1%} after the first and {found[-1]:.1%} after the last, number {len(found)}.",
    )


def _accuracies(backward: Callable[..., Any], epochs: int) -> Iterator[float | str]:
    """Yield the accuracy on held-out digits after each epoch, or why there are no gradients."""
    rng = np.random.default_rng(0)
    images, labels = digits()
    x = images.reshape(-1, 64).astype(float)
    test, train = np.split(rng.permutation(len(x)), [HELD_OUT])
    W = [None, rng.normal(0, 1 / 8, (HIDDEN, 64)), rng.normal(0, 1 / 10, (10, HIDDEN))]
    params = Params(W, [None, np.zeros(HIDDEN), np.zeros(10)])
    state = start(params)
    for _ in range(epochs):
        X = (rng.random((STEPS, *x.shape)) < x) * 1.0
        for some in np.array_split(rng.permutation(train), len(train) // BATCH):
            trace = forward(X[:, some], params, NEURON)
            given = trace.U, trace.O, np.eye(10)[labels[some]], params.W, NEURON
            outcome: Any = call(backward, given, params)
            if getattr(outcome, "kind", "") == "problem":
                yield outcome.message
                return
            if not in_shape(outcome, plain(params, params)):
                yield FORM
                return
            dW, db = (
                [None, *(outcome[f"{p}[{n}]"].astype(float) for n in (1, 2))]
                for p in "Wb"
            )
            adam(state, Gradients(dW, db), RATE)
        rates = forward(X[:, test], params, NEURON).O[-1].mean(axis=0)
        yield float((rates.argmax(axis=1) == labels[test]).mean())
