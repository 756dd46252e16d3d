"""What a loop in PyTorch expects of a module: names, saves, derivatives, and no silent NaN."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import stbp_edu
from stbp_edu import LIF, derive
from stbp_edu._support.checks import NotFiniteError
from stbp_edu.torch import LIFLayer, LIFNetwork
from tests.bridges.test_carried_state import LEARNS
from tests.bridges.test_layers import gradients


def network(rule="exact", **more):
    torch.manual_seed(0)
    first = LIFLayer(nn.Linear(4, 6), LEARNS, rule, recurrent=True, **more)
    return LIFNetwork(first, LIFLayer(nn.Linear(6, 3), LIF(tau=0.7), rule))


@pytest.mark.parametrize("rule", ["exact", "classic"])
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_copies_and_pickles_give_the_same(copied, rule):
    net, x = network(rule), torch.rand(5, 2, 4)
    gradients(net, net, x)  # what a run leaves behind is no hindrance
    again = copied(net)
    (_, want), (_, found) = gradients(net, net, x), gradients(again, again, x)
    assert all(map(torch.equal, found, want))


@pytest.mark.parametrize("loss", [torch.sum, lambda o: o.mean(0).pow(2).sum()])
def test_a_second_derivative_is_refused(loss):
    """And a first one with its graph is what it is without; of a linear loss, too."""
    net, x = network(), torch.rand(5, 2, 4)

    def first(**graph):
        return torch.autograd.grad(loss(net(x)), [*net.parameters()], **graph)

    want, found = first(), first(create_graph=True)
    assert all(map(torch.equal, found, want))
    for g in found:
        with pytest.raises(RuntimeError, match="differentiate twice"):
            g.square().sum().backward(retain_graph=True)


@pytest.mark.parametrize(
    ("line", "x", "said"),
    [
        ("u = 0.5 * sqrt(u) * (1 - o) + x", -0.3, "line 1 .*: u is not finite at step 1 of layer"),
        ("u = 0.9 * u + x / u", 1.0, "u is not finite at step 0 of layer 2; 10 of 10 values"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("recurrent", [False, True])
def test_what_is_not_finite_is_named_in_the_forward_pass(line, x, said, recurrent):
    """With the line, step, layer and count; the spikes look ordinary."""
    broken = derive(f"{line}\no = spike(u - 0.4)")
    last = LIFLayer(nn.Linear(3, 5), broken, recurrent=recurrent)
    nn.init.zeros_(last.weights.weight)
    nn.init.constant_(last.weights.bias, x)
    net = LIFNetwork(LIFLayer(nn.Linear(4, 3), LIF()), last)
    with pytest.raises(NotFiniteError, match=said):
        net(torch.rand(6, 2, 4))
    with pytest.raises(NotFiniteError, match="of layer 1"):
        last(torch.rand(6, 2, 3))


ROOT = "u = tau * sqrt(max(u, 0)) + x; o = spike(u - v_th)"
LOOP = "i = 0.5 * i + x; u = tau * u * sqrt(1 - o) + i; o = spike(u - v_th)"


@pytest.mark.parametrize("size", [3, 900], ids=["tensors", "loops where they are"])
@pytest.mark.parametrize("text", [ROOT, LOOP])
def test_a_gradient_that_is_not_finite_is_named_as_in_numpy(text, size):
    """Otherwise an optimiser would make every weight NaN, and the cause would be gone."""
    neurons = [LIF(), derive(text, tau=0.8, v_th=0.6)]
    numpy = stbp_edu.network([4, 3, size], neurons)
    params = numpy.init(np.random.default_rng(0))
    x = np.random.default_rng(1).random((6, 5, 4))
    trace = numpy.forward(x, params)
    with pytest.raises(NotFiniteError) as expected:
        numpy.backward(trace, None, params, loss=np.ones_like(trace.O[-1]))
    net = LIFNetwork.from_params(params, neurons)
    with pytest.raises(NotFiniteError, match="gradient of layer 2 is") as error:
        net(torch.from_numpy(x)).sum().backward()
    assert all(p.grad is None for p in net[0].parameters())
    slope = str(expected.value).partition(". ")[2]
    assert slope.startswith("The slope of u by ")
    assert slope == str(error.value).partition(". ")[2]


@pytest.mark.parametrize("learn", [["tau"], {"tau": (0, 1)}])
def test_a_learned_decay_out_of_its_range_warns_and_a_bounded_one_stays(learn):
    text = "u = tau * u * (1 - o) + x; o = spike(u - 0.4)"
    torch.manual_seed(0)
    layer = LIFLayer(nn.Linear(5, 4), derive(text, tau=0.7, learn=learn))
    (constant,) = layer.learned.values()
    adam = torch.optim.Adam([constant], lr=0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(20):
            adam.zero_grad()
            layer(torch.rand(8, 4, 5)).sum().backward()
            adam.step()
    said = [str(one.message) for one in caught]
    if learn == ["tau"]:
        assert not 0 <= constant.item() < 1
        assert len(said) == 1
        assert "bound it: learn={'tau': (0, 1)}" in said[0]
    else:
        assert not said
        assert constant.item() != pytest.approx(0.85, abs=0.1)  # the logit of 0.7
