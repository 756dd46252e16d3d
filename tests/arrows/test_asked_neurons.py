"""Neurons and networks of this package, asked without a framework: what differs is named."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF, Rectangle, Sigmoid, arrows
from stbp_edu.arrows import RULES, part_one
from stbp_edu.arrows.adjoints import derivatives_on, gradients, lambdas
from stbp_edu.arrows.finder.asked_network import resets_of, which_rule
from stbp_edu.neuron import GATES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.testing import SIZES, WEIGHTS, assert_gradient

CLAIMED = LIF(0.8, 0.6, Sigmoid(0.25), "linear")


def said_of(table, rule="exact", times=1.0):
    """Return what is said of neurons that do something else than they claim; "" if nothing."""

    def run(currents, errors):
        net = arrows.network(SIZES, table)
        trace = arrows.forward(net, WEIGHTS, currents)
        local = derivatives_on(net, WEIGHTS, trace, errors)
        lam = lambdas(local, rule)[1][table.input, RULES[rule].start]
        return trace["o"][-1], times * lam

    try:
        assert_gradient(run, CLAIMED, plain=True)
    except AssertionError as said:
        return str(said)
    return ""


def of(neuron):
    return part_one.from_lif(neuron)


def test_neurons_that_are_what_they_claim_are_not_spoken_of():
    assert not said_of(of(CLAIMED))


@pytest.mark.parametrize("rule", ["classic", "detached-reset", "spatial-only"])
def test_another_rule_is_named(rule):
    assert f"claimed: linear gate, {rule}" in said_of(of(CLAIMED), rule)


@pytest.mark.parametrize("reset", resets_of(CLAIMED))
def test_another_reset_is_named(reset):
    said = said_of(resets_of(CLAIMED)[reset])
    assert (not said) == (reset == CLAIMED.gate)
    assert not said or f"claimed: {reset}" in said


@pytest.mark.parametrize("changed", [{"v_th": 0.9}, {"tau": 0.5}])
def test_the_outputs_of_nobody_are_not_named(changed):
    said = said_of(of(replace(CLAIMED, **changed)))
    assert "No reset has these outputs" in said


@pytest.mark.parametrize("times", [-1, 0.3, 2])
def test_another_size_of_the_surrogate_is_named(times):
    said = said_of(of(CLAIMED), times=times)
    assert f"The surrogate is not {CLAIMED.surrogate}" in said


@pytest.mark.parametrize("kind", SURROGATES.values(), ids=SURROGATES)
def test_another_surrogate_is_named(kind):
    said = said_of(of(replace(CLAIMED, surrogate=kind(0.7))))
    assert f"The surrogate is not {CLAIMED.surrogate}" in said


@pytest.mark.parametrize("rule", ["exact", "detached-reset"])
@pytest.mark.parametrize("gate", GATES)
def test_the_gate_and_rule_of_a_network_that_spikes_are_found(gate, rule):
    neuron = LIF(0.8, 0.6, Rectangle(2.0), gate)
    net = arrows.network("6-9-4", of(neuron))
    rng = np.random.default_rng(1)
    params = arrows.draw_params(net, rng)
    for p in params[1:]:
        p["W"] = np.abs(p["W"])

    def ask(inputs):
        trace = arrows.forward(net, params, inputs)

        def gradient(signal):
            local = derivatives_on(net, params, trace, signal)
            return gradients(local, lambdas(local, rule), RULES[rule].start)

        return trace["o"][-1], gradient

    found = which_rule(ask, params, "6-9-4", neuron, 0.35 * rng.random((12, 3, 6)))
    assert found.gates == [gate]
    assert (gate, rule) in found.rules
