"""Assertions for somebody else's tests: is this neuron, or this network, what it claims to be?

A few lines test a neuron of another framework, here SpikingJelly's::

    def run(currents):  # a new node begins at rest
        curve = surrogate.Sigmoid(4.0)
        node = LIFNode(5.0, decay_input=False, surrogate_function=curve, step_mode="m")
        return node(currents)

    def test_the_reset_is_differentiated():
        assert_gradient(run, LIF(0.8, 1.0, stbp_edu.Sigmoid(0.25), "linear"))

A failure names the mistake: another reset, a leak on the wrong side, another surrogate, a detached
reset. What is expected is computed in NumPy, from the forward lines and the rule.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu._support.files import as_path, read_arrays
from stbp_edu.arrows.arrow import Neuron
from stbp_edu.arrows.asked_network import (
    OTHER_RESETS,
    Ask,
    Gradient,
    run,
    which_rule,
)
from stbp_edu.arrows.rules import RULES
from stbp_edu.arrows.table import LayerParams, network
from stbp_edu.networks.arguments import AnyNeuron, as_neuron
from stbp_edu.neuron import GATES, LIF

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["assert_gradient", "assert_rule", "load_vectors"]

Answer = Callable[[Array, Array], tuple[Array, Array]]
"""From currents and errors of the outputs, (T, S, n) each, to outputs and gradients of currents."""
T, S, NEURONS = 12, 4, 6
"""The size of the runs: steps, samples, and neurons side by side."""


def assert_gradient(
    run: Callable[..., Any],
    neuron: AnyNeuron,
    rule: str = "exact",
    *,
    plain: bool = False,
    scale: float = 1.0,
) -> None:
    """Raise AssertionError if neurons do not have these outputs, or their gradient not this rule.

    They run with T = 12 steps, S = 4 samples and n = 6 neurons. What shows only later, or only in
    other sizes, is not seen.

    Args:
        run: neurons without weights, from rest: from the currents of all steps (T, S, n) to their
            outputs (T, S, n). A module or function of PyTorch, which is differentiated by its
            autograd; or a plain function, see ``plain``.
        neuron: what they claim to be: an ``LIF``, or what ``stbp_edu.derive`` returns.
        rule: what they claim to follow backward: a name in ``stbp_edu.arrows.RULES``.
        plain: whether ``run`` takes arrays of NumPy, currents and the errors that come to the
            outputs, and returns outputs and the gradients of the currents.
        scale: the share of the current that the neurons take in, such as 1 - τ.

    Raises:
        AssertionError: with the resets and rules that they have, or the nearest, and whether the
            surrogate is another one.
        TypeError, ValueError: if an argument is none of these, runs do not begin at rest, or
            ``run`` returns something else than finite numbers of the currents' shape.

    >>> neuron = LIF(tau=0.8, v_th=0.6, gate="linear")
    >>> def detached(x, errors):  # a step at a time, with the reset held fixed
    ...     u, o, steps, back = 0 * x[0], 0 * x[0], [], []
    ...     for now in x:
    ...         kept = 1 - o
    ...         u = 0.8 * u * kept + now
    ...         o = (u >= 0.6) * 1.0
    ...         steps.append((o, neuron.h(u), kept))
    ...     later, kept_later = 0.0, 0.0
    ...     for (o, h, kept), error in zip(steps[::-1], errors[::-1]):
    ...         later = h * error + 0.8 * kept_later * later
    ...         kept_later = kept
    ...         back.append(later)
    ...     return np.stack([o for o, _, _ in steps]), np.stack(back[::-1])
    >>> assert_gradient(detached, neuron, "detached-reset", plain=True)
    >>> assert_gradient(detached, neuron, plain=True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: linear, exact was claimed: linear gate, detached-reset = ...
    """
    if not callable(run):
        raise TypeError(
            f"run must be a function of currents, got {checks.brief(run)}; pass your neurons"
        )
    checks.choice("rule", rule, RULES)
    scale = checks.number("scale", scale, positive=True)
    table = as_neuron(neuron)
    possible = neuron if isinstance(neuron, LIF) else table
    reset = neuron.gate if isinstance(neuron, LIF) else "lines"
    ask = _side_by_side(run if plain else _by_autograd(run), scale)
    for x in _currents(table):
        found = which_rule(ask, WEIGHTS, SIZES, possible, x)
        if (reset, rule) not in found.rules:
            said = f"{reset}, {rule} was claimed: {found!r}"
            first = x[:1]  # where rules do not differ
            unlike_all = found.gates and not found.rules and ask(first)[0].any()
            if unlike_all and not which_rule(ask, WEIGHTS, SIZES, table, first).rules:
                said += f" The surrogate is not {table.surrogate}, or the threshold is another."
            raise AssertionError(said)
        if found.agree_elsewhere:
            return
    raise ValueError(
        f"neuron must have a surrogate that tells rules apart, got {table.surrogate}; widen it, in "
        "your neurons too"
    )


def assert_rule(
    model: nn.Module,
    run: Callable[[Tensor], Tensor],
    spikes: Tensor,
    neuron: AnyNeuron | tuple[AnyNeuron, AnyNeuron],
    rule: str = "exact",
    *,
    reset: str | None = None,
    scale: float = 1.0,
    sizes: str | None = None,
) -> None:
    """Raise AssertionError if a network in PyTorch does not have the gradient of a rule.

    The arguments are those of :func:`stbp_edu.torch.which_rule`, and the rule and the reset that
    are claimed: a gate, or one of ``OTHER_RESETS``; where None, that of the neuron.

    Raises:
        AssertionError: with the resets and rules that it has, or the nearest.
        TypeError, ValueError: if rule or reset are none, or as ``which_rule`` does.
    """
    if reset is None:
        reset = neuron.gate if isinstance(neuron, LIF) else "lines"
    checks.choice("rule", rule, RULES)
    checks.choice("reset", reset, (*GATES, *OTHER_RESETS, "lines"))
    bridge = importlib.import_module("stbp_edu.torch")
    found = bridge.which_rule(model, run, spikes, neuron, scale=scale, sizes=sizes)
    if (reset, rule) not in found.rules or not found.agree_elsewhere:
        raise AssertionError(f"{reset}, {rule} was claimed: {found!r}")


class Vectors(TypedDict):
    """A case of the reference vectors, for the loss Σ errors · spikes2; arrays are float64.

    ``inputs`` have shape (T, S, n[0]) and ``errors``, which come to the outputs, (T, S, n[2]).
    """

    gate: str
    rule: str
    surrogate: str
    a: Array
    tau: Array
    v_th: Array
    inputs: Array
    errors: Array
    W1: Array
    b1: Array
    W2: Array
    b2: Array
    spikes1: Array
    spikes2: Array
    grad_W1: Array
    grad_b1: Array
    grad_W2: Array
    grad_b2: Array


def load_vectors(path: str | Path) -> Iterator[Vectors]:
    """Return the cases of a file of reference vectors: every gate, rule and surrogate.

    The formulas of gates and surrogates are in the file, too: ``np.load(path)["schema"]``.

    Raises:
        FileNotFoundError, TypeError, ValueError: if the file is not of this kind.
    """
    arrays = read_arrays(as_path("path", path))
    if not str(arrays.pop("schema", "")).startswith(SCHEMA):
        raise ValueError(
            f"path must be a file of {SCHEMA!r}, got {path}; download it again"
        )
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            checks.check_finite(name, array)
    cases = range(len(arrays["gate"]))
    found: Any = [{name: of[k] for name, of in arrays.items()} for k in cases]
    return iter(found)


SCHEMA = "stbp-edu reference vectors, 2"
"""How the schema in a file of reference vectors begins."""


SIZES = f"{NEURONS}-{NEURONS}"
WEIGHTS: LayerParams = [None, {"W": np.eye(NEURONS), "b": np.zeros(NEURONS)}]
"""A network that is neurons side by side, each with a current of its own."""


def _side_by_side(answer: Answer, scale: float) -> Ask:
    """Return how to ask neurons for outputs and gradients as if they were a network."""

    def ask(x: Array) -> tuple[Array, Gradient]:
        """Return their outputs, and what gives the gradients of weights on their currents."""

        def asked(errors: Array) -> tuple[Array, Array]:
            results = answer(x / scale, errors)
            if not isinstance(results, tuple) or len(results) != 2:
                raise TypeError(
                    "run must return outputs and gradients of currents, got "
                    f"{checks.brief(results)}; return two arrays"
                )
            output, gradient = results
            gradient = _of_run("gradients of currents", gradient, x) / scale
            return _of_run("outputs", output, x), gradient

        def gradients(errors: Array) -> LayerParams:
            _, epsilon = asked(errors)
            return [None, {"W": np.einsum("tsi,tsj->ij", epsilon, x)}]

        output, _ = asked(np.zeros_like(x))
        return output, gradients

    return ask


def _currents(table: Neuron) -> Iterator[Array]:
    """Yield currents, larger and larger, on which the neurons spike now and then.

    No potential is so near to the threshold that rounding in single precision decides.
    """
    rng = np.random.default_rng(0)
    net = network(SIZES, table)
    often = False
    for size in np.geomspace(0.05, 50, 200):
        x = size * rng.normal(0.4, 1.0, (T, S, NEURONS))
        output, *near = (run(net, WEIGHTS, x * k)[0] for k in (1, 0.999, 1.001))
        seldom = not 0.15 < output.mean() < 0.6
        if table.lines.spike and (seldom or not all((o == output).all() for o in near)):
            continue
        often = True
        yield x
    if not often:
        raise ValueError(
            "neuron must spike now and then with currents from 0.05 to 50, got none that does; "
            "change its threshold"
        )


def _by_autograd(run: Callable[..., Any]) -> Answer:
    """Return outputs and gradients of a function of tensors."""
    torch = importlib.import_module("torch")

    def answer(x: Array, errors: Array) -> tuple[Array, Array]:
        current = torch.tensor(x, dtype=torch.float32, requires_grad=True)
        output = checks.instance("what run returns", run(current), torch.Tensor)
        outputs = _of_run("outputs", output.detach().cpu().double().numpy(), x)
        grad = torch.zeros_like(current)
        if output.requires_grad:
            error = torch.tensor(errors).to(output)
            some = {"allow_unused": True, "materialize_grads": True}
            (grad,) = torch.autograd.grad(output, current, error, **some)
        return outputs, grad.cpu().numpy()

    return answer


def _of_run(what: str, value: object, currents: Array) -> Array:
    """Return finite numbers of the shape of the currents, which ``run`` has to return."""
    name, axes = f"the {what} of run", "(T, S, n)"
    numbers = checks.numbers(name, value, axes, np.dtype(float))
    return checks.array(name, numbers, axes, currents.shape)
