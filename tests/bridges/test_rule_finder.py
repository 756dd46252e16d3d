"""The verdict on networks of the bridge, and of others': gates, rules, factors, surrogates."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from stbp_edu import LIF, Sigmoid
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS, CASE_RULES
from stbp_edu.torch import LIFLayer, LIFNetwork, SurrogateOf, which_rule
from tests.networks import make_problem

NEURON = LIF(tau=0.8, v_th=0.6)
PROBLEM = make_problem(1, [6, 9, 4], 12, 3, NEURON)
X = torch.from_numpy(PROBLEM.spikes)
ALIKE = [
    (("detached-reset", "leak-only"), ["soft"]),  # what is carried is τ in any case
    (("ottt", "e-prop"), GATES),  # without recurrent weights and a read-out that decays
]


def bridge(neuron=NEURON, rule="exact", dtype=np.float64):
    params = make_problem(1, [6, 9, 4], 12, 3, NEURON, dtype).params
    return LIFNetwork.from_params(params, neuron, rule)


@pytest.fixture
def network():
    return bridge()


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("rule", [*CASE_RULES, *ABLATIONS, "e-prop"])
def test_each_is_found(gate, rule):
    dtype = np.float32 if gate == "linear" else np.float64
    network = bridge(LIF(tau=0.8, v_th=0.6, gate=gate), rule, dtype)
    before = torch.get_rng_state()
    found = which_rule(network, network, X.to(getattr(torch, dtype.__name__)), NEURON)
    names = next((names for names, of in ALIKE if rule in names and gate in of), [rule])
    assert found.rules == [(gate, name) for name in names]
    assert (found.gates, found.surrogate) == ([gate], "")
    assert (found.nearest[0].gate, found.nearest[0].rule) in found.rules
    assert repr(found) == " = ".join(f"{gate} gate, {name}" for name in names) + "."
    assert torch.equal(
        torch.get_rng_state(), before
    )  # nothing is drawn from others' generator


def test_a_scale_is_taken_into_account():
    neuron = LIF(tau=0.8, v_th=0.6, gate="linear")
    network = bridge(neuron)

    def scaled(x):
        for layer in network:
            x = LIFLayer(nn.Identity(), neuron)(0.5 * layer.weights(x))
        return x

    assert which_rule(network, scaled, X, neuron, scale=0.5).rules == [
        ("linear", "exact")
    ]
    assert "No gate has these spikes: nearest is" in repr(
        which_rule(network, scaled, X, neuron)
    )


def test_what_has_no_rule_gets_the_nearest_and_what_differs(network):
    for other in (LIF(tau=0.7, v_th=0.6), LIF(tau=0.8, v_th=0.5)):
        found = which_rule(network, network, X, other)
        assert (found.rules, found.gates, found.nearest) == ([], [], [])
        assert min(found.differing.values()) > 0
    top = LIFLayer(network[1].weights, NEURON, "detached-reset")
    mixed = LIFNetwork(network[0], top)
    found = which_rule(mixed, mixed, X, NEURON)
    assert found.rules == []
    assert 0.01 < found.nearest[0].residual < 1
    assert (
        "No rule has this gradient, though exponential has the spikes: nearest"
        in repr(found)
    )
    network[1].weights.weight.register_hook(lambda g: 3 * g)
    found = which_rule(network, network, X, NEURON)
    assert found.nearest[0].factors == pytest.approx((1, 3))
    assert found.rules == []
    assert repr(found) == "exponential gate, exact times 1, 3 by layer."


class Spike(torch.autograd.Function):
    """A spike whose backward is none of the package's curves."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v >= 0).to(v)

    @staticmethod
    def backward(ctx, grad):
        return grad / (1 + (2 * ctx.saved_tensors[0]) ** 2)


@pytest.mark.parametrize(
    ("curve", "rules", "said"),
    [
        (Sigmoid(0.2), 1, r"but Sigmoid\(a=0.2\) within 0.0% of its height: h\("),
        (
            SurrogateOf(lambda v: 3 * NEURON.surrogate.twin(v, torch)),
            1,
            "but 3 times that",
        ),
        (
            SurrogateOf(Spike.apply),
            0,
            r"nor another of the package's: h\(.*pass SurrogateOf",
        ),
    ],
)
def test_a_surrogate_that_is_not_the_neuron_s_is_shown_by_its_values(
    curve, rules, said
):
    theirs = LIF(tau=0.8, v_th=0.6, surrogate=curve)
    network = bridge(theirs, "detached-reset")
    found = which_rule(network, network, X, NEURON)
    assert len(found.rules) == rules
    assert (found.nearest[0].gate, found.nearest[0].rule) == (
        "exponential",
        "detached-reset",
    )
    assert found.nearest[0].residual < 0.05
    assert re.search(said, found.surrogate)
    assert which_rule(network, network, X, theirs).rules == [
        ("exponential", "detached-reset")
    ]


def frozen(network):
    """The rule of a network whose first layer does not learn."""
    network[0].requires_grad_(False)
    return which_rule(network, network, X, NEURON)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda n: which_rule(n, lambda x: None, X, LIF()),
            TypeError,
            "what run returns must be",
        ),
        (
            lambda n: which_rule(n, lambda x: n(x).detach(), X, LIF()),
            ValueError,
            "a gradient of",
        ),
        (frozen, ValueError, "run must have a gradient of the weights"),
        (
            lambda n: which_rule(n, lambda x: n(x)[-1], X, LIF()),
            ValueError,
            "run must return",
        ),
        (lambda n: which_rule(n, lambda x: 0 * n(x), X, LIF()), ValueError, "0 spikes"),
        (
            lambda n: which_rule(n, n, X.numpy(), LIF()),
            TypeError,
            "spikes must be a tensor",
        ),
        (
            lambda n: which_rule(n, 3, X, LIF()),
            TypeError,
            "run must be a function of spikes",
        ),
        (
            lambda n: which_rule(n, n, X, LIF(), scale=0),
            ValueError,
            "scale must be > 0",
        ),
        (
            lambda n: SurrogateOf(abs).derivative(1.0),
            TypeError,
            "v must be a tensor of floats",
        ),
    ],
)
def test_bad_input_is_named(network, call, error, words):
    with pytest.raises(error, match=words):
        call(network)
