"""Parameters in both forms and in files of both kinds: nothing is lost on the way."""

import pytest
import torch
from torch import nn

from stbp_edu import derive
from stbp_edu.parameters import by_layer, load_params, save_params
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


@pytest.mark.parametrize("name", ["tau", "half", "weight"])
def test_recurrent_weights_and_learned_constants_travel_both_ways(name, tmp_path):
    """However a constant is called, like a part of a module, too."""
    text = f"u = {name} * u + x - v_th * o\no = spike(u - v_th)"
    mine = derive(text, **{name: 0.8}, v_th=0.5, learn=[name], learn_each=["v_th"])
    network = LIFNetwork(
        LIFLayer(nn.Linear(5, 4), mine, recurrent=True), LIFLayer(nn.Linear(4, 3), mine)
    )
    network(torch.rand(5, 2, 5)).sum().backward()
    found = to_params(network.state_dict())
    assert sizes_of(found) == "5-4R-3"
    save_params(tmp_path / "network.npz", found)
    read = load_params(tmp_path / "network.npz")
    again = LIFNetwork.from_params(read, mine)
    assert set(by_layer(read)[1]) == {"W", "b", "R", name, "v_th"}
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    with torch.no_grad():
        network[0].weights.weight.zero_()
    assert found.W[1].all()  # no memory is shared
