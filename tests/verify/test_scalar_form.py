"""The index formulas under every loss and rule, and what the three forms are asked for."""

import numpy as np
import pytest

from stbp_edu import cases, forward, network
from stbp_edu.engine import products
from stbp_edu.losses import RATE, Direct
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian
from stbp_edu.verify import comparison, paths, trials
from stbp_edu.verify.coordinates import Node
from stbp_edu.verify.forms import all_forms, scalar_adjoints, scalar_derivatives, scalar_sweep
from stbp_edu.verify.further_trials import LOSSES
from stbp_edu.verify.unrolled import unroll

SHAPE = np.zeros((3, 2, 2))  # of the output layer
BOTH = Direct(SHAPE + 0.25, SHAPE - 0.5)


def drawn(gate):
    """A network with its targets, and the pass of its smooth twin."""
    neuron = LIF(0.5, 0.5, Gaussian(0.8), gate)
    net = trials.draw(np.random.default_rng(4), (3, 1, 2), 3, neuron)
    net = net._replace(targets=net.targets / net.targets.sum(axis=1, keepdims=True))
    return net, network.forward(net.spikes, net.params, neuron, spike=neuron.H)


@pytest.mark.parametrize("gate", ["linear", "soft"])
@pytest.mark.parametrize("rule", ["exact", "classic"])
@pytest.mark.parametrize("loss", [RATE, *LOSSES, BOTH], ids=lambda loss: repr(loss)[:40])
def test_c1_c2_c3_c4_c5_the_index_formulas_are_the_sum_over_paths(loss, rule, gate):
    (_, *rest), trace = drawn(gate)
    got = scalar_adjoints(trace, *rest, rule, loss)
    assert not comparison.failures(got, paths.derivatives(trace, *rest, rule, loss))


def test_the_exact_rule_and_the_rate_loss_are_taken_where_none_is_said():
    (_, *rest), trace = drawn("linear")
    got, expected = scalar_adjoints(trace, *rest), paths.derivatives(trace, *rest, "exact", RATE)
    assert not comparison.failures(got, expected)
    net = unroll(trace, *rest)
    for found in (scalar_sweep(net)[1][0, 1, 0], scalar_derivatives(net)(Node("u", 1, 0, 0))):
        assert found == pytest.approx(expected.epsilon[1][0, 0, 0], rel=1e-12)


def test_a_sweep_has_a_value_for_every_step_layer_and_neuron():
    (_, *rest), trace = drawn("linear")
    for table in scalar_sweep(unroll(trace, *rest), "classic"):
        assert sorted(table) == [(t, n, i) for t in range(3) for n in (1, 2) for i in range(n)]


@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_the_three_forms_are_the_packages_own_under_the_rule_and_spike_that_are_asked_for(rule):
    net, trace = drawn("linear")
    (_, *rest), spike = net, net.neuron.H
    forms = all_forms(*net, rule, spike)
    assert list(forms) == ["scalar", "vector", "engine"]
    fast = forward(net.spikes, net.params, net.neuron, spike=spike)
    swept = cases.sweep(trace, *rest, rule)
    for name, expected in (
        ("scalar", scalar_adjoints(trace, *rest, rule).gradients.W[1]),
        ("vector", swept.gradients.W[1]),
        ("engine", products.backward(fast, *rest, rule).W[1]),
    ):
        got = forms[name]
        assert np.array_equal(getattr(got, "gradients", got).W[1], expected)
    assert np.array_equal(forms["vector"].delta[1], swept.delta[1])


def test_the_rate_losss_term_is_the_index_formula_that_is_tested(monkeypatch):
    """And not the slope that the oracle has worked out."""
    (_, *rest), trace = drawn("linear")
    monkeypatch.setattr(cases.scalar, "c1_delta", lambda y, o, S: 0.0)
    assert not scalar_adjoints(trace, *rest).delta[2].any()
