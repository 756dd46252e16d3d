"""Adam, SGD, clipping, the average of the weights and the learning rate: by hand."""

import math

import numpy as np
import pytest

from stbp_edu import Gradients, Params, init_params
from stbp_edu.parameters import named_arrays
from stbp_edu.program.machine_code import installed
from stbp_edu.training import optimiser
from stbp_edu.training.optimiser import (
    adam,
    clip,
    gradient_norm,
    sgd,
    start,
    update_average,
)


def params_of(w: float, b: float) -> Params:
    return Params(W=[None, np.array([[w]])], b=[None, np.array([b])])


def grads_of(w: float, b: float) -> Gradients:
    return Gradients(W=[None, np.array([[w]])], b=[None, np.array([b])])


def test_adam_by_hand() -> None:
    """After one step m̂ = g and v̂ = g²; two steps of g = 3, then -1, worked out on paper."""
    params, after = params_of(1.0, 0.0), []
    state = start(params)
    for w, b in ((3.0, -1e-3), (-1.0, 0.0)):
        adam(state, grads_of(w, b), 0.1)
        after.append([params.W[1][0, 0], params.b[1][0]])
    assert state.step == 2
    first = 1 - 0.1 * 3 / (3 + 1e-8)
    np.testing.assert_allclose(
        after[0], [first, 0.1 * 1e-3 / (1e-3 + 1e-8)], rtol=1e-12
    )
    m_hat = (0.9 * 0.3 - 0.1) / (1 - 0.81)  # m = 0.3, then 0.17
    v_hat = (0.999 * 0.009 + 0.001) / (1 - 0.998001)
    second = first - 0.1 * m_hat / (math.sqrt(v_hat) + 1e-8)
    np.testing.assert_allclose(after[1][0], second, rtol=1e-12)
    params = params_of(2.0, 2.0)
    adam(start(params), grads_of(0.0, 0.0), 0.1, decay=0.5)
    np.testing.assert_allclose(
        [params.W[1][0, 0], params.b[1][0]], [1.9, 2.0], rtol=1e-15
    )


def test_sgd_by_hand() -> None:
    """g = 3, then -1, with momentum 0.5: m = 3, then 0.5; weights decay, biases do not."""
    params = params_of(1.0, 1.0)
    state = start(params)
    for w in (3.0, -1.0):
        grads = grads_of(w, w)
        sgd(state, grads, 0.1, momentum=0.5, decay=1.0)
    np.testing.assert_allclose(
        [params.W[1][0, 0], params.b[1][0]], [(0.9 - 0.3) * 0.9 - 0.05, 0.7 - 0.05]
    )
    assert state.step == 2


def test_the_norm_of_a_gradient_is_of_all_arrays_and_clipping_keeps_its_direction() -> (
    None
):
    rng = np.random.default_rng(1)
    grads = by_columns(init_params([300, 200, 3], rng, np.float32))  # over a chunk
    before = {name: a.copy() for name, a in named_arrays(grads).items()}
    norm = gradient_norm(grads)
    whole = np.concatenate([a.ravel() for a in before.values()]).astype(float)
    np.testing.assert_allclose(norm, np.linalg.norm(whole), rtol=1e-12)
    for limit, factor in ((2 * norm, 1), (norm / 4, 1 / 4)):
        clip(grads, limit)
        for name, a in named_arrays(grads).items():
            np.testing.assert_allclose(a, factor * before[name], rtol=1e-6)
    huge = np.full((1, 1), 1e30, np.float32)  # whose square no float32 holds
    assert gradient_norm([None, {"W": huge}]) == pytest.approx(1e30)
    with pytest.raises(ValueError, match=r"the gradient of W1 must be finite, got nan"):
        gradient_norm([None, {"W": np.full((1, 1), np.nan)}])


def test_a_weight_average_is_the_weighted_sum_of_the_past() -> None:
    average, decay = params_of(1.0, 1.0), 0.75
    for value in (2.0, 4.0):
        update_average(average, params_of(value, 0.0), decay)
    np.testing.assert_allclose(average.W[1][0, 0], 0.75**2 + 0.75 * 0.25 * 2 + 0.25 * 4)
    np.testing.assert_allclose(average.b[1][0], 0.75**2)


def by_columns(params: Params) -> Params:
    """Return parameters whose weights lie in memory as training lays them."""
    return Params(W=[None, *map(np.asfortranarray, params.W[1:])], b=params.b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_chunks_nor_compiled_loops_change_a_bit(monkeypatch, dtype) -> None:
    found = []
    for chunk, compiled in ((10**6, False), (7, False), (7, installed())):
        monkeypatch.setattr(optimiser, "CHUNK", chunk)
        monkeypatch.setattr(optimiser, "installed", lambda compiled=compiled: compiled)
        rng = np.random.default_rng(4)
        state = start(by_columns(init_params([8, 6, 5, 3], rng, dtype)), averaging=True)
        for _ in range(3):
            grads = by_columns(init_params([8, 6, 5, 3], rng, dtype))
            adam(state, Gradients(grads.W, grads.b), 0.1, decay=0.1)
            update_average(state.average, state.params, 0.5)
        found.append(named_arrays(state.average))
    for other in found[1:]:
        for name, array in found[0].items():
            np.testing.assert_array_equal(array, other[name], err_msg=name)
