"""Surrogates: in the letters of frameworks, and those of a reader."""

import numpy as np
import pytest

from stbp_edu import LIF, ATan, FastSigmoid, derive


def test_h5_h6_are_those_of_the_frameworks_in_their_own_letters():
    """snnTorch's ATan with α, and its fast sigmoid with slope k, which is 2a times as high."""
    v, alpha, k = np.linspace(-3, 3, 13), 2.0, 25.0
    theirs = alpha / 2 / (1 + (np.pi / 2 * alpha * v) ** 2)
    ours = ATan(2 / (np.pi * alpha)).derivative(v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    theirs = 1 / (k * np.abs(v) + 1) ** 2
    ours = 2 / k * FastSigmoid(1 / k).derivative(v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


class Mean:
    """A surrogate whose h is one number for all potentials."""

    def derivative(self, v):
        return np.exp(-np.abs(v)).mean()

    def antiderivative(self, v):
        return np.tanh(v)


@pytest.mark.parametrize(
    "door",
    [
        lambda: LIF(surrogate=Mean()),
        lambda: derive("u = 0.5 * u + x; o = spike(u - 1)", surrogate=Mean()),
    ],
)
def test_a_surrogate_that_is_not_elementwise_is_refused_by_name(door):
    said = r"surrogate must be elementwise: derivative of Mean must return .* \(2, 3\), got \(\)"
    with pytest.raises(ValueError, match=said):
        door()
