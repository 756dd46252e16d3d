"""Convolution and pooling at full speed: equal to the general sweep, which autodiff judges."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Rectangle, arrows
from stbp_edu._support.links import widths
from stbp_edu.cases import ABLATIONS, CASE_RULES
from stbp_edu.program import weights
from stbp_edu.program.in_loops import installed
from tests.programs import assert_part_two, assert_same_bits

NEURON = arrows.hard_reset(LIF(tau=0.6, v_th=0.4, surrogate=Gaussian(0.5)))
SOFT = arrows.soft_reset(LIF(tau=0.6, v_th=0.4, surrogate=Rectangle(4.0)))
COMPILED = [
    pytest.mark.skipif(not installed(), reason="Numba is not installed"),
    pytest.mark.slow,
]
BACKENDS = ["numpy", pytest.param("compiled", marks=COMPILED)]
SHAPES = ("12x12-3C3-P2-4C2-P2-6-3", "7x10x2-3C2-P3-2", "6x6-P2-2C2-4R-3", "4x4-5-2")


def problem(shape, neuron=NEURON, T=4, S=3):
    """Return a network, its parameters, an input of real numbers and targets."""
    rng, net = np.random.default_rng(0), arrows.network(shape, neuron)
    params = arrows.draw_params(net, rng)
    for p in params[1:]:
        p["b"] += rng.normal(0.2, 0.2, p["b"].shape)
    return net, params, rng.random((T, S, *net.shape)), rng.random((S, net.sizes[-1]))


@pytest.mark.parametrize(
    ("shape", "neuron"), [*zip(SHAPES, [NEURON, SOFT] * 2, strict=True)], ids=SHAPES
)
@pytest.mark.parametrize("rule", CASE_RULES + ABLATIONS)
def test_p2_conv_image_delta_p2_conv_image_w_engine_equals_the_general_sweep(
    shape, neuron, rule, monkeypatch
):
    """With spikes and on the smooth twin, whose images are taken a few at a time."""
    run = problem(shape, neuron)
    assert widths(shape) == run[0].sizes
    for twin in (False, True):
        assert_part_two(*run, rule, twin=twin)
        monkeypatch.setattr(weights, "PATCHES", 1)


@pytest.mark.parametrize("shape", SHAPES[:2])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_form_equals_the_general_sweep_with_any_number_of_threads(
    backend, shape, monkeypatch
):
    """Bit for bit the same in 1, 2 and 4 threads, which share many blocks of images."""
    monkeypatch.setattr("stbp_edu.program.machine.LEAST", 0)
    monkeypatch.setattr(weights, "PATCHES", 4000)
    run = problem(shape, S=11)
    assert_part_two(*run, "exact", backend)
    assert_same_bits(*run, backend)
