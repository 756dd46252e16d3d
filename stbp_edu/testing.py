"""Assertions for somebody else's tests: is this neuron, or this network, what it claims to be?

A few lines test a neuron of another framework, here SpikingJelly's::

    def run(currents):  # a new node begins at rest
        curve = surrogate.Sigmoid(4.0)
        node = LIFNode(5.0, decay_input=False, surrogate_function=curve, step_mode="m")
        return node(currents)

    def test_the_reset_is_differentiated():
        assert_gradient(run, LIF(0.8, 1.0, stbp_edu.Sigmoid(0.25), "linear"))

A failure names the mistake: another reset, a leak on the wrong side, a surrogate of another scale
or width, a detached reset. What is expected is computed in NumPy, from the forward lines and the
rule.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu._support.files import as_path, read_arrays
from stbp_edu.arrows.adjoints import LocalDerivatives, derivatives_on, lambdas
from stbp_edu.arrows.arrow import Neuron
from stbp_edu.arrows.finder.asked_network import reset_name, resets_of
from stbp_edu.arrows.finder.classifier import different_rules
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.part_one import AnyNeuron, as_neuron, from_lif
from stbp_edu.arrows.rules import RULES, Rule, as_rule
from stbp_edu.arrows.table import network
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES, Gaussian, Surrogate

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["assert_gradient", "assert_rule", "load_vectors"]

T, S, NEURONS = 12, 4, 6
"""The size of the runs: steps, samples, and neurons side by side."""
Answer = Callable[[Array, Array], tuple[Array, Array]]
"""From currents and errors of the outputs, (T, S, n) each, to outputs and gradients of currents."""


def assert_gradient(
    run: Callable[..., Any],
    neuron: AnyNeuron,
    rule: str | Rule = "exact",
    *,
    plain: bool = False,
    scale: float = 1.0,
    dtype: str = "float32",
    rtol: float = 1e-4,
    seed: int = 0,
) -> None:
    """Raise AssertionError if neurons do not have these outputs, or their gradient not this rule.

    Args:
        run: neurons without weights, from rest: from the currents of all steps (T, S, n) to their
            outputs (T, S, n). A module or function of PyTorch, which is differentiated by its
            autograd; or a plain function, see ``plain``.
        neuron: what they claim to be: an ``LIF``, or what ``stbp_edu.derive`` returns.
        rule: what they claim to follow backward: a name in ``stbp_edu.arrows.RULES``, or a rule.
        plain: whether ``run`` takes arrays of NumPy, currents and the errors that come to the
            outputs, and returns outputs and the gradients of the currents.
        scale: the share of the current that the neurons take in, such as 1 - τ.
        dtype: that of the currents.
        rtol: how far gradients may differ, relative to the largest; > 0.
        seed: of the currents and errors.

    Raises:
        AssertionError: with what differs: whether runs do not begin at rest; where outputs differ,
            and whose they are; how the surrogate differs; or whose rule the gradient is.
        TypeError, ValueError: if an argument is none of these, or ``run`` returns something else
            than finite numbers of the currents' shape.

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
    >>> assert_gradient(detached, neuron, plain=True)
    Traceback (most recent call last):
    AssertionError: the gradient is that of the rule 'detached-reset', and 'exact' was claimed
    """
    if not callable(run):
        raise TypeError(
            f"run must be a function of currents, got {checks.brief(run)}; pass your neurons"
        )
    table, rule = as_neuron(neuron), as_rule(rule)
    checks.choice("dtype", dtype, ("float32", "float64"))
    scale = checks.number("scale", scale, positive=True)
    rtol = checks.number("rtol", rtol, positive=True)
    x, errors = _drawn(table, checks.count("seed", seed, at_least=0), rule)
    answer = run if plain else _by_autograd(run)

    def asked(steps: int) -> tuple[Array, Array]:
        """Return outputs and gradients of the first steps, as if currents were not scaled."""
        given = (x[:steps] / scale).astype(dtype), errors[:steps].astype(dtype)
        results = answer(*given)
        if not isinstance(results, tuple) or len(results) != 2:
            raise TypeError(
                "run must return outputs and gradients of currents, got "
                f"{checks.brief(results)}; return two arrays"
            )
        output, gradient = results
        found = _of_run("outputs", output, given[0])
        return found, _of_run("gradients of currents", gradient, given[0]) / scale

    output, gradient = asked(T)
    if not np.array_equal(asked(T)[0], output):
        raise AssertionError(
            "the outputs are others the second time: run must begin at rest, with every state reset"
        )
    wanted, local = _run(table, x, errors)
    if not np.allclose(output, wanted, rtol, rtol):
        raise AssertionError(_about_outputs(neuron, x, errors, output, wanted))
    right = _gradient(local, rule)
    if right.any() and not gradient.any():
        raise AssertionError(
            "no gradient comes to the currents: leave out detach and no_grad"
        )
    first = asked(1)[1]
    if not _close(first, _gradient(_run(table, x[:1], errors[:1])[1], rule), rtol):
        raise AssertionError(_about_surrogate(table, rule, first, x, errors, rtol))
    if not _close(gradient, right, rtol):
        found = {}
        for name in different_rules(local.net):
            miss = np.linalg.norm(gradient - _gradient(local, RULES[name]))
            found[name] = float(miss / np.linalg.norm(gradient))
        nearest = min(found, key=lambda name: found[name])
        alike = [nearest, *_not_told_apart(table, x, errors, RULES[nearest])]
        its = f"that of the rule {' = '.join(map(repr, alike))}"
        if found[nearest] > rtol:
            far = f"{100 * found[nearest]:.2g} % away"
            its = f"that of no rule; nearest is {nearest!r}, {far}"
        raise AssertionError(f"the gradient is {its}, and {rule.name!r} was claimed")


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
    """
    bridge = importlib.import_module("stbp_edu.torch")
    found = bridge.which_rule(model, run, spikes, neuron, scale=scale, sizes=sizes)
    if reset is None:
        reset = neuron.gate if isinstance(neuron, LIF) else "lines"
    claimed = reset, rule
    if claimed not in found.rules or not found.told_apart:
        raise AssertionError(f"{reset}, {rule} was claimed: {found!r}")


def load_vectors(path: str | Path) -> Iterator[dict[str, Any]]:
    """Return the cases of a file of reference vectors: every gate, rule and surrogate.

    Each has the names ``gate``, ``rule`` and ``surrogate``; arrays of float64 ``a``, ``tau`` and
    ``v_th``; ``inputs`` (T, S, n[0]) and the ``errors`` that come to the outputs, (T, S, n[2]);
    ``W1``, ``b1``, ``W2`` and ``b2``; ``spikes1`` and ``spikes2``; and with ``grad_`` before the
    name of a parameter the gradient of the loss Σ errors · spikes2. The formulas of gates and
    surrogates are in the file, too: ``np.load(path)["schema"]``.

    Raises:
        FileNotFoundError, TypeError, ValueError: if the file is not of this kind.
    """
    arrays = read_arrays(as_path("path", path))
    if not str(arrays.pop("schema", "")).startswith(SCHEMA):
        raise ValueError(
            f"path must be a file of {SCHEMA!r}, got {path}; download it again"
        )
    cases = range(len(arrays["gate"]))
    return iter([{name: of[k] for name, of in arrays.items()} for k in cases])


SCHEMA = "stbp-edu reference vectors, 2"
"""How the schema in a file of reference vectors begins."""


def _run(table: Neuron, x: Array, errors: Array) -> tuple[Array, LocalDerivatives]:
    """Return the outputs of neurons side by side, and the factors of their arrows."""
    net = network(f"{NEURONS}-{NEURONS}", table)
    params = [None, {"W": np.eye(NEURONS), "b": np.zeros(NEURONS)}]
    trace = forward(net, params, x)
    return trace[table.output][1], derivatives_on(net, params, trace, errors)


def _gradient(local: LocalDerivatives, rule: Rule) -> Array:
    """Return the gradients of the currents under a rule."""
    neuron = local.net.layers[1].neuron
    gradient: Array = lambdas(local, rule)[1][neuron.input, rule.start]
    return gradient


def _drawn(table: Neuron, seed: int, rule: Rule) -> tuple[Array, Array]:
    """Return currents on which the neurons spike now and then, and errors of their outputs.

    No potential is so near to the threshold that rounding in single precision decides, and the
    gradient of the rule is none of another rule's.
    """
    alike: list[str] = []
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(T, S, NEURONS))
    for size in np.geomspace(0.05, 50, 200):
        x = size * rng.normal(0.4, 1.0, (T, S, NEURONS))
        output, *near = (_run(table, x * k, errors)[0] for k in (1, 0.999, 1.001))
        often = 0.15 < output.mean() < 0.6 and all((o == output).all() for o in near)
        if often or table.lines.spike is None:
            alike = _not_told_apart(table, x, errors, rule)
            if not alike:
                return x, errors
    if alike:
        raise ValueError(
            f"neuron must have a surrogate that tells rules apart, got {table.surrogate}, under "
            f"which {rule.name!r} has the gradient of {alike[0]!r} on every run that was drawn; "
            "widen it, in your neurons too"
        )
    raise ValueError(
        "neuron must spike now and then with currents from 0.05 to 50, got none that does; change "
        "its threshold"
    )


def _not_told_apart(table: Neuron, x: Array, errors: Array, rule: Rule) -> list[str]:
    """Return the rules that differ from this one with a wide surrogate, and not with this one."""
    wide = replace(table, surrogate=Gaussian(float(np.square(x).mean())))
    _, here = _run(table, x, errors)
    _, in_general = _run(wide, x, errors)

    def equal(local: LocalDerivatives, name: str) -> bool:
        """Return whether another rule has the same gradient."""
        return _close(_gradient(local, rule), _gradient(local, RULES[name]), 1e-3)

    return [
        name
        for name in different_rules(here.net)
        if equal(here, name) and not equal(in_general, name)
    ]


def _by_autograd(run: Callable[..., Any]) -> Answer:
    """Return outputs and gradients of a function of tensors."""
    torch = importlib.import_module("torch")

    def answer(x: Array, errors: Array) -> tuple[Array, Array]:
        current = torch.tensor(x, requires_grad=True)
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


def _close(found: Array, expected: Array, rtol: float) -> bool:
    """Return whether two gradients are the same, relative to the largest entry."""
    return bool(np.abs(found - expected).max() <= rtol * np.abs(expected).max())


def _about_outputs(
    neuron: AnyNeuron, x: Array, errors: Array, output: Array, wanted: Array
) -> str:
    """Return where outputs differ, and whose they are, as far as that is known."""
    places = np.argwhere(~np.isclose(output, wanted, 1e-4, 1e-4))
    t, s, i = places[0]
    said = (
        f"outputs differ in {len(places)} of {output.size} places, first at step {t}, sample {s}, "
        f"neuron {i}"
    )
    if not isinstance(neuron, LIF):
        return f"{said}; compare your lines with those of the neuron"
    possible = [
        (f"the {reset_name(k)}", of, 1.0) for k, of in resets_of(neuron).items()
    ]
    shares = {"a leak that multiplies the input, too": neuron.tau}
    for share in (1 - neuron.tau, 1 / (1 - neuron.tau)) if neuron.tau < 1 else ():
        shares[f"inputs that are scaled by {share:.4g}"] = share
    possible += [(name, from_lif(neuron), share) for name, share in shares.items()]
    for name, table, share in possible:
        if np.allclose(output, _run(table, x * share, errors)[0], 1e-4, 1e-4):
            return f"{said}: they are those of {name}, and {neuron} was claimed"
    return f"{said}: compare leak, threshold, the time of the reset, and scale="


def _about_surrogate(
    table: Neuron, rule: Rule, found: Array, x: Array, errors: Array, rtol: float
) -> str:
    """Return how a surrogate differs, from the gradients of the first step."""

    def slopes(curve: Surrogate) -> Array:
        """Return the derivatives of the first outputs by their currents."""
        _, local = _run(replace(table, surrogate=curve), x[:1], errors[:1])
        return _gradient(local, rule)[0] / errors[0]

    def miss(curve: Surrogate) -> float:
        """Return how far slopes are from these, relative to the largest."""
        return float(np.abs(slopes(curve) - of_run).max() / np.abs(of_run).max())

    if not found.any():
        return "no gradient comes to the currents of a single step"
    claimed, of_run, h = table.surrogate, found[0] / errors[0], slopes(table.surrogate)
    for kind in sorted(SURROGATES.values(), key=lambda k: k is not type(claimed)):
        low, high = 1e-3, 1e3
        while high > 1.00001 * low:
            widths = np.geomspace(low, high, 17)
            best = int(np.argmin([miss(kind(float(a))) for a in widths]))
            low, high = widths[max(best - 1, 0)], widths[min(best + 1, 16)]
        if high < 1e3 and miss(kind(float(high))) < 10 * rtol:
            like = kind(float(f"{high:.3g}"))
            return f"the surrogate is like {like}, and {claimed} was claimed"
    seen = np.abs(h) > 0.01 * np.abs(h).max()
    ratio = of_run[seen] / h[seen]
    times = ratio.mean()
    if np.ptp(ratio) <= 10 * rtol * np.abs(ratio).max() < abs(times - 1):
        return f"the surrogate is {times:.4g} times {claimed}, which was claimed"
    at = np.unravel_index(np.abs(of_run - h).argmax(), h.shape)
    return (
        f"the surrogate is not {claimed}, which was claimed: after a current of {x[0][at]:.4g} at "
        f"rest it is {of_run[at]:.4g}, not {h[at]:.4g}"
    )
