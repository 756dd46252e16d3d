"""Who takes what: each door of the bridges, and every kind of neuron and layer that one may bring.

A yes works; a no says in one sentence what to do.
"""

import numpy as np
import pytest
import torch

import stbp_edu
from stbp_edu import LIF, arrows, derive, nir
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


def test_what_a_door_does_not_take_is_said():
    net = stbp_edu.network("4x4-2C3-3", DERIVED)
    params = net.init(np.random.default_rng(0))
    trace = net.forward(np.ones((2, 3, *net.table.shape)), params)
    for call, said in (
        (lambda: LIFNetwork.from_params(params, DERIVED), "fully connected layers"),
        (lambda: nir.to_graph(params, DERIVED), "fully connected layers"),
        (
            lambda: stbp_edu.forward(trace.O[0], params, DERIVED),
            r"build stbp_edu\.network",
        ),
        (
            lambda: arrows.classify(stbp_edu.backward, DERIVED),
            r"ask stbp_edu\.torch\.which_rule",
        ),
    ):
        with pytest.raises((TypeError, ValueError), match=said):
            call()
