"""Adam, SGD, clipping, and the average of the weights: by hand."""

import math

import numpy as np
import pytest

from stbp_edu import Gradients, Params, init_params
from stbp_edu.parameters import named_arrays
from stbp_edu.program.in_loops import installed
from stbp_edu.training import optimiser
from stbp_edu.training.optimiser import (
    adam,
    clip,
    gradient_norm,
    sgd,
    start,
    update_average,
)


def pair(kind, w, b):
    """A weight and a bias."""
    return kind(W=[None, np.array([[w]])], b=[None, np.array([b])])


def updated(update, gradients, **more):
    """Return the weight and the bias after updates, both 1 at first."""
    params = pair(Params, 1.0, 1.0)
    state = start(params)
    for g in gradients:
        update(state, pair(Gradients, g, g), 0.1, **more)
    assert state.step == len(gradients)
    return [params.W[1][0, 0], params.b[1][0]]


def test_adam_by_hand():
    """After one step m̂ = g and v̂ = g²; two steps of g = 3, then -1, worked out on paper."""
    first = 1 - 0.1 * 3 / (3 + 1e-8)
    np.testing.assert_allclose(updated(adam, [3.0]), first, rtol=1e-12)
    m_hat = (0.9 * 0.3 - 0.1) / (1 - 0.81)  # m = 0.3, then 0.17
    v_hat = (0.999 * 0.009 + 0.001) / (1 - 0.998001)
    second = first - 0.1 * m_hat / (math.sqrt(v_hat) + 1e-8)
    np.testing.assert_allclose(updated(adam, [3.0, -1.0]), second, rtol=1e-12)


def test_sgd_by_hand():
    """g = 3, then -1, with momentum 0.5: m = 3, then 0.5."""
    found = updated(sgd, [3.0, -1.0], momentum=0.5)
    np.testing.assert_allclose(found, [1 - 0.3 - 0.05] * 2)


def by_columns(params):
    """Return parameters whose weights lie in memory as training lays them."""
    return Params(W=[None, *map(np.asfortranarray, params.W[1:])], b=params.b)


def test_a_norm_is_of_all_arrays_and_clipping_keeps_its_direction():
    grads = by_columns(init_params([300, 200, 3], np.random.default_rng(1), np.float32))
    before = np.concatenate([a.ravel() for a in named_arrays(grads).values()])
    norm = gradient_norm(grads)
    assert norm == pytest.approx(np.linalg.norm(before.astype(float)), rel=1e-12)
    for limit, factor in ((2 * norm, 1), (norm / 4, 1 / 4)):
        clip(grads, limit)
        after = np.concatenate([a.ravel() for a in named_arrays(grads).values()])
        np.testing.assert_allclose(after, factor * before, rtol=1e-6)
    huge = np.full((1, 1), 1e30, np.float32)  # whose square no float32 holds
    assert gradient_norm([None, {"W": huge}]) == pytest.approx(1e30)
    with pytest.raises(ValueError, match=r"the gradient of W1 must be finite, got nan"):
        gradient_norm([None, {"W": np.full((1, 1), np.nan)}])


def test_a_weight_average_is_the_weighted_sum_of_the_past():
    average = pair(Params, 1.0, 1.0)
    for value in (2.0, 4.0):
        update_average(average, pair(Params, value, 0.0), 0.75)
    np.testing.assert_allclose(average.W[1], 0.75**2 + 0.75 * 0.25 * 2 + 0.25 * 4)
    np.testing.assert_allclose(average.b[1], 0.75**2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_chunks_nor_compiled_loops_change_a_bit(monkeypatch, dtype):
    found = []
    for chunk, compiled in ((10**6, False), (7, False), (7, installed())):
        monkeypatch.setattr(optimiser, "CHUNK", chunk)
        monkeypatch.setattr(optimiser, "installed", lambda compiled=compiled: compiled)
        rng = np.random.default_rng(4)
        state = start(by_columns(init_params([8, 6, 5, 3], rng, dtype)), averaging=True)
        for _ in range(3):
            grads = by_columns(init_params([8, 6, 5, 3], rng, dtype))
            adam(state, Gradients(grads.W, grads.b), 0.1)
            update_average(state.average, state.params, 0.5)
        found.append([a.tobytes() for a in named_arrays(state.average).values()])
    assert found[0] == found[1] == found[2]
