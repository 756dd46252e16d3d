from __future__ import annotations

import math

import numpy as np
import pytest

from stbp_edu import Gradients, Params
from stbp_edu.training.optim import SGD, Adam


def params_of(w: float, b: float, dtype=np.float64) -> Params:
    return Params(W=[None, np.array([[w]], dtype)], b=[None, np.array([b], dtype)])


def grads_of(w: float, b: float) -> Gradients:
    return Gradients(W=[None, np.array([[w]])], b=[None, np.array([b])])


def test_sgd_by_hand() -> None:
    p, rule = params_of(1.0, 0.0), SGD(momentum=0.5)
    state = rule.start(p)
    state = rule.update(p, grads_of(2.0, 1.0), state, 0.1)  # m = 2, 1
    np.testing.assert_allclose([p.W[1][0, 0], p.b[1][0]], [0.8, -0.1], rtol=1e-15)
    state = rule.update(p, grads_of(0.0, -1.0), state, 0.1)  # m = 1, -0.5
    np.testing.assert_allclose([p.W[1][0, 0], p.b[1][0]], [0.7, -0.05], rtol=1e-15)
    assert state.step == 2


def test_sgd_with_a_constant_gradient_has_the_closed_form() -> None:
    p, rule, mu, eta, k = params_of(0.0, 0.0), SGD(momentum=0.9), 0.9, 0.01, 50
    state = rule.start(p)
    for _ in range(k):
        state = rule.update(p, grads_of(1.0, 0.0), state, eta)
    moved = sum((1 - mu**i) / (1 - mu) for i in range(1, k + 1))
    np.testing.assert_allclose(p.W[1][0, 0], -eta * moved, rtol=1e-12)
    assert p.b[1][0] == 0


def test_adam_first_steps_by_hand() -> None:
    """After one step m̂ = g and v̂ = g²; two steps of g = 3, then -1, worked out on paper."""
    p, rule, eta = params_of(1.0, 0.0), Adam(eps=1e-8), 0.1
    state = rule.start(p)
    state = rule.update(p, grads_of(3.0, -1e-3), state, eta)
    first = 1 - eta * 3 / (3 + 1e-8)
    np.testing.assert_allclose(p.W[1][0, 0], first, rtol=1e-13)
    np.testing.assert_allclose(p.b[1][0], eta * 1e-3 / (1e-3 + 1e-8), rtol=1e-12)
    rule.update(p, grads_of(-1.0, 0.0), state, eta)
    m_hat = (0.9 * 0.3 - 0.1) / (1 - 0.81)  # m = 0.3, then 0.17
    v_hat = (0.999 * 0.009 + 0.001) / (1 - 0.998001)
    expected = first - eta * m_hat / (math.sqrt(v_hat) + 1e-8)
    np.testing.assert_allclose(p.W[1][0, 0], expected, rtol=1e-12)


def test_adam_with_a_constant_gradient_moves_by_eta_each_step() -> None:
    p, rule = params_of(0.0, 0.0), Adam(eps=1e-12)
    state = rule.start(p)
    for k in range(1, 30):
        state = rule.update(p, grads_of(0.02, -5.0), state, 0.01)
        np.testing.assert_allclose([p.W[1][0, 0], p.b[1][0]], [-0.01 * k, 0.01 * k], rtol=1e-8)


@pytest.mark.parametrize("rule", [SGD(weight_decay=0.5), Adam(weight_decay=0.5)])
def test_weight_decay_shrinks_weights_and_leaves_biases(rule) -> None:
    p = params_of(2.0, 2.0)
    rule.update(p, grads_of(0.0, 0.0), rule.start(p), 0.1)
    np.testing.assert_allclose([p.W[1][0, 0], p.b[1][0]], [2 * 0.95, 2.0], rtol=1e-15)


@pytest.mark.parametrize("rule", [SGD(), Adam()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chunks_change_nothing(rule, dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chunk or many, the bits are the same, in place and in the dtype of the parameters."""
    results = []
    for chunk in (7, 10_000):
        monkeypatch.setattr("stbp_edu.arrays.CHUNK", chunk)
        rng = np.random.default_rng(0)
        W, b = rng.normal(size=(5, 9)).astype(dtype), rng.normal(size=5).astype(dtype)
        p, state = Params(W=[None, W], b=[None, b]), None
        state = rule.start(p)
        for _ in range(3):
            g = Gradients(
                W=[None, rng.normal(size=W.shape).astype(dtype)],
                b=[None, rng.normal(size=5).astype(dtype)],
            )
            state = rule.update(p, g, state, 0.01)
        assert p.W[1] is W
        assert W.dtype == dtype
        results.append((W, b))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_bad_constants_and_arrays_are_named() -> None:
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\), got 1"):
        SGD(momentum=1)
    with pytest.raises(ValueError, match=r"beta2 must be in \[0, 1\)"):
        Adam(beta2=-0.1)
    with pytest.raises(ValueError, match="eps must be > 0"):
        Adam(eps=0)
    with pytest.raises(ValueError, match="weight_decay must be >= 0"):
        Adam(weight_decay=-1)
    slanted = Params(W=[None, np.ones((6, 2))[::2]], b=[None, np.ones(3)])
    with pytest.raises(ValueError, match=r"params\.W1 must be a writeable contiguous array"):
        Adam().start(slanted)


@pytest.mark.parametrize("optimizer", [SGD(weight_decay=0.1), Adam(weight_decay=0.1)])
def test_arrays_by_columns_are_changed_as_arrays_by_rows_are(optimizer) -> None:
    rng = np.random.default_rng(0)
    grads = Gradients(W=[None, rng.normal(size=(3, 4))], b=[None, rng.normal(size=3)])
    ends = []
    for lay in (np.ascontiguousarray, np.asfortranarray):
        params = Params(W=[None, lay(np.arange(12.0).reshape(3, 4))], b=[None, np.zeros(3)])
        state = optimizer.start(params)
        for _ in range(3):
            state = optimizer.update(params, grads, state, 0.1)
        ends.append(params.W[1])
    np.testing.assert_array_equal(*ends)
