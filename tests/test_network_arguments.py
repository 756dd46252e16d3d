"""What a network is given: each error names the argument that does not fit, and what to do."""

from dataclasses import replace

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF
from tests.bad_calls import equal

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
    "spikes: ragged": (
        lambda: NET.forward([[[0.0] * 4], [0.0]], PARAMS),
        "spikes must be an array, or lists that are equally long",
    ),
    "params: no R": (
        lambda: RECURRENT[0].forward(SPIKES, PARAMS),
        r"params\[1\] lacks 'R'; give an array of shape \(5, 5\)",
    ),
    "trace: of another network": (
        lambda: NET.backward(RECURRENT[0].forward(SPIKES[:, :2], RECURRENT[1]), TARGETS, PARAMS),
        "trace must be that of this neuron and of params as they are now, got one of another",
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
    "targets: labels": (
        lambda: NET.backward(TRACE, np.array([0, 1, 0]), PARAMS),
        r"targets must be floats, .*of labels make one-hot rows, np\.eye\(2\)\[labels\]",
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
    kinds = (np.float16, np.float32, np.float64)
    for taken in (targets.tolist(), *map(targets.astype, kinds)):
        found = net.backward(trace, taken, params)
        assert equal(found.arrays(), expected.arrays())
        assert net.value(trace, taken) == net.value(trace, targets)


def test_parameters_are_not_saved_into_a_misspelt_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be in a folder that exists"):
        stbp_edu.save_params(tmp_path / "mispelt" / "params.npz", PARAMS)
    assert not list(tmp_path.iterdir())


def test_constants_may_start_at_a_value_for_each_neuron():
    text = "u = tau * u * (1 - o) + x; o = spike(u - 0.5)"
    mine = stbp_edu.derive(text, tau=[0.5, 0.7, 0.9], learn_each=["tau"])
    params = stbp_edu.network("2-3", mine).init(np.random.default_rng(0))
    assert params.learned["tau"][1].tolist() == [0.5, 0.7, 0.9]
    with pytest.raises(
        ValueError, match=r"tau must list one starting value .*, 4, got 3"
    ):
        stbp_edu.network("2-4", mine).init(np.random.default_rng(0))
    with pytest.raises(
        ValueError, match=r"tau must be one number, got 2; .*learn_each"
    ):
        stbp_edu.derive(text, tau=[0.5, 0.7])


@pytest.mark.parametrize("made", [{"U": None}, {"U": [None]}, {"O": [[0.0]] * 3}])
def test_a_trace_made_by_hand_without_its_layers_is_named(made):
    wrong = replace(TRACE, **made, states={})
    for door in (
        lambda: NET.value(wrong, TARGETS),
        lambda: NET.backward(wrong, TARGETS, PARAMS, loss="membrane"),
    ):
        with pytest.raises((TypeError, ValueError), match=r"trace.* must (have|be)"):
            door()
