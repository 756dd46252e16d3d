"""Surrogates: adding one, and those that reach far below the threshold."""

import numpy as np
import pytest

from stbp_edu import ATan, FastSigmoid, arrows, derive
from tests.programs import Program


def test_h5_h6_are_those_of_the_frameworks_in_their_own_letters():
    """snnTorch's ATan with α, and its fast sigmoid with slope k, which is 2a times as high."""
    v, alpha, k = np.linspace(-3, 3, 13), 2.0, 25.0
    theirs = alpha / 2 / (1 + (np.pi / 2 * alpha * v) ** 2)
    ours = ATan(2 / (np.pi * alpha)).derivative(v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    theirs = 1 / (k * np.abs(v) + 1) ** 2
    ours = 2 / k * FastSigmoid(1 / k).derivative(v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_the_sigmoid_that_the_errors_advise_has_a_gradient_far_from_0():
    """In float32, where e^90 is infinite."""
    with pytest.raises(ValueError, match="define it in a line above: sigmoid") as error:
        derive("u = sigmoid(u) + x\no = spike(u - 1)")
    line = str(error.value).partition("above: ")[2].splitlines()[0]
    net = arrows.network(
        "1-1", derive(f"{line}\nu = sigmoid(u) + x\no = spike(u - 1)").neuron
    )
    params = [None, {"W": np.ones((1, 1), np.float32), "b": np.zeros(1, np.float32)}]
    inputs = np.full((3, 1, 1), -100, np.float32)
    found = Program(net, backend="numpy")
    trace = found.forward(params, inputs)
    grads = found.gradients(params, trace, np.ones((1, 1), np.float32))
    assert np.isfinite(grads[1]["W"]).all()
