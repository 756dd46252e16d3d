"""Who takes what: each door of the bridges, and every kind of neuron and layer."""

import numpy as np
import pytest
import torch

import stbp_edu
from stbp_edu import LIF, derive, nir
from stbp_edu.torch import LIFNetwork, which_rule

TEXT = "u = 0.9 * u * (1 - o) + x; o = spike(u - 0.5)"
PLAIN = LIF(tau=0.9, v_th=0.5, gate="linear")
DERIVED = derive("u = tau * u * (1 - o) + x; o = spike(u - v_th)", tau=0.9, v_th=0.5)
KINDS = {
    "text": ("4-6-3", TEXT),
    "derive(...)": ("4-6-3", DERIVED),
    "LIF": ("4-6-3", PLAIN),
    "one per layer": ("4-6-3", [DERIVED, PLAIN]),
    "read-out": ("4-6-3", [DERIVED, "u = 0.9 * u + x"]),
    "recurrent": ("4-6R-3", DERIVED),
}
"""By kind, sizes and neuron."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_door_takes_every_kind(kind):
    sizes, neuron = KINDS[kind]
    net = stbp_edu.network(sizes, neuron)
    rng = np.random.default_rng(0)
    params = net.init(rng, scale=2.0)
    spikes = (rng.random((8, 3, 4)) < 0.6).astype(float)
    want = net.forward(spikes, params).O[-1]
    layers = LIFNetwork.from_params(params, neuron)
    output = layers(torch.tensor(spikes))
    np.testing.assert_allclose(output.detach().numpy(), want, rtol=1e-12)
    given = tuple(neuron) if isinstance(neuron, list) else neuron
    found = which_rule(layers, layers, torch.tensor(spikes), given, sizes=sizes)
    assert "exact" in [rule for _, rule in found.rules], found
    own, read = nir.from_graph(nir.to_graph(params, neuron))
    again = stbp_edu.network(sizes, read).forward(own, spikes)
    np.testing.assert_allclose(again.O[-1], want, rtol=1e-9, atol=1e-9)
