"""Neurons of another framework, asked without weights: what are their outputs and gradients?

They are side by side, each with its own current. :mod:`stbp_edu.testing` asks them, and says what
differs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.adjoints import LocalDerivatives, lambdas
from stbp_edu.arrows.arrow import Neuron
from stbp_edu.arrows.finder.asked_network import reset_name, resets_of, run
from stbp_edu.arrows.finder.classifier import different_rules
from stbp_edu.arrows.part_one import AnyNeuron, from_lif
from stbp_edu.arrows.rules import RULES, Rule
from stbp_edu.arrows.table import network
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES, Gaussian, Surrogate

T, S, NEURONS = 12, 4, 6
"""The size of the runs: steps, samples, and neurons side by side."""


def run_of(table: Neuron, x: Array, errors: Array) -> tuple[Array, LocalDerivatives]:
    """Return the outputs of neurons side by side, and the factors of their arrows."""
    net = network(f"{NEURONS}-{NEURONS}", table)
    params = [None, {"W": np.eye(NEURONS), "b": np.zeros(NEURONS)}]
    return run(net, params, x, errors)


def gradient_of(local: LocalDerivatives, rule: Rule) -> Array:
    """Return the gradients of the currents under a rule."""
    neuron = local.net.layers[1].neuron
    gradient: Array = lambdas(local, rule)[1][neuron.input, rule.start]
    return gradient


def draw_currents(table: Neuron, seed: int, rule: Rule) -> tuple[Array, Array]:
    """Return currents on which the neurons spike now and then, and errors of their outputs.

    No potential is so near to the threshold that rounding in single precision decides, and the
    gradient of the rule is none of another rule's.
    """
    alike: list[str] = []
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(T, S, NEURONS))
    for size in np.geomspace(0.05, 50, 200):
        x = size * rng.normal(0.4, 1.0, (T, S, NEURONS))
        output, *near = (run_of(table, x * k, errors)[0] for k in (1, 0.999, 1.001))
        often = 0.15 < output.mean() < 0.6 and all((o == output).all() for o in near)
        if often or table.lines.spike is None:
            alike = not_told_apart(table, x, errors, rule)
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


def not_told_apart(table: Neuron, x: Array, errors: Array, rule: Rule) -> list[str]:
    """Return the rules that differ from this one with a wide surrogate, and not with this one."""
    wide = replace(table, surrogate=Gaussian(float(np.square(x).mean())))
    _, here = run_of(table, x, errors)
    _, in_general = run_of(wide, x, errors)

    def equal(local: LocalDerivatives, name: str) -> bool:
        """Return whether another rule has the same gradient."""
        return close(gradient_of(local, rule), gradient_of(local, RULES[name]), 1e-3)

    return [
        name
        for name in different_rules(here.net)
        if equal(here, name) and not equal(in_general, name)
    ]


def close(found: Array, expected: Array, rtol: float) -> bool:
    """Return whether two gradients are the same, relative to the largest entry."""
    return bool(np.abs(found - expected).max() <= rtol * np.abs(expected).max())


def about_outputs(
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
    tau, mine = neuron.tau, from_lif(neuron)
    possible = [(reset_name(k), of, 1.0) for k, of in resets_of(neuron).items()]
    shares = (1 - tau, 1 / (1 - tau)) if tau < 1 else ()
    possible += [
        ("a leak that multiplies the input, too", mine, tau),
        *((f"inputs that are scaled by {share:.4g}", mine, share) for share in shares),
    ]
    for name, table, share in possible:
        if np.allclose(output, run_of(table, x * share, errors)[0], 1e-4, 1e-4):
            return f"{said}: they are those of another neuron ({name}), and {neuron} was claimed"
    return f"{said}: compare leak, threshold, the time of the reset, and scale="


def about_surrogate(
    table: Neuron, rule: Rule, found: Array, x: Array, errors: Array, rtol: float
) -> str:
    """Return how a surrogate differs, from the gradients of the first step."""

    def slopes(curve: Surrogate) -> Array:
        """Return the derivatives of the first outputs by their currents."""
        _, local = run_of(replace(table, surrogate=curve), x[:1], errors[:1])
        return gradient_of(local, rule)[0] / errors[0]

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
        like = kind(float(f"{high:.3g}"))
        if like != claimed and high < 1e3 and miss(kind(float(high))) < 10 * rtol:
            return f"the surrogate is like {like}, and {claimed} was claimed"
    seen = np.abs(h) > 0.01 * np.abs(h).max()
    ratio = of_run[seen] / h[seen]
    times = ratio.mean()
    if np.ptp(ratio) <= 10 * rtol * np.abs(ratio).max() < abs(times - 1):
        return f"the surrogate is {times:.4g} times {claimed}, which was claimed"
    at = np.unravel_index(np.abs(of_run - h).argmax(), h.shape)
    return (
        f"the surrogate is not {claimed}, which was claimed, or the threshold is another: after a "
        f"current of {x[0][at]:.4g} at rest the slope is {of_run[at]:.4g}, not {h[at]:.4g}"
    )
