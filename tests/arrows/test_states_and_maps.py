"""The formulas of two states, adaptation, recurrence, convolution and pooling, written out."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian
from stbp_edu.arrows import (
    AveragePool,
    Flatten,
    Link,
    Patches,
    backward,
    draw_params,
    forward,
    hard_reset,
    network,
    with_adaptation,
    with_current,
)

LIF_ = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.7))
ALPHA, BETA, RHO, T = 0.7, 0.4, 0.8, 4


def run(neuron, sizes="2-3-2"):
    """The parameters, a run of the smooth twin and what the sweep makes of it."""
    net, rng = network(sizes, neuron), np.random.default_rng(19)
    params, y = draw_params(net, rng, scale=1.5), rng.random((2, 2))
    for p in params[1:]:
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
    trace = forward(net, params, rng.normal(0.3, 0.8, (T, 2, 2)), twin=True)
    return params, trace, backward(net, params, trace, y)


def cells():
    """Every (t, n, s, i) of the hidden layer before the last step: case 4."""
    return [(t, s, i) for t in range(T - 1) for s in range(2) for i in range(3)]


def test_p2_current_c_enters_p2_current_u():
    params, trace, _ = run(with_current(hard_reset(LIF_), ALPHA))
    c, u, o = (trace[k][1] for k in "iuo")
    for t, s, i in cells():
        x = sum(params[1]["W"][i, j] * trace["o"][0][t + 1, s, j] for j in range(2))
        assert c[t + 1, s, i] == pytest.approx(ALPHA * c[t, s, i] + x + params[1]["b"][i])
        carried = u[t, s, i] * LIF_.f(o[t, s, i])
        assert u[t + 1, s, i] == pytest.approx(carried + c[t + 1, s, i])


def test_p2_current_gamma_p2_current_delta_and_p2_current_w():
    params, trace, got = run(with_current(hard_reset(LIF_), ALPHA))
    gamma, epsilon, delta = (got.adjoints[k] for k in "iuo")
    u, o = trace["u"][1], trace["o"][1]
    for t, s, i in cells():
        later = ALPHA * gamma[1][t + 1, s, i]
        assert gamma[1][t, s, i] == pytest.approx(epsilon[1][t, s, i] + later)
        up = sum(gamma[2][t, s, j] * params[2]["W"][j, i] for j in range(2))
        on = epsilon[1][t + 1, s, i] * u[t, s, i] * LIF_.df(o[t, s, i])
        assert delta[1][t, s, i] == pytest.approx(up + on)
    assert gamma[1][-1] == pytest.approx(epsilon[1][-1])
    expected = np.einsum("tsi,tsj->ij", gamma[1], trace["o"][0])
    assert got.gradients[1]["W"] == pytest.approx(expected, rel=1e-12)


def test_p2_adapt_a_raises_the_threshold_of_p2_adapt_o():
    _, trace, _ = run(with_adaptation(hard_reset(LIF_), BETA, RHO))
    a, u, o = (trace[k][1] for k in "auo")
    assert a[1:] == pytest.approx(RHO * a[:-1] + o[:-1])
    assert o == pytest.approx(LIF_.H(u - BETA * a))


def test_p2_adapt_zeta_p2_adapt_delta_and_p2_adapt_epsilon():
    params, trace, got = run(with_adaptation(hard_reset(LIF_), BETA, RHO))
    zeta, epsilon, delta = (got.adjoints[k][1] for k in "auo")
    a, u, o = (trace[k][1] for k in "auo")
    h = LIF_.h(u - BETA * a)
    for t, s, i in cells():
        down, later = -BETA * h[t, s, i] * delta[t, s, i], RHO * zeta[t + 1, s, i]
        assert zeta[t, s, i] == pytest.approx(down + later)
        up = sum(got.adjoints["u"][2][t, s, j] * params[2]["W"][j, i] for j in range(2))
        on = epsilon[t + 1, s, i] * u[t, s, i] * LIF_.df(o[t, s, i])
        assert delta[t, s, i] == pytest.approx(up + on + zeta[t + 1, s, i])
        kept = epsilon[t + 1, s, i] * LIF_.f(o[t, s, i])
        assert epsilon[t, s, i] == pytest.approx(delta[t, s, i] * h[t, s, i] + kept)


def test_p2_recur_u_p2_recur_delta_and_p2_recur_r():
    params, trace, got = run(hard_reset(LIF_), "2-3R-2")
    W, R, b = (params[1][k] for k in ("W", "R", "b"))
    epsilon, delta = got.adjoints["u"], got.adjoints["o"][1]
    u, o = trace["u"][1], trace["o"][1]
    for t, s, i in cells():
        x = W[i] @ trace["o"][0][t + 1, s] + b[i]
        again = sum(R[i, k] * o[t, s, k] for k in range(3))
        assert u[t + 1, s, i] == pytest.approx(u[t, s, i] * LIF_.f(o[t, s, i]) + x + again)
        up = sum(epsilon[2][t, s, j] * params[2]["W"][j, i] for j in range(2))
        on = epsilon[1][t + 1, s, i] * u[t, s, i] * LIF_.df(o[t, s, i])
        around = sum(epsilon[1][t + 1, s, k] * R[k, i] for k in range(3))
        assert delta[t, s, i] == pytest.approx(up + on + around)
    expected = np.einsum("tsi,tsk->ik", epsilon[1][1:], o[:-1])
    assert got.gradients[1]["R"] == pytest.approx(expected, rel=1e-12)


def on_a_line(epsilon, w, o):
    """x, δ and the weights' gradient of a convolution of one line, by loops."""
    x, delta, dw = np.zeros_like(epsilon), np.zeros_like(o), np.zeros_like(w)
    for i, a in np.ndindex(len(epsilon), len(w)):
        x[i] += w[a] * o[i + a]
        delta[i + a] += epsilon[i] * w[a]
        dw[a] += epsilon[i] * o[i + a]
    return x, delta, dw


def test_p2_conv_x_p2_conv_delta_and_p2_conv_w():
    """A line of five pixels under three weights; two steps, whose gradients add up."""
    rng = np.random.default_rng(20)
    w, o, epsilon = rng.normal(size=3), rng.random((2, 5)), rng.normal(size=(2, 3))
    found = [on_a_line(e, w, z) for e, z in zip(epsilon, o, strict=True)]
    W, line = np.zeros((1, 1, 3, 3)), np.zeros((2, 1, 1, 5, 5))
    W[0, 0, 0], line[:, 0, 0, 0] = w, o  # the same as an image with one row that is not 0
    link, E = Link((Patches(3),), (1, 5, 5), 1), np.zeros((2, 1, 1, 3, 3))
    E[:, 0, 0, 0] = epsilon
    back, gradient = link.back(E, W), link.gradient(E, line)
    for t, (x, delta, _) in enumerate(found):
        assert link.forward(line, W)[t, 0, 0, 0] == pytest.approx(x)
        assert back[t, 0, 0, 0] == pytest.approx(delta)
    assert gradient[0, 0, 0] == pytest.approx(sum(dw for *_, dw in found))


def test_p2_conv_image_x_p2_conv_image_delta_and_p2_conv_image_w():
    """Two channels of 5 × 4 pixels to three of 4 × 3, every index in a loop."""
    rng, link = np.random.default_rng(21), Link((Patches(2),), (2, 5, 4), 3)
    W, o = rng.normal(size=(3, 2, 2, 2)), rng.random((1, 1, 2, 5, 4))
    epsilon = rng.normal(size=(1, 1, 3, 4, 3))
    x, delta, dW = np.zeros((3, 4, 3)), np.zeros((2, 5, 4)), np.zeros_like(W)
    for c, p, q, d, a, b in np.ndindex(3, 4, 3, 2, 2, 2):
        x[c, p, q] += W[c, d, a, b] * o[0, 0, d, p + a, q + b]
        delta[d, p + a, q + b] += epsilon[0, 0, c, p, q] * W[c, d, a, b]
        dW[c, d, a, b] += epsilon[0, 0, c, p, q] * o[0, 0, d, p + a, q + b]
    assert link.forward(o, W)[0, 0] == pytest.approx(x)
    assert link.back(epsilon, W)[0, 0] == pytest.approx(delta)
    assert link.gradient(epsilon, o) == pytest.approx(dW)


@pytest.mark.parametrize("k", [2, 3])
def test_p2_pool_x_and_p2_pool_delta(k):
    rng, pool, shape = np.random.default_rng(22), AveragePool(k), (3, 2 * k, 3 * k)
    o, back = rng.random(shape), rng.normal(size=(3, 2, 3))
    means, shares = pool.forward(o, shape), pool.transpose(back, shape)
    for c, p, q in np.ndindex(3, 2, 3):
        block = np.s_[c, k * p : k * p + k, k * q : k * q + k]
        assert means[c, p, q] == pytest.approx(o[block].sum() / k**2)
        assert shares[block] == pytest.approx(np.full((k, k), back[c, p, q] / k**2))


LINKS = {
    "dense": Link((Flatten(),), (2, 3, 2), 4),
    "recurrent": Link((Flatten(),), (5,), 5, "R"),
    "convolution": Link((Patches(2),), (2, 4, 3), 3),
    "pool, then dense": Link((AveragePool(2), Flatten()), (2, 4, 6), 3),
    "two pools, then convolution": Link(
        (AveragePool(2), AveragePool(3), Patches(2)), (1, 12, 18), 2
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_its_matrix_forward_back_and_by_its_weights(name):
    """The matrix is made by the forward direction from one input neuron at a time."""
    link, rng = LINKS[name], np.random.default_rng(3)
    W = rng.normal(size=link.weight_shape)
    x, adjoint = rng.normal(size=(2, 3, *link.source)), rng.normal(size=(2, 3, *link.shape))
    rows, columns = x.reshape(6, -1), adjoint.reshape(6, -1)
    matrix = link.matrix(W)
    assert matrix.shape == (columns.shape[1], rows.shape[1])
    assert link.forward(x, W).reshape(6, -1) == pytest.approx(rows @ matrix.T)
    assert link.back(adjoint, W).reshape(6, -1) == pytest.approx(columns @ matrix)
    gradient, step = link.gradient(adjoint, x), rng.normal(size=W.shape)
    assert gradient.shape == W.shape
    along = (columns * (rows @ link.matrix(step).T)).sum()  # a linear map of W
    assert (gradient * step).sum() == pytest.approx(along)
