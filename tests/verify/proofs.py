"""Each oracle's answers on fixed networks, worked out once, and the package held against them."""

from functools import cache

import numpy as np

from stbp_edu import cases, network
from stbp_edu.neuron import GATES
from stbp_edu.verify import autodiff, comparison, finite_difference, paths, polynomials, trials
from stbp_edu.verify.forms import all_forms, scalar_adjoints

SIZES, T = (2, 2, 2), 3  # every case occurs, and more than one (t, n) of cases 3 and 4


@cache
def drawn(which):
    """A network for each surrogate and gate, its smooth twin's pass, and the oracles' answers."""
    net = trials.draw(np.random.default_rng(which), SIZES, T, trials.NEURONS[which])
    trace = network.forward(net.spikes, net.params, net.neuron, spike=net.neuron.H)
    return net, trace


@cache
def answer(oracle, which):
    """What an oracle says, and how close one must come."""
    net, trace = drawn(which)
    if oracle == "finite_difference":
        return finite_difference.derivatives(*net), comparison.DIFFERENCES
    if oracle == "autodiff":
        return autodiff.derivatives(*net, spike=net.neuron.H), comparison.ROUNDING
    return paths.derivatives(trace, net.targets, net.params, net.neuron), comparison.ROUNDING


@cache
def proofs(sizes, steps, rule):
    """The identities of polynomials."""
    return polynomials.prove(sizes, steps, rule)


def assert_proved(name):
    """Every form of one equation equals every oracle, on every neuron; the symbols too."""
    for which in range(len(trials.NEURONS)):
        net, _ = drawn(which)
        for form, got in all_forms(*net, "exact", net.neuron.H).items():
            for oracle in ("finite_difference", "autodiff", "paths"):
                expected, tolerance = answer(oracle, which)
                seen = [one for one in comparison.comparisons(got, expected) if one.id == name]
                assert seen or (form == "engine" and name[1] != "5")
                for one in seen:
                    error = one.error(tolerance)
                    assert error <= tolerance.limit, one.describe(tolerance)
    for rule in ("exact", "classic"):
        formula = comparison.equation_under(name, rule)
        seen = [proof for proof in proofs((2, 2, 2, 2), 3, rule) if proof.id == formula]
        assert seen
        for proof in seen:
            assert proof.difference == 0, f"{name}, {rule}, at {proof.node}"


def assert_kept(name):
    """Every form of a classic equation is the sum over the paths that it keeps."""
    for which in range(len(trials.NEURONS)):
        net, trace = drawn(which)
        kept = paths.derivatives(trace, net.targets, net.params, net.neuron, "classic")
        for got in all_forms(*net, "classic", net.neuron.H).values():
            for one in comparison.comparisons(got, kept):
                if comparison.equation_under(one.id, "classic") == name:
                    error = one.error(comparison.ROUNDING)
                    assert error <= comparison.ROUNDING.limit, one.describe()
    seen = [proof for proof in proofs((2, 2, 2, 2), 3, "classic") if proof.id == name]
    assert seen
    assert all(proof.difference == 0 for proof in seen)
    return sum(proof.dropped for proof in seen)


def assert_rejected(name, monkeypatch, wrong, wrong_on_arrays=None):
    """Put a wrong formula into both forms: every oracle must object, and name it first.

    Gaussian, exponential gate: every local derivative differs from 0.
    """
    function = name.replace("-", "_")
    monkeypatch.setattr(cases.scalar, function, wrong)
    monkeypatch.setattr(cases.vector, function, wrong_on_arrays or wrong)
    which = len(trials.NEURONS) - len(GATES)
    net, trace = drawn(which)
    for form in (cases.sweep, scalar_adjoints):
        got = form(trace, net.targets, net.params, net.neuron)
        for oracle in ("finite_difference", "autodiff", "paths"):
            sentences = comparison.failures(got, *answer(oracle, which))
            assert sentences, f"{oracle} did not object"
            assert sentences[0].startswith(name), f"{oracle} blames {sentences[0]}"
    unequal = [proof for proof in polynomials.prove(SIZES, T) if proof.difference != 0]
    assert unequal
    assert unequal[0].id == name
