"""Neurons and networks of this package, asked without a framework: what differs is named."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF, Rectangle, Sigmoid, arrows, derive
from stbp_edu.arrows import RULES, part_one
from stbp_edu.arrows.adjoints import derivatives_on, gradients, lambdas
from stbp_edu.arrows.asked_network import resets_of, which_rule
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


def rules_of(sizes, neurons, rule, positive=False):
    """Ask a network of this package for its rule; a LIF is asked as somebody else's."""
    tables = neurons if isinstance(neurons, list) else of(neurons)
    net = arrows.network(
        sizes, tables, arrows.Loss(READ_OUT.output if tables is neurons else "o")
    )
    rng = np.random.default_rng(1)
    params = arrows.draw_params(net, rng, 2.0 - positive)
    for p in params[1:]:
        p["W"] = np.abs(p["W"]) if positive else p["W"]

    def ask(inputs):
        trace = arrows.forward(net, params, inputs)

        def gradient(signal):
            local = derivatives_on(net, params, trace, signal)
            return gradients(local, lambdas(local, rule), RULES[rule].start)

        return trace[net.loss.state][-1], gradient

    inputs = rng.random((12, 3, net.shape[0]))
    return which_rule(
        ask, params, sizes, neurons, 0.35 * inputs if positive else inputs
    )


@pytest.mark.parametrize("rule", ["exact", "detached-reset"])
@pytest.mark.parametrize("gate", GATES)
def test_the_gate_and_rule_of_a_network_that_spikes_are_found(gate, rule):
    found = rules_of("6-9-4", LIF(0.8, 0.6, Rectangle(2.0), gate), rule, positive=True)
    assert found.gates == [gate]
    assert (gate, rule) in found.rules


LINES = "{u} = 0.7 * {u} * (1 - {o}) + x; {o} = spike({u} - 0.3)"
FIRST, SECOND = (derive(LINES.format(u=u, o=o)).neuron for u, o in ("us", "vz"))
READ_OUT = derive("y = 0.9 * y + x").neuron


@pytest.mark.parametrize("rule", ["exact", "classic", "detached-reset"])
def test_three_own_neurons_whose_outputs_have_different_names(rule):
    found = rules_of("3-4-4-2", [FIRST, SECOND, READ_OUT], rule)
    assert found.gates == ["lines"]
    assert found.rules == [("lines", rule)]
