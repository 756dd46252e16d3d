"""The formulas of a threshold that adapts, of convolution and of pooling, written out."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, arrows


def test_p2_adapt_o():
    lif = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.7))
    net = arrows.network("2-3", arrows.with_adaptation(arrows.hard_reset(lif), 0.4, 0.8))
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
    W, o, epsilon = np.zeros((1, 1, 3, 3)), np.zeros((2, 1, 5, 5)), np.zeros((2, 1, 3, 3))
    W[0, 0, 0], o[:, 0, 0], epsilon[:, 0, 0] = (rng.normal(size=n) for n in (3, (2, 5), (2, 3)))
    assert_loops(arrows.Link((arrows.Patches(3),), (1, 5, 5), 1), W, o, epsilon)


def test_p2_conv_image_x_p2_conv_image_delta_and_p2_conv_image_w():
    """Two channels of 5 × 4 pixels to three of 4 × 3."""
    shapes = (3, 2, 2, 2), (2, 2, 5, 4), (2, 3, 4, 3)
    arrays = (np.random.default_rng(21).normal(size=shape) for shape in shapes)
    assert_loops(arrows.Link((arrows.Patches(2),), (2, 5, 4), 3), *arrays)


@pytest.mark.parametrize("k", [2, 3])
def test_p2_pool_x_and_p2_pool_delta(k):
    rng, pool, shape = np.random.default_rng(22), arrows.AveragePool(k), (3, 2 * k, 3 * k)
    o, back = rng.random(shape), rng.normal(size=(3, 2, 3))
    means, shares = pool.forward(o, shape), pool.transpose(back, shape)
    for c, p, q in np.ndindex(3, 2, 3):
        block = np.s_[c, k * p : k * p + k, k * q : k * q + k]
        assert means[c, p, q] == pytest.approx(o[block].sum() / k**2)
        assert shares[block] == pytest.approx(np.full((k, k), back[c, p, q] / k**2))
