"""The input, neurons and samples that a step leaves out: the gradient stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

from stbp_edu import LIF, Gradients, Params, backward, forward, init_params
from stbp_edu.arrays import Workspace, by_columns, tensors, zeros_like
from stbp_edu.convolution import init_conv_params
from stbp_edu.engine import Engine, SparseInput, sparse_input
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training import Settings
from stbp_edu.training.evaluation import observe
from stbp_edu.training.sparsity import (
    ACTIVE,
    EVERY,
    SINGLY,
    draw_dropout,
    read_images,
    samples_with_error,
    scatter,
    select_samples,
    subnetwork,
)

NEURON = LIF(tau=0.4, v_th=0.5)
T, PIXELS = 20, 30


@pytest.fixture
def net() -> Params:
    return by_columns(init_params([PIXELS, 7, 5, 3], np.random.default_rng(2), scale=3.0))


@pytest.fixture
def images() -> np.ndarray:
    """Twelve images with few active pixels, others in each; the fifth and a column have none."""
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((12, PIXELS)) < 0.2, rng.random((12, PIXELS)), 0)
    rows[4] = rows[:, 7] = 0
    return rows.reshape(12, 5, 6)


def gradient(spikes: np.ndarray, params: Params, targets: np.ndarray) -> Gradients:
    return backward(forward(spikes, params, NEURON), targets, params, NEURON)


def close(found, wanted, rtol: float = 1e-10) -> None:
    for name, g in tensors(wanted).items():
        np.testing.assert_allclose(tensors(found)[name], g, rtol=rtol, atol=1e-15, err_msg=name)


def spikes_of(images: np.ndarray, *ways: str) -> tuple[str, np.ndarray | None, object]:
    """Return the way that is chosen, the pixels that are read and the input."""
    read = read_images(images, Settings(T=T), T, ways)
    rng = np.random.default_rng(1)
    return read.way, read.pixels, read.encode(rng, Workspace(), np.dtype(float))


@pytest.mark.parametrize("wide", [400, 3])
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_image_by_image_is_the_same_as_all_at_once(images, net, rule, wide, monkeypatch) -> None:
    monkeypatch.setattr(sparse_input, "WIDE", wide)  # 3: slices of unequal width
    way, pixels, spikes = spikes_of(images, ACTIVE, SINGLY)
    assert (way, pixels) == (SINGLY, None)
    dense, targets = spikes.dense(), np.random.default_rng(3).random((12, 3))
    assert not dense[:, images.reshape(12, -1) == 0].any()
    engine = Engine(net, NEURON, rule)
    trace, wanted = engine.forward(spikes), forward(dense, net, NEURON)
    for n in (1, 2, 3):
        np.testing.assert_allclose(trace.U[n], wanted.U[n], rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(trace.O[n], wanted.O[n])
    whole = backward(wanted, targets, net, NEURON, rule)
    close(engine.gradients(trace, targets, S=12), whole)
    rates = observe(trace, np.zeros((12, 3))).rates  # of the pixels that are active in any image
    assert rates[0] == pytest.approx(dense[:, :, images.reshape(12, -1).any(axis=0)].mean())


def test_leaving_dark_pixels_out_changes_nothing(images, net) -> None:
    way, pixels, spikes = spikes_of(images, ACTIVE)
    assert way == ACTIVE
    assert 7 not in pixels
    small = subnetwork(net, [pixels, None, None, None])
    assert small.sizes == (len(pixels), 7, 5, 3)
    found, targets = zeros_like(net), np.random.default_rng(3).random((12, 3))
    found.W[1][...] = np.nan  # what an earlier batch left
    scatter(gradient(spikes, small, targets), net, [pixels, None, None, None], found)
    whole = np.zeros((T, 12, PIXELS))
    whole[:, :, pixels] = spikes
    close(found, gradient(whole, net, targets))


@pytest.mark.parametrize("ways", [[EVERY], [ACTIVE, SINGLY]])
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_leaving_out_what_is_answered_perfectly_changes_nothing(images, net, rule, ways) -> None:
    _, _, spikes = spikes_of(images, *ways)
    engine = Engine(net, NEURON, rule)
    trace, targets = engine.forward(spikes), np.random.default_rng(3).random((12, 3))
    perfect = [0, 4, 11]
    targets[perfect] = trace.O[-1].mean(axis=0)[perfect]
    of = samples_with_error(trace, targets)
    assert of.tolist() == [k for k in range(12) if k not in perfect]
    few = select_samples(trace, of)
    dense = spikes.dense() if isinstance(spikes, SparseInput) else spikes
    wanted = backward(forward(dense, net, NEURON), targets, net, NEURON, rule)
    close(engine.gradients(few, targets[of], S=12), wanted)
    targets = trace.O[-1].mean(axis=0)  # nothing is wrong, and so the gradient is zero
    none = select_samples(trace, samples_with_error(trace, targets))
    zero = engine.gradients(none, targets[:1], S=12)
    assert not any(g.any() for g in tensors(zero).values())
    blank = select_samples(trace, np.array([4]))  # no pixel is active
    assert not engine.gradients(blank, np.ones((1, 3)), S=1).W[1].any()


def test_dropout_is_a_network_without_some_neurons_whose_weights_are_scaled_up(net) -> None:
    rng = np.random.default_rng(2)
    spikes, targets = (rng.random((5, 4, PIXELS)) < 0.6) * 1.0, rng.random((4, 3))
    kept = [np.arange(PIXELS), *draw_dropout(net.sizes, 0.5, rng)]
    assert [None if k is None else len(k) for k in kept] == [PIXELS, 4, 2, None]
    masks = [np.ones(PIXELS)] + [
        np.isin(np.arange(m), k) * m / len(k) for m, k in zip((7, 5), kept[1:3], strict=True)
    ]
    cut = Params(W=[None, *(net.W[n] * masks[n - 1] for n in (1, 2, 3))], b=net.b)
    expected, found = gradient(spikes, cut, targets), zeros_like(net)
    scatter(gradient(spikes, subnetwork(net, kept), targets), net, kept, found)
    rows = [*kept[:3], np.arange(3)]
    for n in (1, 2, 3):
        block = np.ix_(rows[n], rows[n - 1])
        inside = np.zeros_like(net.W[n])
        inside[block] = (expected.W[n] * masks[n - 1])[block]
        np.testing.assert_allclose(found.W[n], inside, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(found.b[n][rows[n]], expected.b[n][rows[n]], rtol=1e-12)


def test_a_part_of_a_network_with_convolutions_cannot_be_taken() -> None:
    params = init_conv_params("8x8-2C3-10", np.random.default_rng(0))
    with pytest.raises(TypeError, match="params must be of type Params, got ConvParams"):
        subnetwork(params, [np.arange(3), None, None])
