"""What the sizes of a network say, its parameters, and the formulas of its maps written out."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.arrows import AveragePool, Flatten, Link, Patches, network

HARD = arrows.hard_reset(LIF(0.6, 0.5))
LEARNING = arrows.soft_reset(LIF(0.3, 0.5), learn_leak=True)


def test_sizes_name_pools_convolutions_recurrent_and_dense_layers():
    net = network("12x9x2-P3-P1-4C2-6R-2", HARD)
    first, second, third = net.layers[1:]
    assert (net.layers[0], net.N, net.shape, net.loss) == (
        None,
        3,
        (2, 12, 9),
        arrows.Loss(),
    )
    assert first.link == Link(
        (AveragePool(3), AveragePool(1), Patches(2)), (2, 12, 9), 4
    )
    assert second.link == Link((Flatten(),), (4, 3, 2), 6)
    assert third.link == Link((Flatten(),), (6,), 2)
    assert second.recurrent == Link((Flatten(),), (6,), 6, "R")
    assert first.recurrent is third.recurrent is None
    assert net.sizes == (216, 24, 6, 2)
    assert first.shapes == {"W": (4, 2, 2, 2), "b": (4,)}
    assert second.shapes == {"W": (6, 24), "b": (6,), "R": (6, 6)}
    assert network("3-2", LEARNING).layers[1].shapes == {
        "W": (2, 3),
        "b": (2,),
        "tau": (),
    }
    assert network(["4x4", "2C2", 3], HARD) == network("4x4-2C2-3", HARD)
    neurons = [
        layer.neuron for layer in network("4x4-P2-2-2", [HARD, LEARNING]).layers[1:]
    ]
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
    assert wide.std() == pytest.approx(
        1 / 20, rel=0.02
    )  # a scale of 1 where none is said


def test_p2_adapt_o():
    lif = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.7))
    net = network("2-3", arrows.with_adaptation(arrows.hard_reset(lif), 0.4, 0.8))
    rng = np.random.default_rng(19)
    params = arrows.draw_params(net, rng, scale=3)
    trace = arrows.forward(net, params, rng.random((4, 2, 2)), twin=True)
    assert trace["o"][1] == pytest.approx(lif.H(trace["u"][1] - 0.4 * trace["a"][1]))


def assert_loops(link, W, o, epsilon):
    """Assert x, δ and the weights' gradient of a convolution of two steps, by loops."""
    x, delta, dW = np.zeros_like(epsilon), np.zeros_like(o), np.zeros_like(W)
    (c_up, d_below, k, _), (_, _, rows, columns) = W.shape, epsilon.shape
    for t, c, p, q, d, a, b in np.ndindex(len(o), c_up, rows, columns, d_below, k, k):
        x[t, c, p, q] += W[c, d, a, b] * o[t, d, p + a, q + b]
        delta[t, d, p + a, q + b] += epsilon[t, c, p, q] * W[c, d, a, b]
        dW[c, d, a, b] += epsilon[t, c, p, q] * o[t, d, p + a, q + b]
    assert link.forward(o[:, None], W)[:, 0] == pytest.approx(x)
    assert link.back(epsilon[:, None], W)[:, 0] == pytest.approx(delta)
    assert link.gradient(epsilon[:, None], o[:, None]) == pytest.approx(dW)


def test_p2_conv_x_p2_conv_delta_and_p2_conv_w():
    """A line of five pixels under three weights: an image with one row that is not 0."""
    rng = np.random.default_rng(20)
    W, o, epsilon = (
        np.zeros((1, 1, 3, 3)),
        np.zeros((2, 1, 5, 5)),
        np.zeros((2, 1, 3, 3)),
    )
    W[0, 0, 0], o[:, 0, 0], epsilon[:, 0, 0] = (
        rng.normal(size=n) for n in (3, (2, 5), (2, 3))
    )
    assert_loops(Link((Patches(3),), (1, 5, 5), 1), W, o, epsilon)


def test_p2_conv_image_x_p2_conv_image_delta_and_p2_conv_image_w():
    """Two channels of 5 × 4 pixels to three of 4 × 3."""
    shapes = (3, 2, 2, 2), (2, 2, 5, 4), (2, 3, 4, 3)
    arrays = (np.random.default_rng(21).normal(size=shape) for shape in shapes)
    assert_loops(Link((Patches(2),), (2, 5, 4), 3), *arrays)


@pytest.mark.parametrize("k", [2, 3])
def test_p2_pool_x_and_p2_pool_delta(k):
    rng, pool, shape = np.random.default_rng(22), AveragePool(k), (3, 2 * k, 3 * k)
    o, back = rng.random(shape), rng.normal(size=(3, 2, 3))
    means, shares = pool.forward(o, shape), pool.transpose(back, shape)
    for c, p, q in np.ndindex(3, 2, 3):
        block = np.s_[c, k * p : k * p + k, k * q : k * q + k]
        assert means[c, p, q] == pytest.approx(o[block].sum() / k**2)
        assert shares[block] == pytest.approx(np.full((k, k), back[c, p, q] / k**2))
