"""What a network is given: each error names the argument that does not fit, and what to do."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF

NEURON = "tau = 0.5; u = tau * u * (1 - o) + x; o = spike(u - 0.5)"


def made(sizes, dtype=float):
    """Return a network, its parameters, an input and one-hot targets."""
    net = stbp_edu.network(sizes, NEURON)
    params = net.init(np.random.default_rng(1), dtype)
    spikes = (np.random.default_rng(2).random((6, 3, *net.table.shape)) < 0.5).astype(
        dtype
    )
    return net, params, spikes, np.eye(net.table.sizes[-1], dtype=dtype)[[0, 1, 0]]


def of(sizes):
    """Return the parameters of a network of these sizes."""
    return made(sizes)[1]


NET, PARAMS, SPIKES, TARGETS = made("4-5-2")
TRACE = NET.forward(SPIKES, PARAMS)
RECURRENT = made("4-5R-2")
LEARNED = stbp_edu.derive(
    "u = tau * u * (1 - o) + x; o = spike(u - 0.5)", tau=0.5, learn=["tau"]
)
RNG = np.random.default_rng(1)
WRONG = {
    "params: a constant that is fixed": (
        lambda: NET.forward(SPIKES, stbp_edu.network("4-5-2", LEARNED).init(RNG)),
        r"network 4-5-2 learns, got tau in layer 1; .* let its neuron learn it: learn=\['tau'\]",
    ),
    "params: recurrent weights of another network": (
        lambda: NET.forward(SPIKES, of("4-5R-2")),
        "network 4-5-2 learns, got R in layer 1; pass what init",
    ),
    "spikes: one axis": (
        lambda: NET.forward(SPIKES[0], PARAMS),
        r"spikes must have shape \(T, S, n\[0\]\) = \(T, S, 4\) .*, got float64 of shape \(3, 4\); "
        "put the steps first",
    ),
    "spikes: no step": (
        lambda: NET.forward(SPIKES[:0], PARAMS),
        r"with at least one step and one sample, got float64 of shape \(0, 3, 4\)",
    ),
    "spikes: no sample": (
        lambda: NET.forward(SPIKES[:, :0], PARAMS),
        r"with at least one step and one sample, got float64 of shape \(6, 0, 4\)",
    ),
    "spikes: other inputs": (
        lambda: NET.forward(SPIKES[..., :3], PARAMS),
        r"\(T, S, 4\) of the network 4-5-2, .* got float64 of shape \(6, 3, 3\)",
    ),
    "spikes: words": (
        lambda: NET.forward([["a"]], PARAMS),
        "spikes must be an array of numbers",
    ),
    "spikes: ragged": (
        lambda: NET.forward([[[0.0] * 4], [0.0]], PARAMS),
        "spikes must be an array, or lists that are equally long",
    ),
    "params: a list": (
        lambda: NET.forward(SPIKES, PARAMS.W),
        "params must be of type Params",
    ),
    "params: other inputs": (
        lambda: NET.forward(SPIKES, of("3-5-2")),
        r"params\[1\]\['W'\] must have shape \(5, 4\), got \(5, 3\)",
    ),
    "params: of another network, backward": (
        lambda: NET.backward(TRACE, TARGETS, of("4-7-2")),
        r"params\[1\]\['W'\] must have shape \(5, 4\), got \(7, 4\)",
    ),
    "params: layers": (
        lambda: NET.forward(SPIKES, of("4-2")),
        "params must have the N = 2 layers of this network, .* got Params",
    ),
    "params: no R": (
        lambda: RECURRENT[0].forward(SPIKES, PARAMS),
        r"params\[1\] lacks 'R'; give an array of shape \(5, 5\)",
    ),
    "params: kernels": (
        lambda: made("4x4-2C3-2")[0].forward(made("4x4-2C3-2")[2], of("4x4-3C3-2")),
        r"params\[1\]\['W'\] must have shape \(2, 1, 3, 3\), got \(3, 1, 3, 3\)",
    ),
    "trace: of another network": (
        lambda: NET.backward(RECURRENT[0].forward(SPIKES[:, :2], RECURRENT[1]), TARGETS, PARAMS),
        "trace must be that of params as they are now, got one of other parameters",
    ),
    "trace: other states": (
        lambda: stbp_edu.network("4-5-2", "v = x; o = spike(v)").backward(TRACE, TARGETS, PARAMS),
        "state must be one of 'u', 'o', got 'v'",
    ),
    "sizes: no layer": (
        lambda: stbp_edu.network("4", NEURON),
        "sizes must name at least one layer of neurons",
    ),
    "neuron: too few": (
        lambda: stbp_edu.network("4-5-2", [LIF()]),
        "neuron must be one for all layers, or a list of one for each of the 2 layers .* got 1",
    ),
    "neuron: none": (
        lambda: stbp_edu.network("2-1", []),
        "neuron must be a neuron or a list of one for each layer",
    ),
    "gain_limit": (
        lambda: NET.backward(TRACE, TARGETS, PARAMS, gain_limit=[1]),
        "gain_limit must",
    ),
    "dtype": (lambda: NET.init(None, "2-1"), "dtype must be float32 or float64"),
    "trace: none": (lambda: NET.value(None, TARGETS), "trace must be of type"),
    "rule": (
        lambda: NET.backward(TRACE, TARGETS, PARAMS, "eprop"),
        "rule must be one of",
    ),
    "targets: samples": (
        lambda: NET.backward(TRACE, TARGETS[:1], PARAMS),
        "targets must have shape",
    ),
    "targets: labels": (
        lambda: NET.backward(TRACE, np.array([0, 1, 0]), PARAMS),
        r"targets must be floats, .*of labels make one-hot rows, np\.eye\(2\)\[labels\]",
    ),
    "targets: a list of labels": (
        lambda: NET.backward(TRACE, [0, 1, 0], PARAMS),
        r"np\.eye\(2\)\[labels\]",
    ),
    "loss: a number": (
        lambda: NET.backward(TRACE, TARGETS, PARAMS, loss=3),
        "loss must be a loss",
    ),
    "loss: a name": (
        lambda: stbp_edu.network("4-5-2", NEURON, loss="mse"),
        "loss must be one of 'rate', .* got 'mse'",
    ),
    "lists of layers": (
        lambda: stbp_edu.arrows.forward(NET.table, [None, {"W": [[1.0]]}, {}], SPIKES),
        r"params\[1\]\['W'\] must be a NumPy array of shape \(5, 4\), got list",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_argument_that_does_not_fit(name):
    call, words = WRONG[name]
    with pytest.raises((TypeError, ValueError), match=words):
        call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_of_any_float_type_and_lists_are_taken(dtype):
    net, params, spikes, targets = made("4-5-2", dtype)
    trace = net.forward(spikes.tolist(), params)
    expected = net.backward(trace, targets, params)
    assert np.abs(expected.W[1]).max() > 0
    for given in (
        targets.astype(np.float16),
        targets.astype(np.float32),
        targets.astype(np.float64),
        targets.tolist(),
    ):
        found = net.backward(trace, given, params)
        for name, array in found.arrays().items():
            assert array.dtype == dtype
            np.testing.assert_array_equal(array, expected.arrays()[name])
        assert net.value(trace, given) == net.value(trace, targets)


def test_sizes_and_neurons_may_be_lists_and_tuples():
    read_out = "u = 0.9 * u + x"
    expected = stbp_edu.network("4-5R-2", [LIF(), read_out])
    params = expected.init(np.random.default_rng(0))
    states = expected.forward(SPIKES, params).U[2]
    for sizes in ([4, "5R", 2], (4, "5R", 2)):
        for neurons in ([LIF(), read_out], (LIF(), read_out)):
            found = stbp_edu.network(sizes, neurons).forward(SPIKES, params)
            np.testing.assert_array_equal(found.U[2], states)


@pytest.mark.parametrize(
    ("sizes", "neuron", "layer"),
    [
        ("4-5-2", "u = 0.5 * u + x", 1),
        ("4-5-5-2", [LIF(), "v = 0.5 * v + x; u = v - 1", LIF()], 2),
    ],
)
def test_a_hidden_layer_without_a_spike_warns(sizes, neuron, layer):
    words = rf"layer {layer} does not spike: .* o = spike\(u - v_th\)"
    with pytest.warns(UserWarning, match=words):
        stbp_edu.network(sizes, neuron)


def test_parameters_are_not_saved_into_a_misspelt_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be in a folder that exists"):
        stbp_edu.save_params(tmp_path / "mispelt" / "params.npz", PARAMS)
    assert not list(tmp_path.iterdir())
