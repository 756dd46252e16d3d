"""What the sizes of a network say, its parameters, and the formulas of its maps written out."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.arrows import AveragePool, Link, Patches, network

HARD = arrows.hard_reset(LIF(0.6, 0.5))
LEARNING = arrows.soft_reset(LIF(0.3, 0.5), learn_leak=True)


def test_sizes_name_pools_convolutions_recurrent_and_dense_layers():
    net = network("12x9x2-P3-P1-4C2-6R-2", HARD)
    first, second, _ = net.layers[1:]
    assert net.sizes == (216, 24, 6, 2)
    assert first.shapes == {"W": (4, 2, 2, 2), "b": (4,)}
    assert second.shapes == {"W": (6, 24), "b": (6,), "R": (6, 6)}
    assert network(["4x4", "2C2", 3], HARD) == network("4x4-2C2-3", HARD)


def test_drawn_parameters_have_the_shapes_and_the_spread_that_are_said():
    rng = np.random.default_rng(0)
    drawn = arrows.draw_params(network("9x9-99C3-50R", LEARNING), rng, 2.0)
    assert drawn[0] is None
    for n, name, inputs in ((1, "W", 9), (2, "W", 99 * 7 * 7), (2, "R", 50)):
        assert drawn[n][name].std() == pytest.approx(2 / np.sqrt(inputs), rel=0.1)
    for n, units in ((1, 99), (2, 50)):
        assert np.array_equal(drawn[n]["b"], np.zeros(units))
        assert drawn[n]["tau"] == 0.3


def test_p2_adapt_o():
    lif = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.7))
    net = network("2-3", arrows.with_adaptation(arrows.hard_reset(lif), 0.4, 0.8))
    rng = np.random.default_rng(19)
    params = arrows.draw_params(net, rng, scale=3)
    trace = arrows.forward(net, params, rng.random((4, 2, 2)), twin=True)
    assert trace["o"][1] == pytest.approx(lif.H(trace["u"][1] - 0.4 * trace["a"][1]))


def test_p2_conv_x_p2_conv_delta_p2_conv_w_p2_conv_image_x_p2_conv_image_delta_p2_conv_image_w():
    """Two channels of 5 × 4 pixels to three of 4 × 3."""
    rng = np.random.default_rng(21)
    link = Link((Patches(2),), (2, 5, 4), 3)
    shapes = (3, 2, 2, 2), (2, 2, 5, 4), (2, 3, 4, 3)
    W, o, epsilon = (rng.normal(size=shape) for shape in shapes)
    x, delta, dW = (np.zeros_like(array) for array in (epsilon, o, W))
    for t, c, p, q in np.ndindex(x.shape):
        patch = np.s_[t, :, p : p + 2, q : q + 2]
        x[t, c, p, q] = (W[c] * o[patch]).sum()
        delta[patch] += epsilon[t, c, p, q] * W[c]
        dW[c] += epsilon[t, c, p, q] * o[patch]
    assert link.forward(o[:, None], W)[:, 0] == pytest.approx(x)
    assert link.back(epsilon[:, None], W)[:, 0] == pytest.approx(delta)
    assert link.gradient(epsilon[:, None], o[:, None]) == pytest.approx(dW)


def test_p2_pool_x_and_p2_pool_delta():
    rng, pool, shape = np.random.default_rng(22), AveragePool(3), (3, 6, 9)
    o, back = rng.random(shape), rng.normal(size=(3, 2, 3))
    means, shares = pool.forward(o, shape), pool.transpose(back, shape)
    for c, p, q in np.ndindex(back.shape):
        block = np.s_[c, 3 * p : 3 * p + 3, 3 * q : 3 * q + 3]
        assert means[c, p, q] == pytest.approx(o[block].mean())
        assert shares[block] == pytest.approx(np.full((3, 3), back[c, p, q] / 9))
