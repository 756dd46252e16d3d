"""Graphs of NIR: there and back, through a file, and spike for spike in three frameworks."""

import logging
import pkgutil

import nir
import numpy as np
import pytest
import torch

import stbp_edu
from stbp_edu import LIF, Gaussian
from stbp_edu.networks.arguments import as_neuron
from stbp_edu.nir import from_graph, to_graph
from stbp_edu.nir.nodes import DT
from tests.networks import make_problem

NEURON = LIF(tau=0.8, v_th=0.5, surrogate=Gaussian(a=0.3), gate="linear")
TWO = make_problem(0, [2, 2], 1, 1, NEURON).params
CUBA = "i = alpha * i + x; u = tau * u * (1 - o) + i; o = spike(u - v_th)"
KINDS = {
    "LIF": "u = tau * u * (1 - o) + x; o = spike(u - v_th)",
    "LIF, scaled": "u = tau * u * (1 - o) + 3 * x; o = spike(u - v_th)",
    "IF": "u = u * (1 - o) + x; o = spike(u - v_th)",
    "CubaLIF": CUBA,
    "CubaLIF, scaled": CUBA.replace("+ x", "+ 0.3 * x").replace("+ i", "+ 2 * i"),
}
READ_OUTS = ["u = tau * u + x", "u = u + x", "i = alpha * i + x; u = tau * u + i", None]
VALUES = {"tau": 0.8, "v_th": 0.6, "alpha": 0.7}


def made(text, learn_each=()):
    """A neuron from lines, with the constants that they read."""
    own = {name: value for name, value in VALUES.items() if name in text}
    each = [name for name in learn_each if name in text]
    return stbp_edu.derive(text, learn_each=each, **own)


@pytest.mark.parametrize(
    ("sizes", "each"), [("5-7-3", ()), ("5-7R-3", ("tau", "v_th", "alpha"))]
)
@pytest.mark.parametrize("read_out", READ_OUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_can_be_exported_comes_back_through_a_file(
    tmp_path, kind, read_out, sizes, each
):
    """And does the same, spike for spike, or to rounding where the last layer does not spike."""
    mine = made(KINDS[kind], each)
    neurons = [mine, mine if read_out is None else made(read_out, each)]
    net = stbp_edu.network(sizes, neurons)
    rng = np.random.default_rng(1)
    params = net.init(rng, scale=2.0)
    for name, array in params.arrays().items():
        if "." in name:  # a constant that each neuron learns
            array *= rng.uniform(0.8, 1.2, array.shape)
        if name[0] == "b":
            array += rng.normal(size=array.shape) * 0.1
    inputs = (rng.random((20, 4, 5)) < 0.5).astype(float)
    want = net.forward(inputs, params).O[-1]
    nir.write(tmp_path / "network.nir", to_graph(params, neurons, dt=1e-3))
    found, again = from_graph(nir.read(tmp_path / "network.nir"))
    first = again[0] if isinstance(again, list) else again
    assert as_neuron(first).surrogate == LIF().surrogate  # a graph holds none
    got = stbp_edu.network(sizes, again).forward(inputs, found).O[-1]
    assert np.abs(want).mean() > 0
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


READERS = {
    "norse.torch:from_nir": {"dt": DT},
    "snntorch.import_nir:import_from_nir": {},
    "spikingjelly.activation_based.nir_exchange:import_from_nir": {"dt": DT},
}
SNNTORCH = "snntorch.import_nir:import_from_nir"


@pytest.mark.parametrize(
    ("reader", "sizes"),
    [*((reader, "6-9-4") for reader in READERS), (SNNTORCH, "6-9R-4")],
)
@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
@pytest.mark.filterwarnings("ignore")  # of the frameworks' own
def test_other_readers_spike_alike(reader, sizes, kind, caplog, capsys):
    """Their own readers, their own neurons, step by step, in float32; recurrent ones, too."""
    caplog.set_level(logging.ERROR)
    mine = made(KINDS[kind])
    net = stbp_edu.network(sizes, mine)
    rng = np.random.default_rng(0)
    params = net.init(rng, np.float32, scale=2.0)
    inputs = np.float32(rng.random((25, 3, 6)) < 0.5)
    want = net.forward(inputs, params).O[-1]
    network = pkgutil.resolve_name(reader)(to_graph(params, mine), **READERS[reader])
    state, spikes = None, []
    for x in torch.from_numpy(inputs):
        output = network(x, state) if state is not None else network(x)
        o, state = output if isinstance(output, tuple) else (output, None)
        spikes.append(o.detach().numpy())
    assert want.any()
    np.testing.assert_array_equal(np.stack(spikes), want)


def test_a_graph_names_its_step(tmp_path):
    """A reader that is told of none takes it; another one may be named."""
    path = tmp_path / "network.nir"
    nir.write(path, to_graph(TWO, NEURON, dt=1e-3))
    graph = nir.read(path)
    assert graph.metadata["dt"] == 1e-3
    assert from_graph(graph)[1].tau == 0.8
    assert from_graph(graph, dt=5e-4)[1].tau == 0.9
    del graph.metadata["dt"]
    assert from_graph(graph)[1].tau == 0.98  # of 0.1 ms


ONES = np.ones(2)


def chain(**changes):
    """A graph of weights and neurons, some of whose values are others."""
    base = {"tau": 2 * DT * ONES, "r": ONES, "v_leak": 0 * ONES, "v_threshold": ONES}
    weights = nir.Affine(weight=np.ones((2, 2)), bias=np.zeros(2))
    return nir.NIRGraph.from_list([weights, nir.LIF(**(base | changes))])


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (nir.NIRGraph.from_list([chain().nodes["affine"], nir.Threshold(ONES)]),
         "one chain of Input, .* threshold: Threshold"),
        (chain(v_leak=ONES), "must leak and be reset to 0, got v_leak 1"),
        (chain(tau=DT / 2 * ONES), "must have tau > dt"),
    ],
)  # fmt: skip
def test_a_graph_that_is_no_network_of_ours_is_refused(graph, words):
    with pytest.raises(ValueError, match=words):
        from_graph(graph)
