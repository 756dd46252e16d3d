"""Encoders: probabilities and rows of images."""

import numpy as np
import pytest

from stbp_edu.training import encoders
from stbp_edu.training.encoders import bernoulli, encode, rows

T = 4000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def within(mean: np.ndarray, p: np.ndarray, draws: int) -> bool:
    """Is every mean within five standard errors of its probability?"""
    return bool((np.abs(mean - p) <= 5 * np.sqrt(p * (1 - p) / draws) + 1e-12).all())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_pixels_spike_with_the_probability_of_their_grey_level(dtype) -> None:
    of_bytes = dtype == np.uint8
    pixels = np.arange(256, dtype=dtype)[None] / (1 if of_bytes else 255)
    pixels = pixels.astype(dtype)
    for spikes in (
        bernoulli(pixels, T, np.random.default_rng(0)),
        rows(pixels[None], T, np.random.default_rng(0), hold=T),
    ):
        assert spikes.dtype == (np.float32 if of_bytes else dtype)
        assert set(np.unique(spikes)) == {0, 1}
        assert within(spikes.mean(axis=0), pixels / 256 if of_bytes else pixels, T)
        assert not spikes[:, 0, 0].any()
        assert of_bytes or spikes[:, 0, -1].all()


@pytest.mark.parametrize("hold", [1, 2])
def test_rows_are_shown_one_after_the_other_and_then_nothing(hold, rng) -> None:
    images = rng.integers(0, 2, (5, 3, 4)).astype(float)
    seen = rows(images, 8, rng, hold=hold)
    for t in range(3 * hold):
        np.testing.assert_array_equal(seen[t], images[:, t // hold])
    assert not seen[3 * hold :].any()


@pytest.mark.parametrize("encoder", encoders.ENCODERS)
def test_the_width_is_what_the_encoder_makes(encoder, rng) -> None:
    images = rng.random((2, 5, 3))
    seen = images if encoder == "rows" else images.reshape(2, -1)
    assert encode(encoder, seen, 9, rng).shape == (
        9,
        2,
        encoders.inputs(encoder, (5, 3)),
    )
