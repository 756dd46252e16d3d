"""Convolution and pooling at full speed: equal to the general sweep, which autodiff judges."""

import re

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Rectangle, arrows, backward, cases, forward, network
from stbp_edu.convolution import ConvParams, init_conv_params, read_shape
from stbp_edu.engine import weights
from stbp_edu.rules import ABLATIONS, RULES
from tests.networks import assert_close

NEURON = LIF(tau=0.6, v_th=0.4, surrogate=Gaussian(0.5))
SOFT = LIF(tau=0.6, v_th=0.4, surrogate=Rectangle(4.0), gate="soft")
SHAPES = ("12x12-3C3-P2-4C2-P2-6-3", "7x10x2-3C2-P3-2", "6x6-P2-2C2-4-3", "4x4-5-2")


def problem(shape, seed=0, T=4, S=3, dtype=np.float64):
    """Return parameters, an input of real numbers and targets."""
    rng = np.random.default_rng(seed)
    params = init_conv_params(shape, rng, dtype, scheme="uniform")
    for b in params.b[1:]:
        b += rng.normal(0.2, 0.2, b.shape).astype(dtype)
    spikes = rng.random((T, S, params.sizes[0])).astype(dtype)
    return params, spikes, rng.random((S, params.sizes[-1])).astype(dtype)


def to_arrows(params):
    """Return parameters as Part II has them: channels before rows and columns."""
    own = [None]
    for layer, W, b in zip(params.layers, params.W[1:], params.b[1:], strict=True):
        k = layer.kernel
        image = (k, k, layer.read[2]) if k else layer.read
        turned = W.reshape(-1, *image).transpose(0, 3, 1, 2)
        own.append({"W": turned if k else turned.reshape(len(W), -1), "b": b})
    return own


def as_images(params, arrays):
    """Return arrays (T, S, n) by layer as Part II has them."""
    images = [params.layers[0].source, *(layer.shape for layer in params.layers)]
    turned = [
        None if a is None else a.reshape(*a.shape[:2], *image).transpose(0, 1, 4, 2, 3)
        for a, image in zip(arrays, images, strict=True)
    ]
    return [
        a if a is None or not n or params.layers[n - 1].kernel else a.reshape(*a.shape[:2], -1)
        for n, a in enumerate(turned)
    ]


def general(params, neuron):
    """Return the network of Part II, whose images have their channels first."""
    reset = arrows.soft_reset if neuron.gate == "soft" else arrows.hard_reset
    return arrows.network(params.shape, reset(neuron))


@pytest.mark.parametrize("neuron", [NEURON, SOFT], ids=["hard", "soft"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_p2_conv_image_delta_p2_conv_image_w_engine_equals_the_general_sweep(
    shape, rule, neuron, monkeypatch
):
    """With spikes and on the smooth twin, whose images are taken a few at a time."""
    params, spikes, targets = problem(shape)
    net, own = general(params, neuron), to_arrows(params)
    seen = as_images(params, [spikes, *[None] * params.N])[0]
    for smooth in (False, True):
        slow = arrows.forward(net, own, seen, twin=smooth)
        fast = forward(spikes, params, neuron, spike=neuron.H if smooth else None)
        for state, found in (("u", fast.U), ("o", fast.O)):
            assert_close(as_images(params, found)[1:], slow[state][1:], state)
        expected = arrows.backward(net, own, slow, targets, rule).gradients
        found = backward(fast, targets, params, neuron, rule)
        turned = to_arrows(ConvParams(shape, found.W, found.b))
        for name in "Wb":
            assert_close(*([None, *(p[name] for p in of[1:])] for of in (turned, expected)), name)
        assert all(np.abs(g).max() > 0 for g in found.W[1:])
        monkeypatch.setattr(weights, "PATCHES", 1)


@pytest.mark.parametrize("shape", [*SHAPES, "6x6-2C3-P2-3C2"])  # at last: a convolution
def test_an_input_in_another_place_in_memory_gives_the_same(shape):
    """One that stays is read once; one whose entries lie apart is copied."""
    params, spikes, targets = problem(shape)
    still = np.broadcast_to(spikes[0], spikes.shape)
    for odd in (still, np.repeat(spikes, 2, axis=2)[:, :, ::2]):
        assert not odd.flags.c_contiguous
        trace, copied = (forward(s, params, NEURON) for s in (odd, odd.copy()))
        assert_close(trace.U, copied.U, "U")
        found, expected = (backward(t, targets, params, NEURON) for t in (trace, copied))
        assert_close(found.W, expected.W, "dL/dW")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("784-10", "shape must be an image, then layers"),
        ("28x28-15C5-P2", "end in a layer of neurons"),
        ("28x28-15K5-10", "parts such as 15C5, P2 and 300, got '15K5'"),
        ("9x9-2C2-P3-10", "P3 before 10 must divide the image below, 8 x 8"),
        ("4x4-2C5-10", "2C5 must fit the image that it reads, 4 x 4"),
    ],
)
def test_shapes_that_cannot_be(shape, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        read_shape(shape)


def test_parameters_of_another_shape_and_functions_for_dense_networks_alone():
    params, spikes, targets = problem("6x6-2C3-3")
    for shape, words in (("6x6-2C2-3", "W[1] must have shape (units"), ("6x6-2C3-3-3", "3 entr")):
        with pytest.raises(ValueError, match=re.escape(words)):
            ConvParams(shape, params.W, params.b)
    trace = forward(spikes, params, NEURON)
    for call in (
        lambda: network.forward(spikes, params, NEURON),
        lambda: cases.sweep(trace, targets, params, NEURON),
    ):
        with pytest.raises(TypeError, match="params must be of type Params, got ConvParams"):
            call()
