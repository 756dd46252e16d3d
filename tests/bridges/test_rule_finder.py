"""Every gate and rule of the package is found in a network of the bridge, and bad input named."""

import pytest
import torch
from torch import nn

from stbp_edu import LIF
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.torch import LIFLayer, LIFNetwork, which_rule
from tests.networks import make_problem

PROBLEM = make_problem(1, [6, 9, 4], 12, 3, LIF(tau=0.8, v_th=0.6))
X = torch.from_numpy(PROBLEM.spikes)
ALIKE = "detached-reset", "leak-only"  # under a soft reset what is carried is τ in any case


@pytest.fixture
def network():
    return LIFNetwork.from_params(PROBLEM.params, PROBLEM.neuron)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("rule", [*RULES, *ABLATIONS])
def test_each_is_found(gate, rule):
    neuron = LIF(tau=0.8, v_th=0.6, gate=gate)
    network = LIFNetwork.from_params(PROBLEM.params, neuron, rule)
    before = torch.get_rng_state()
    names = ALIKE if gate == "soft" and rule in ALIKE else [rule]
    assert which_rule(network, network, X, PROBLEM.neuron) == [(gate, name) for name in names]
    assert torch.equal(torch.get_rng_state(), before)  # nothing is drawn from others' generator


def test_a_scale_is_taken_into_account():
    neuron = LIF(tau=0.8, v_th=0.6, gate="linear")
    network = LIFNetwork.from_params(PROBLEM.params, neuron)

    def scaled(x):
        for layer in network:
            x = LIFLayer(nn.Identity(), neuron)(0.5 * layer.weights(x))
        return x

    assert which_rule(network, scaled, X, neuron, scale=0.5) == [("linear", "exact")]
    assert which_rule(network, scaled, X, neuron) == []


def test_a_gain_limit_is_taken_into_account():
    network = LIFNetwork.from_params(PROBLEM.params, PROBLEM.neuron, "exact", 0.7)
    asked = network, network, X, PROBLEM.neuron
    assert which_rule(*asked, gain_limit=0.7) == [("exponential", "exact")]
    assert which_rule(*asked) == []


def test_other_constants_mixed_rules_and_a_gradient_a_little_off_have_no_rule(network):
    for other in (LIF(tau=0.7, v_th=0.6), LIF(tau=0.8, v_th=0.5)):
        assert which_rule(network, network, X, other) == []
    top = LIFLayer(network[1].weights, PROBLEM.neuron, "detached-reset")
    mixed = LIFNetwork(network[0], top)
    assert which_rule(mixed, mixed, X, PROBLEM.neuron) == []
    network[1].weights.weight.register_hook(lambda g: 1.001 * g)
    assert which_rule(network, network, X, PROBLEM.neuron) == []


def frozen(network):
    """The rule of a network whose first layer does not learn."""
    network[0].requires_grad_(False)
    return which_rule(network, network, X, LIF(tau=0.8, v_th=0.6))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda n: which_rule(n, lambda x: None, X, LIF()), TypeError, "what run returns must be"),
        (lambda n: which_rule(n, lambda x: n(x).detach(), X, LIF()), ValueError, "a gradient of"),
        (frozen, ValueError, "run must have a gradient of the weights"),
        (lambda n: which_rule(n, lambda x: n(x)[-1], X, LIF()), ValueError, "run must return"),
        (lambda n: which_rule(n, lambda x: 0 * n(x), X, LIF()), ValueError, "0 spikes"),
        (lambda n: which_rule(n, n, X.numpy(), LIF()), TypeError, "spikes must be a tensor"),
        (lambda n: which_rule(n, n, X, 0.8), TypeError, "neuron must be of type LIF"),
        (lambda n: which_rule(n, n, X, LIF(), scale=0), ValueError, "scale must be > 0"),
        (lambda n: which_rule(nn.ReLU(), n, X, LIF()), ValueError, "state must hold an entry"),
    ],
)
def test_bad_input_is_named(network, call, error, words):
    with pytest.raises(error, match=words):
        call(network)
