"""Graphs of NIR: there and back, through a file, and spike for spike in three frameworks."""

import logging
import pkgutil

import nir
import numpy as np
import pytest
import torch

import stbp_edu
from stbp_edu import LIF, Gaussian
from stbp_edu.nir import DT, from_graph, to_graph
from stbp_edu.parameters import Params, by_layer, named_arrays
from stbp_edu.training import Settings
from tests.networks import make_problem

NEURON = LIF(tau=0.8, v_th=0.5, surrogate=Gaussian(a=0.3), gate="linear")


@pytest.fixture(params=[0, 1, 2])
def problem(request):
    return make_problem(request.param, [6, 9, 4], 25, 3, NEURON)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_comes_back_through_a_file_is_the_same_and_spikes_alike(tmp_path, dtype):
    problem = make_problem(0, [6, 9, 4], 25, 3, NEURON, dtype)
    nir.write(tmp_path / "network.nir", to_graph(problem.params, NEURON, dt=1e-3))
    graph = nir.read(tmp_path / "network.nir")
    assert (
        from_graph(graph, dt=1e-3)[1].surrogate == LIF().surrogate
    )  # a graph holds none
    found, neuron = from_graph(graph, NEURON.surrogate, dt=1e-3)
    assert neuron == NEURON
    for name, array in named_arrays(problem.params).items():
        assert named_arrays(found)[name].dtype == dtype
        np.testing.assert_allclose(
            named_arrays(found)[name], array, rtol=4 * np.finfo(dtype).eps
        )
    assert problem.trace.O[2].mean() > 0.02
    got = stbp_edu.forward(problem.spikes, found, neuron)
    np.testing.assert_array_equal(got.O[2], problem.trace.O[2])


READERS = {
    "norse.torch:from_nir": {"dt": DT},
    "snntorch.import_nir:import_from_nir": {},
    "spikingjelly.activation_based.nir_exchange:import_from_nir": {"dt": DT},
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.filterwarnings("ignore")  # of the frameworks' own
def test_other_readers_spike_alike(reader, problem, caplog):
    """Their own readers, their own neurons, step by step, in float32."""
    caplog.set_level(logging.ERROR)
    params = problem.params
    W, b = (
        [None, *(a.astype(np.float32) for a in of[1:])] for of in (params.W, params.b)
    )
    graph = to_graph(stbp_edu.Params(W=W, b=b), NEURON)
    network = pkgutil.resolve_name(reader)(graph, **READERS[reader])
    state, spikes = None, []
    for x in torch.from_numpy(problem.spikes.astype(np.float32)):
        output = network(x, state) if state is not None else network(x)
        o, state = output if isinstance(output, tuple) else (output, None)
        spikes.append(o.detach().numpy())
    np.testing.assert_array_equal(np.stack(spikes), problem.trace.O[2])


def test_a_text_that_is_nirs_neuron_becomes_the_same_graph(problem):
    text = "u = tau * u * (1 - o) + x; o = spike(u - v_th)"
    settings = Settings(
        neuron=text, tau=0.8, v_th=0.5, learn=("tau",), learn_each=("v_th",)
    )
    layers = [dict(layer or {}) for layer in by_layer(problem.params)]
    for layer in layers[1:]:
        layer |= {"tau": np.array(0.8), "v_th": np.full(len(layer["b"]), 0.5)}
    graph = to_graph(Params("6-9-4", [None, *layers[1:]]), settings.make_neurons())
    found, neuron = from_graph(graph, NEURON.surrogate)
    assert neuron == NEURON
    for name, array in named_arrays(problem.params).items():
        np.testing.assert_allclose(named_arrays(found)[name], array, rtol=1e-14)
    read_out = Settings(neuron=text, readout="u = 0.9 * u + x", tau=0.8).make_neurons()
    graph = to_graph(problem.params, read_out)
    assert [type(node).__name__ for node in graph.nodes.values()][-2:] == [
        "LI",
        "Output",
    ]


TWO = make_problem(0, [2, 2], 1, 1, NEURON).params
AGAIN = {"W": np.ones((2, 2)), "b": np.zeros(2), "R": np.ones((2, 2))}
TEXTS = [
    "u = tau * u + x - v_th * o; o = spike(u - v_th)",
    "i = 0.5 * i + x; u = tau * u * (1 - o) + i; o = spike(u - v_th)",
    "u = tau * u * (1 - o) + x; o = spike(2 * u - v_th)",
    "u = tau * u * (1 - o) + 2 * x; o = spike(u - v_th)",
]


@pytest.mark.parametrize(
    ("params", "neuron", "words"),
    [
        (
            TWO,
            LIF(tau=0.5, gate="exponential"),
            "must have gate='linear' and tau < 1 for NIR",
        ),
        (TWO, LIF(tau=1.0, gate="linear"), r"got LIF.tau=1.0, .*gate='linear'.;"),
        *(
            (TWO, Settings(neuron=text).make_neurons(), "must have gate='linear'")
            for text in TEXTS
        ),
        (Params("2-2R", [None, AGAIN]), NEURON, "layer 1 is recurrent"),
    ],
)
def test_what_nir_does_not_have_is_refused(params, neuron, words):
    with pytest.raises(ValueError, match=words):
        to_graph(params, neuron)


def weights(n_out=2, n_in=2):
    return nir.Affine(weight=np.ones((n_out, n_in)), bias=np.zeros(n_out))


def neurons(n=2, **changes):
    ones = np.ones(n)
    base = {"tau": 2 * DT * ones, "r": ones, "v_leak": 0 * ones, "v_threshold": ones}
    return nir.LIF(**(base | changes))


def chain(*nodes):
    return nir.NIRGraph.from_list([*nodes])


def linked(*edges):
    """A chain of weights and neurons with other edges beside it."""
    pair = np.array([2])
    nodes = {"i": nir.Input({"input": pair}), "o": nir.Output({"output": pair})}
    nodes |= {"a": weights(), "b": weights(), "l": neurons()}
    return nir.NIRGraph(nodes, edges=[("i", "a"), ("a", "l"), ("l", "o"), *edges])


TWO_1 = np.ones(2)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (
            chain(weights(), nir.IF(r=TWO_1, v_threshold=TWO_1)),
            "'if' must be LIF there, got",
        ),
        (chain(nir.Scale(TWO_1), neurons()), "'scale' must be Affine or Linear there"),
        (chain(weights()), "then weights and LIF for each layer"),
        (
            chain(weights(), neurons(v_leak=TWO_1)),
            "must leak and be reset to 0, got v_leak 1",
        ),
        (
            chain(weights(), neurons(v_threshold=np.arange(2.0))),
            "one v_threshold for all",
        ),
        (chain(weights(), neurons(tau=np.full(2, DT / 2))), "must have tau > dt"),
        (
            chain(weights(), neurons(), weights(), neurons(tau=TWO_1)),
            "one tau and one threshold",
        ),
        (linked(("l", "a")), "graph must be one chain of .*, l to a, l to o between"),
        (
            linked(),
            "graph must be one chain of .* a to l, .*i to a, .*l to o between .*'Affine'",
        ),
    ],
)
def test_a_graph_that_is_no_network_of_ours_is_refused(graph, words):
    with pytest.raises(ValueError, match=words):
        from_graph(graph)


def test_the_resistance_scales_the_weights_and_a_leak_next_to_1_keeps_them():
    found, neuron = from_graph(
        nir.NIRGraph.from_list([weights(), neurons(r=np.full(2, 3.0))])
    )
    assert neuron.tau == 0.5
    assert found.W[1].tolist() == [[1.5, 1.5], [1.5, 1.5]]
    params = make_problem(0, [3, 2], 1, 1, NEURON).params
    for tau in (1 - 1e-9, 1 - 1e-13):
        found, neuron = from_graph(to_graph(params, LIF(tau=tau, gate="linear")))
        assert neuron.tau == tau
        np.testing.assert_allclose(found.W[1], params.W[1], rtol=1e-9)
