"""The modules in use: with other layers between, batch first, and what they refuse."""

import math

import pytest
import torch
from torch import nn

from stbp_edu import LIF
from stbp_edu.torch import LIFLayer, LIFNetwork
from tests.networks import make_problem

NEURON = LIF(tau=0.7, v_th=0.5)

PARAMS = make_problem(3, [6, 8, 4], 5, 3, NEURON).params


@pytest.fixture
def network():
    return LIFNetwork.from_params(PARAMS, NEURON)


def spikes(dtype=torch.float64):
    return (torch.rand(5, 3, 6, generator=torch.manual_seed(0)) < 0.5).to(dtype)


def assert_close(got, want, rtol=1e-12):
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.cpu().view(b.shape), b, rtol=rtol, atol=1e-14)


def gradients(call, network, x):
    network.zero_grad()
    output = call(x)
    output.float().mean(0).pow(2).sum().backward()
    return output.detach(), [p.grad.clone() for p in network.parameters()]


def test_what_cannot_run_twice_is_refused_under_the_classic_rule():
    x = torch.ones(5, 2, 4, requires_grad=True)
    layer = LIFLayer(nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3)), NEURON, "classic")
    with pytest.raises(
        ValueError, match="weights must hold no dropout and no batch norm under"
    ):
        layer(x)
    layer.eval()(x).sum().backward()
    assert x.grad is not None
    assert LIFLayer(layer.weights, NEURON).train()(x).shape == (5, 2, 3)


@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_dropout_and_pooling_between_the_layers(rule):
    """What is dropped is no signal upward and no error downward, and potentials skip no layer."""
    neuron = LIF(tau=0.7, v_th=0.05)
    torch.manual_seed(0)
    first = LIFLayer(nn.Conv2d(1, 2, 3), neuron, rule)
    last = LIFLayer(nn.Linear(8, 3, bias=False), neuron, rule)
    drop = nn.Dropout(0.5)
    network = LIFNetwork(first, nn.AvgPool2d(2), nn.Flatten(), drop, last)
    x = torch.rand(5, 2, 1, 6, 6)
    trace = network.trace(x)
    assert [tuple(u.shape) for u in trace.U[1:]] == [(5, 2, 2, 4, 4), (5, 2, 3)]
    trace.U[-1].sum().backward()
    assert all(p.grad.any() for p in network.parameters())
    drop.p = 1.0
    assert not network(x).any()
    network.eval()
    pooled = nn.functional.avg_pool2d(first(x).flatten(0, 1), 2).reshape(5, 2, 8)
    assert torch.equal(network(x), last(pooled))


X = torch.zeros(5, 3, 6, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda n: n(X.numpy()), TypeError, "spikes must be a tensor of floats, got nd"),
        (lambda n: n(X.float()), TypeError, "must be torch.float64 on cpu, as the we"),
        (lambda n: n(X[..., :5]), ValueError, r"must fit Linear.* shape .5, 3, 5."),
        (lambda n: n(X + math.nan), ValueError, "spikes must be finite, got nan at index"),
        (lambda n: nn.Sequential(*(LIFLayer(one.weights, NEURON, "truncated-2") for one in n))(X),
         ValueError, "put the layers into a LIFNetwork"),
    ],
)  # fmt: skip
def test_bad_input_is_named(network, call, error, words):
    with pytest.raises(error, match=words):
        call(network)


def test_samples_may_come_first(network):
    turned, x = LIFNetwork(*network, batch_first=True), spikes()
    assert torch.equal(turned(x.transpose(0, 1)), network(x).transpose(0, 1))
    _, state = turned(x[:2].transpose(0, 1), None)
    second, _ = turned(x[2:].transpose(0, 1), state)
    torch.testing.assert_close(second, network(x)[2:].transpose(0, 1))
