"""Neurons and networks of this package, asked without a framework: what differs is named."""

import re
from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Rectangle, Sigmoid, arrows
from stbp_edu.arrows import RULES, part_one
from stbp_edu.arrows.adjoints import derivatives_on, gradients, lambdas
from stbp_edu.arrows.finder import asked_neurons
from stbp_edu.arrows.finder.asked_network import resets_of, which_rule
from stbp_edu.neuron import GATES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.testing import assert_gradient

CLAIMED = LIF(0.8, 0.6, Sigmoid(0.25), "linear")


def said_of(table, claimed=CLAIMED, rule="exact", times=1.0, share=1.0):
    """Return what is said of neurons that do something else than they claim; "" if nothing."""

    def run(currents, errors):
        output, local = asked_neurons.run_of(table, share * currents, errors)
        return output, times * asked_neurons.gradient_of(local, RULES[rule])

    try:
        assert_gradient(run, claimed, plain=True, dtype="float64")
    except AssertionError as said:
        return str(said)
    return ""


def of(neuron):
    return part_one.from_lif(neuron)


def test_neurons_that_are_what_they_claim_are_not_spoken_of():
    assert not said_of(of(CLAIMED))


@pytest.mark.parametrize("rule", ["classic", "detached-reset", "spatial-only"])
def test_another_rule_is_named(rule):
    assert f"that of the rule '{rule}'" in said_of(of(CLAIMED), rule=rule)


@pytest.mark.parametrize("reset", resets_of(CLAIMED))
def test_another_reset_is_named(reset):
    said = said_of(resets_of(CLAIMED)[reset])
    assert (not said) == (reset == CLAIMED.gate)
    assert not said or f"they are those of another neuron ({reset}" in said


def test_a_leak_on_the_input_is_named_and_what_is_nobodys_is_not():
    assert "a leak that multiplies the input" in said_of(of(CLAIMED), share=0.8)
    for changed in ({"v_th": 0.9}, {"tau": 0.5}):
        said = said_of(of(replace(CLAIMED, **changed)))
        assert said.endswith(
            "compare leak, threshold, the time of the reset, and scale="
        )


@pytest.mark.parametrize("times", [-1, 0.3, 2])
def test_another_size_of_the_surrogate_is_named(times):
    said = said_of(of(CLAIMED), times=times)
    assert (
        said == f"the surrogate is {times} times {CLAIMED.surrogate}, which was claimed"
    )


@pytest.mark.parametrize("kind", SURROGATES.values(), ids=SURROGATES)
def test_another_curve_and_its_width_are_named(kind):
    said = said_of(of(replace(CLAIMED, surrogate=kind(0.7))))
    assert said.startswith(f"the surrogate is like {kind(0.7)}, ")


class Skewed(Gaussian):
    """A curve that is none of the package's."""

    def derivative(self, v):
        return super().derivative(v) * (1 + np.tanh(3 * v) / 2)


def test_a_curve_that_is_no_other_is_shown_where_it_differs_most():
    curve = Skewed(0.5)
    said = said_of(of(replace(CLAIMED, surrogate=curve)))
    x, found, claimed = map(float, re.findall(r"(-?[\d.]+)(?: at|, not|$)", said))
    v = x - CLAIMED.v_th
    assert (found, claimed) == pytest.approx(
        (curve.derivative(v), CLAIMED.h(x)), rel=1e-3
    )
    drawn, _ = asked_neurons.draw_currents(of(CLAIMED), 0, RULES["exact"])
    apart = np.abs(curve.derivative(drawn[0] - CLAIMED.v_th) - CLAIMED.h(drawn[0]))
    assert abs(found - claimed) == pytest.approx(apart.max(), rel=1e-2)


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
