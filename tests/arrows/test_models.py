"""What the sizes of a network say, the arrows that leave each layer, and its parameters."""

import numpy as np
import pytest

from stbp_edu import LIF, arrows
from stbp_edu.arrows import AveragePool, Flatten, Link, Patches, network

HARD = arrows.hard_reset(LIF(0.6, 0.5))
LEARNING = arrows.soft_reset(LIF(0.3, 0.5), learn_leak=True)


def test_sizes_name_pools_convolutions_recurrent_and_dense_layers():
    net = network("12x9x2-P3-P1-4C2-6R-2", HARD)
    first, second, third = net.layers[1:]
    assert (net.layers[0], net.N, net.shape, net.loss) == (None, 3, (2, 12, 9), arrows.rate())
    assert first.link == Link((AveragePool(3), AveragePool(1), Patches(2)), (2, 12, 9), 4)
    assert second.link == Link((Flatten(),), (4, 3, 2), 6)
    assert third.link == Link((Flatten(),), (6,), 2)
    assert second.recurrent == Link((Flatten(),), (6,), 6, "R")
    assert first.recurrent is third.recurrent is None
    assert net.sizes == (216, 24, 6, 2)
    assert first.shapes == {"W": (4, 2, 2, 2), "b": (4,)}
    assert second.shapes == {"W": (6, 24), "b": (6,), "R": (6, 6)}
    assert network("3-2", LEARNING).layers[1].shapes == {"W": (2, 3), "b": (2,), "tau": ()}
    assert network(["4x4", "2C2", 3], HARD) == network("4x4-2C2-3", HARD)
    neurons = [layer.neuron for layer in network("4x4-P2-2-2", [HARD, LEARNING]).layers[1:]]
    assert neurons == [HARD, LEARNING]


def test_drawn_parameters_have_the_shapes_and_the_spread_that_are_said():
    rng = np.random.default_rng(0)
    drawn = arrows.draw_params(network("9x9-99C3-50R", LEARNING), rng, 2.0)
    assert drawn[0] is None
    for n, name, inputs in ((1, "W", 9), (2, "W", 99 * 7 * 7), (2, "R", 50)):
        assert drawn[n][name].std() == pytest.approx(2 / np.sqrt(inputs), rel=0.1)
        assert abs(drawn[n][name].mean()) < 0.2 / np.sqrt(inputs)
    for n, units in ((1, 99), (2, 50)):
        assert np.array_equal(drawn[n]["b"], np.zeros(units))
        assert drawn[n]["tau"] == 0.3
    wide = arrows.draw_params(network("400-90", HARD), rng)[1]["W"]
    assert wide.std() == pytest.approx(1 / 20, rel=0.02)  # a scale of 1 where none is said


def test_a_run_begins_at_rest_and_a_spike_comes_at_the_threshold_itself():
    params = [None, {"W": np.ones((1, 1)), "b": np.zeros(1)}]
    x = np.array([0.5 - 1e-12, 0.5, 0.75]).reshape(1, 3, 1)
    trace = arrows.forward(network("1-1", HARD), params, x)
    assert np.array_equal(trace["u"][1], x)
    assert trace["o"][1].ravel().tolist() == [0.0, 1.0, 1.0]
