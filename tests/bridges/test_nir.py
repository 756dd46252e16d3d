"""Graphs of NIR: there and back, through a file, and spike for spike in three frameworks."""

import logging
import pkgutil

import nir
import numpy as np
import pytest
import torch

import stbp_edu
from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.arrows.any_neuron import as_neuron
from stbp_edu.losses import Membrane
from stbp_edu.nir import from_graph, to_graph
from stbp_edu.nir.nodes import DT
from stbp_edu.parameters import Params, by_layer, by_name
from stbp_edu.training import Settings, initial_state, load_digits
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


def reading(sizes, neurons):
    """The network whose loss reads what the last layer gives."""
    spiking = neurons[-1].lines.spike
    return arrows.network(sizes, neurons, *([] if spiking else [Membrane(1)]))


def run(params, neurons, inputs):
    """The outputs of the last layer."""
    layers = by_layer(params)
    sizes = [str(inputs.shape[-1])]
    sizes += [f"{len(p['W'])}{'R' if 'R' in p else ''}" for p in layers[1:]]
    net = reading("-".join(sizes), [as_neuron(one) for one in neurons])
    trace = arrows.forward(net, layers, inputs)
    return trace[net.layers[-1].neuron.output][-1]


@pytest.mark.parametrize("each", [(), ("tau", "v_th", "alpha")])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("read_out", READ_OUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_can_be_exported_comes_back_through_a_file(
    tmp_path, kind, read_out, recurrent, each
):
    """And does the same, spike for spike, or to rounding where the last layer does not spike."""
    mine = made(KINDS[kind], each)
    neurons = [mine, mine if read_out is None else made(read_out)]
    net = reading("5-7R-3" if recurrent else "5-7-3", [one.neuron for one in neurons])
    rng = np.random.default_rng(1)
    params = arrows.draw_params(net, rng, scale=2.0)
    for name in each:
        for p, one in zip(params[1:], neurons, strict=True):
            if name in one.neuron.each:
                p[name] = p[name] * rng.uniform(0.8, 1.2, p[name].shape)
    for p in params[1:]:
        p["b"] = rng.normal(size=p["b"].shape) * 0.1
    given = Params(**by_name(params))
    inputs = (rng.random((20, 4, 5)) < 0.5).astype(float)
    nir.write(tmp_path / "network.nir", to_graph(given, neurons, dt=1e-3))
    found, again = from_graph(nir.read(tmp_path / "network.nir"), dt=1e-3)
    first = again[0] if isinstance(again, list) else again
    assert as_neuron(first).surrogate == LIF().surrogate  # a graph holds none
    again = again if isinstance(again, list) else [again, again]
    want, got = run(given, neurons, inputs), run(found, again, inputs)
    assert np.abs(want).mean() > 0
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_a_run_is_exported_as_its_settings_say():
    settings = Settings(gate="linear", readout="u = tau * u + x", hidden=(6,), T=2)
    params = initial_state(settings, load_digits()).params
    found, neurons = from_graph(to_graph(params, settings.make_neurons()))
    assert found.sizes == params.sizes
    assert [as_neuron(one).lines.spike for one in neurons] == ["o", None]
    np.testing.assert_allclose(found.W[1], params.W[1], rtol=1e-5)


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
    net = arrows.network(sizes, mine.neuron)
    rng = np.random.default_rng(0)
    drawn = arrows.draw_params(net, rng)[1:]
    params = [None, *({k: np.float32(v) for k, v in p.items()} for p in drawn)]
    inputs = np.float32(rng.random((25, 3, 6)) < 0.5)
    want = arrows.forward(net, params, inputs)["o"][2]
    graph = to_graph(Params(**by_name(params)), mine)
    network = pkgutil.resolve_name(reader)(graph, **READERS[reader])
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
            chain(weights(), nir.Threshold(TWO_1)),
            "'threshold' must be LIF or IF or .* there, got",
        ),
        (
            chain(weights(), chain(weights(), neurons())),
            "must be neurons with weights to themselves",
        ),
        (chain(nir.Scale(TWO_1), neurons()), "'scale' must be Affine or Linear there"),
        (chain(weights()), "then weights and neurons for each layer"),
        (
            chain(weights(), neurons(v_leak=TWO_1)),
            "must leak and be reset to 0, got v_leak 1",
        ),
        (chain(weights(), neurons(tau=np.full(2, DT / 2))), "must have tau > dt"),
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


def test_a_leak_next_to_1_keeps_the_weights():
    params = make_problem(0, [3, 2], 1, 1, NEURON).params
    for tau in (1 - 1e-9, 1 - 1e-13):
        found, neuron = from_graph(to_graph(params, LIF(tau=tau, gate="linear")))
        assert neuron.tau == tau
        np.testing.assert_allclose(found.W[1], params.W[1], rtol=1e-9)
