from __future__ import annotations

import numpy as np
import pytest

from stbp_edu.training.data.encoders import bernoulli, direct, encode

T = 4000


def within(mean: np.ndarray, p: np.ndarray, draws: int) -> bool:
    """Is every mean within five standard errors of its probability?"""
    return bool((np.abs(mean - p) <= 5 * np.sqrt(p * (1 - p) / draws) + 1e-12).all())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_spike_with_the_probability_of_their_grey_level(dtype) -> None:
    p = np.linspace(0, 1, 41, dtype=dtype)[None]
    spikes = bernoulli(p, T, np.random.default_rng(0))
    assert spikes.dtype == dtype
    assert set(np.unique(spikes)) == {0, 1}
    assert within(spikes.mean(axis=0), p, T)
    assert not spikes[:, 0, 0].any()
    assert spikes[:, 0, -1].all()


def test_bytes_spike_with_probability_p_over_256() -> None:
    pixels = np.arange(256, dtype=np.uint8)[None]
    spikes = bernoulli(pixels, T, np.random.default_rng(1))
    assert spikes.dtype == np.float32
    assert set(np.unique(spikes)) == {0, 1}
    assert within(spikes.mean(axis=0), pixels / 256, T)
    assert not spikes[:, 0, 0].any()


@pytest.mark.parametrize("as_bytes", [False, True])
def test_steps_images_and_pixels_are_drawn_independently(as_bytes: bool) -> None:
    grey = np.full((30, 30), 128, np.uint8) if as_bytes else np.full((30, 30), 0.5)
    x = bernoulli(grey, 400, np.random.default_rng(2)).astype(float) - 0.5
    for a, b in ((x[1:], x[:-1]), (x[:, 1:], x[:, :-1]), (x[:, :, 1:], x[:, :, :-1])):
        assert abs((a * b).mean() * 4) < 5 / np.sqrt(a.size)


def test_a_seed_gives_the_same_spikes_and_another_seed_others() -> None:
    grey = np.full((3, 5), 0.5)
    first, again, other = (bernoulli(grey, 6, np.random.default_rng(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_direct_repeats_the_grey_level() -> None:
    grey = np.array([[0.0, 0.25], [0.5, 1.0]])
    np.testing.assert_array_equal(direct(grey, 3), np.stack([grey] * 3))
    pixels = np.array([[0, 51, 255]], np.uint8)
    np.testing.assert_allclose(direct(pixels, 1)[0], [[0, 0.2, 1]], rtol=1e-7)


@pytest.mark.parametrize("name", ["bernoulli", "direct"])
def test_out_is_written_and_returned(name: str) -> None:
    grey = np.full((2, 3), 0.5)
    out = np.full((4, 2, 3), 7.0)
    result = encode(name, grey, 4, np.random.default_rng(0), out=out)
    assert result is out
    np.testing.assert_array_equal(out, encode(name, grey, 4, np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("pixels", "T", "error", "words"),
    [
        (np.array([[1.5]]), 3, ValueError, r"pixels must lie in \[0, 1\]"),
        (np.array([[-0.1]]), 3, ValueError, r"pixels must lie in \[0, 1\]"),
        (np.array([[np.nan]]), 3, ValueError, "pixels must be finite"),
        (np.array([0.5]), 3, ValueError, "pixels must have shape"),
        (np.zeros((2, 2, 2), np.uint8), 3, ValueError, "pixels must have shape"),
        (np.zeros((0, 2), np.uint8), 3, ValueError, "pixels must have shape"),
        (np.array([[1]]), 3, TypeError, "pixels must be float32 or float64, got int64"),
        ([[0.5]], 3, TypeError, "pixels must be a NumPy array"),
        (np.array([[0.5]]), 0, ValueError, "T must be >= 1"),
        (np.array([[0.5]]), 2.0, TypeError, "T must be an integer"),
    ],
)
def test_bad_input_is_named(pixels, T, error, words) -> None:
    for encoder in ("bernoulli", "direct"):
        with pytest.raises(error, match=words):
            encode(encoder, pixels, T, np.random.default_rng(0))


def test_an_unknown_encoder_and_a_missing_generator_are_named() -> None:
    with pytest.raises(ValueError, match="encoder must be one of 'bernoulli', 'direct'"):
        encode("rate", np.array([[0.5]]), 3, np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator"):
        bernoulli(np.array([[0.5]]), 3, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out must have shape"):
        direct(np.array([[0.5]]), 3, out=np.zeros((2, 1, 1)))
