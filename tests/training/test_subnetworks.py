from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from stbp_edu import LIF, Gradients, Params, backward, forward, init_params
from stbp_edu.arrays import add_up, by_columns, tensors, zeros_like
from stbp_edu.engine import Engine
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.optim import Adam, update_average
from stbp_edu.training.sparsity import (
    active_pixels,
    draw_dropout,
    samples_with_error,
    scatter,
    select_samples,
    subnetwork,
)

NEURON = LIF(tau=0.4, v_th=0.5)


@pytest.fixture
def net() -> Params:
    return init_params([8, 6, 5, 3], np.random.default_rng(0), scheme="uniform")


def gradient(spikes: np.ndarray, params: Params, targets: np.ndarray) -> Gradients:
    return backward(forward(spikes, params, NEURON), targets, params, NEURON)


def test_leaving_dark_pixels_out_changes_nothing(net: Params) -> None:
    rng = np.random.default_rng(1)
    spikes = (rng.random((5, 4, 8)) < 0.6).astype(float)
    spikes[:, :, [0, 3, 7]] = 0
    targets = rng.random((4, 3))
    kept = [active_pixels(spikes.max(axis=0)), None, None, None]
    assert kept[0].tolist() == [1, 2, 4, 5, 6]
    small = subnetwork(net, kept)
    assert small.sizes == (5, 6, 5, 3)
    found = zeros_like(net)
    found.W[1][...] = np.nan  # what an earlier batch left
    scatter(gradient(spikes[:, :, kept[0]], small, targets), net, kept, found)
    for name, expected in tensors(gradient(spikes, net, targets)).items():
        np.testing.assert_allclose(tensors(found)[name], expected, rtol=1e-12, atol=1e-15)
    assert not found.W[1][:, [0, 3, 7]].any()


def test_dropout_is_the_network_with_those_neurons_cut(net: Params) -> None:
    """The same as zeroing the columns that leave the dropped neurons, and scaling the others."""
    rng = np.random.default_rng(2)
    spikes = (rng.random((5, 4, 8)) < 0.6).astype(float)
    targets = rng.random((4, 3))
    kept = [np.arange(8), *draw_dropout(net.sizes, 0.5, rng)]
    assert [None if k is None else len(k) for k in kept] == [8, 3, 2, None]
    masks = [
        np.ones(8),
        *(
            np.isin(np.arange(m), k) * m / len(k)
            for m, k in zip(net.sizes[1:-1], kept[1:-1], strict=True)
        ),
    ]
    cut = Params(W=[None, *(net.W[n] * masks[n - 1] for n in (1, 2, 3))], b=net.b)
    expected = gradient(spikes, cut, targets)
    found = zeros_like(net)
    scatter(gradient(spikes, subnetwork(net, kept), targets), net, kept, found)
    rows = [*kept[:3], np.arange(3)]
    for n in (1, 2, 3):
        block = np.ix_(rows[n], rows[n - 1])
        np.testing.assert_allclose(
            found.W[n][block], (expected.W[n] * masks[n - 1])[block], rtol=1e-12, atol=1e-15
        )
        np.testing.assert_allclose(found.b[n][rows[n]], expected.b[n][rows[n]], rtol=1e-12)
        outside = np.ones_like(found.W[n], bool)
        outside[block] = False
        assert not found.W[n][outside].any()


@pytest.mark.parametrize("sections", [1, 2, 3, 11])
@pytest.mark.parametrize("lay", [by_columns, lambda params: params])
def test_processes_that_share_the_update_change_the_same_bits_as_one(lay, sections: int) -> None:
    """Each section adds up, takes a step and averages on its own; none waits for the others."""
    rng = np.random.default_rng(4)
    net = lay(init_params([8, 6, 5, 3], rng, scheme="uniform"))
    found = [
        gradient((rng.random((5, 4, 8)) < 0.6).astype(float), net, rng.random((4, 3)))
        for _ in range(2)
    ]

    def update(sections: int) -> dict[str, np.ndarray]:
        params, average = deepcopy(net), deepcopy(net)
        grads = [zeros_like(net), zeros_like(net)]
        for own, g in zip(grads, found, strict=True):
            scatter(g, net, [None] * 4, own)
        adam = Adam(weight_decay=0.1)
        start = adam.start(params)
        for i in reversed(range(sections)):
            add_up(grads, (i, sections))
            adam.update(params, grads[0], start, 0.1, (i, sections))
            update_average(average, params, 0.5, (i, sections))
        of = {"p": params, "mean": average, "g": grads[0], "m": start.slots[0], "v": start.slots[1]}
        return {f"{k}.{name}": a for k, t in of.items() for name, a in tensors(t).items()}

    whole = update(1)
    np.testing.assert_array_equal(whole["g.W1"], found[0].W[1] + found[1].W[1])
    assert any(a.any() for name, a in whole.items() if name.startswith("m"))
    for name, array in update(sections).items():
        np.testing.assert_array_equal(array, whole[name], err_msg=name)


def test_a_state_that_lies_in_memory_in_another_way_is_refused(net: Params) -> None:
    adam, grads = Adam(), zeros_like(net)
    with pytest.raises(ValueError, match="W1 must lie in memory by rows or by columns"):
        adam.update(net, grads, adam.start(by_columns(net)), 0.1)


def test_where_nothing_is_left_out_the_gradient_is_itself(net: Params) -> None:
    assert subnetwork(net, [None] * 4) is net
    assert draw_dropout((8, 6, 3), 0.0, np.random.default_rng(0)) == [None, None]
    grads, found = gradient(np.ones((2, 1, 8)), net, np.ones((1, 3))), zeros_like(net)
    scatter(grads, net, [None] * 4, found)
    for name, g in tensors(grads).items():
        np.testing.assert_array_equal(tensors(found)[name], g)


def test_a_dark_batch_keeps_one_pixel() -> None:
    assert active_pixels(np.zeros((3, 5))).tolist() == [0]


@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_leaving_out_what_is_answered_perfectly_changes_nothing(net: Params, rule: str) -> None:
    rng = np.random.default_rng(3)
    trace = forward((rng.random((5, 6, 8)) < 0.6).astype(float), net, NEURON)
    targets = rng.random((6, 3))
    perfect = [0, 2, 5]
    targets[perfect] = trace.O[-1].mean(axis=0)[perfect]
    of = samples_with_error(trace, targets)
    assert of.tolist() == [1, 3, 4]
    few = select_samples(trace, of)
    assert [o.shape[1] for o in few.O] == [3, 3, 3, 3]
    found = Engine(net, NEURON, rule).gradients(few, targets[of], S=6)
    for name, expected in tensors(backward(trace, targets, net, NEURON, rule)).items():
        np.testing.assert_allclose(tensors(found)[name], expected, rtol=1e-12, atol=1e-15)


def test_a_batch_without_a_mistake_has_a_gradient_of_zero(net: Params) -> None:
    trace = forward(np.ones((5, 6, 8)), net, NEURON)
    targets = trace.O[-1].mean(axis=0)
    of = samples_with_error(trace, targets)
    few = select_samples(trace, of)
    found = Engine(net, NEURON).gradients(few, targets[of], S=6)
    assert not any(g.any() for g in tensors(found).values())
    everything = np.arange(6)
    assert select_samples(trace, everything) is trace
