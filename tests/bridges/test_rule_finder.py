"""The verdict on networks of the bridge, and of others': gates, rules, factors, surrogates."""

import numpy as np
import pytest
import torch
from torch import nn

import stbp_edu
from stbp_edu import LIF, derive
from stbp_edu.arrows.asked_network import OTHER_RESETS
from stbp_edu.cases import ABLATIONS, CASE_RULES
from stbp_edu.neuron import GATES
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
    found = which_rule(network, network, X.to(getattr(torch, dtype.__name__)), NEURON)
    names = next((names for names, of in ALIKE if rule in names and gate in of), [rule])
    assert found.rules == [(gate, name) for name in names]
    assert found.gates == [gate]
    assert repr(found) == " = ".join(f"{gate} gate, {name}" for name in names) + "."
    assert found.agree_elsewhere


def test_what_has_no_rule_gets_the_nearest_and_what_differs(network):
    found = which_rule(network, network, X, LIF(tau=0.7, v_th=0.6))
    assert (found.rules, found.gates, found.nearest) == ([], [], [])
    assert min(found.differing.values()) > 0
    top = LIFLayer(network[1].weights, NEURON, "detached-reset")
    mixed = LIFNetwork(network[0], top)
    found = which_rule(mixed, mixed, X, NEURON)
    assert found.rules == []
    said = "No rule has this gradient, though exponential gate has the outputs: nearest"
    assert said in repr(found)


def test_a_batch_that_does_not_tell_resets_apart_says_so(network):
    """Of one step, after which nothing is reset."""
    found = which_rule(network, network, X[:1], NEURON)
    assert len(found.rules) > len(found.gates) == 5
    assert repr(found).endswith(
        "This batch is too small to tell them apart: pass more steps or samples, larger inputs, or "
        "a wider surrogate."
    )


@pytest.mark.parametrize("rule", ["exact", "spatial-only"])
@pytest.mark.parametrize("reset", OTHER_RESETS)
def test_resets_of_frameworks_are_tried_beside_the_gates(reset, rule):
    lines = derive(OTHER_RESETS[reset], tau=0.8, v_th=0.6, surrogate=NEURON.surrogate)
    network = bridge(lines, rule)
    found = which_rule(network, network, X, NEURON)
    assert found.gates == [reset]
    assert found.rules[0] == (reset, rule)
    assert found.agree_elsewhere


class Spike(torch.autograd.Function):
    """A spike whose backward is none of the package's curves."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return (v >= 0).to(v)

    @staticmethod
    def backward(ctx, grad):
        return grad / (1 + (2 * ctx.saved_tensors[0]) ** 4)


def test_another_surrogate_is_not_guessed_but_asked_for():
    theirs = LIF(tau=0.8, v_th=0.6, surrogate=SurrogateOf(Spike.apply))
    network = bridge(theirs, "detached-reset")
    found = which_rule(network, network, X, NEURON)
    assert found.rules == []
    assert "surrogate=SurrogateOf(your spike function)" in repr(found)
    assert f"SurrogateOf(spike={Spike.apply!r})" in repr(theirs)
    assert which_rule(network, network, X, theirs).rules == [
        ("exponential", "detached-reset")
    ]


CURRENT, ADAPTIVE = (
    derive(text, surrogate=NEURON.surrogate)
    for text in (
        "i = 0.7 * i + x; u = 0.8 * u * (1 - o) + i; o = spike(u - 0.6)",
        "a = 0.9 * a + 0.2 * o; u = 0.8 * u * (1 - o) + x; o = spike(u - 0.6 - a)",
    )
)


@pytest.mark.parametrize("rule", ["exact", "classic", "detached-spikes", "e-prop"])
@pytest.mark.parametrize(
    ("neurons", "sizes"),
    [
        ((ADAPTIVE, "u = 0.9 * u + x"), None),
        ((CURRENT, ADAPTIVE), "6-9R-4R"),
    ],
)
def test_own_neurons_read_outs_and_recurrent_layers(neurons, sizes, rule):
    net = stbp_edu.network(sizes or "6-9-4", neurons)
    params = net.init(np.random.default_rng(1), scale=2.0)
    network = LIFNetwork.from_params(params, neurons, rule)
    found = which_rule(network, network, X, neurons, sizes=sizes)
    assert ("lines", rule) in found.rules
    assert (("lines", "exact") in found.rules) == (rule == "exact")


@pytest.mark.parametrize("rule", ["exact", "detached-reset"])
def test_a_convolution(rule):
    torch.manual_seed(0)
    neuron = LIF(tau=0.8, v_th=0.2)
    first = LIFLayer(nn.Conv2d(1, 2, 3), neuron, rule)
    last = LIFLayer(nn.Linear(8, 3), neuron, rule)
    network = LIFNetwork(first, nn.AvgPool2d(2), nn.Flatten(), last)
    x = (torch.rand(6, 2, 1, 6, 6) < 0.5).float()
    found = which_rule(network, network, x, neuron, sizes="6x6-2C3-P2-3")
    assert found.rules == [("exponential", rule)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda n: which_rule(n, lambda x: n(x).detach(), X, LIF()), "a gradient of"),
        (lambda n: which_rule(n, lambda x: n.trace(x).U[-1], X, NEURON),
         "run must return spikes, 0 or 1, got .*; for a read-out .* pass two neurons"),
        (lambda n: which_rule(nn.Sequential(nn.BatchNorm1d(6), n), n, X, NEURON),
         "got a BatchNorm1d with weights of shape .6,., which this does not follow"),
        (lambda n: which_rule(n, lambda x: n(x) + 0 * torch.sqrt(0 * n(x)), X, NEURON),
         "the gradient of W1 must be finite, got nan"),
    ],
)  # fmt: skip
def test_bad_input_is_named(network, call, words):
    with pytest.raises(ValueError, match=words):
        call(network)
