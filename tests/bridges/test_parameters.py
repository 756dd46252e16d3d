"""Parameters in both forms and in files of both kinds: nothing is lost on the way."""

import numpy as np
import pytest
import torch
from torch import nn

from stbp_edu import derive, init_params
from stbp_edu.parameter_files import load_params, save_params
from stbp_edu.parameters import by_layer
from stbp_edu.torch import LIFLayer, LIFNetwork, to_params, to_state
from stbp_edu.training.model import sizes_of


def test_a_layer_without_bias_has_zeros():
    module = nn.Linear(5, 4, bias=False)
    params = to_params(module.state_dict())
    assert not params.b[1].any()
    assert set(to_state(params, module.state_dict())) == {"weight"}
    params.b[1][2] = 1
    with pytest.raises(ValueError, match="the module has no b there"):
        to_state(params, module.state_dict())


def test_recurrent_weights_and_learned_constants_travel_both_ways(tmp_path):
    text = "u = tau * u + x - v_th * o\no = spike(u - v_th)"
    mine = derive(text, tau=0.8, v_th=0.5, learn=["tau"], learn_each=["v_th"])
    layers = (
        LIFLayer(nn.Linear(5, 4), mine, recurrent=True),
        LIFLayer(nn.Linear(4, 3), mine),
    )
    network = LIFNetwork(*layers)
    found = to_params(network.state_dict())
    assert sizes_of(found) == "5-4R-3"
    save_params(tmp_path / "network.npz", found)
    read = load_params(tmp_path / "network.npz")
    again = LIFNetwork.from_params(read, mine)
    assert set(by_layer(read)[1]) == {"W", "b", "R", "tau", "v_th"}
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    with torch.no_grad():
        network[0].weights.weight.zero_()
    assert found.W[1].all()  # no memory is shared


@pytest.mark.parametrize("name", ["half", "half_", "forward", "weight", "R_"])
def test_a_constant_may_be_called_like_a_part_of_a_module(name):
    line = f"u = {name} * u * (1 - o) + half_ * x\no = spike(u - 0.4)"
    mine = derive(
        line, **{"half_": 0.5, name: 0.8}, learn=[*dict.fromkeys([name, "half_"])]
    )
    network = LIFNetwork(
        LIFLayer(nn.Linear(3, 4), mine), LIFLayer(nn.Linear(4, 2), mine)
    )
    network(torch.rand(5, 2, 3)).sum().backward()
    params = to_params(network.state_dict())
    assert {"W", "b", name, "half_"} == {*by_layer(params)[2]}
    again = LIFNetwork.from_params(params, mine)
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    again.load_state_dict(to_state(params, network.state_dict()))


LINEAR = nn.Linear(2, 3)
OTHER = init_params([3, 2], np.random.default_rng(0))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: to_params({}), ValueError, "state must hold an entry called weight"),
        (lambda: to_params(nn.Conv2d(1, 2, 3).state_dict()), ValueError, "must be a matrix"),
        (lambda: to_state(OTHER, LINEAR.state_dict()), ValueError,
         r"the widths of the state dict: weight has shape \(3, 2\), got \(2, 3\)"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
