"""Encoders: probabilities and rows of images."""

import numpy as np
import pytest

from stbp_edu.training.encoders import bernoulli, rows

T = 4000


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_pixels_spike_with_the_probability_of_their_grey_level(dtype):
    """Every mean lies within five standard errors of it."""
    of_bytes = dtype == np.uint8
    pixels = (np.arange(256, dtype=dtype)[None] / (1 if of_bytes else 255)).astype(
        dtype
    )
    p = pixels / 256 if of_bytes else pixels
    for spikes in (
        bernoulli(pixels, T, np.random.default_rng(0)),
        rows(pixels[None], T, np.random.default_rng(0), hold=T),
    ):
        assert spikes.dtype == (np.float32 if of_bytes else dtype)
        assert set(np.unique(spikes)) == {0, 1}
        error = np.abs(spikes.mean(axis=0) - p)
        assert (error <= 5 * np.sqrt(p * (1 - p) / T) + 1e-12).all()


@pytest.mark.parametrize("hold", [1, 2])
def test_rows_are_shown_one_after_the_other_and_then_nothing(hold):
    rng = np.random.default_rng(5)
    images = rng.integers(0, 2, (5, 3, 4)).astype(float)
    seen = rows(images, 8, rng, hold=hold)
    shown = np.repeat(images.swapaxes(0, 1), hold, axis=0)
    np.testing.assert_array_equal(seen[: 3 * hold], shown)
    assert not seen[3 * hold :].any()
