"""Encoders: how a grey image becomes T steps of input for a spiking network.

An encoder takes S images as rows of n[0] pixels and returns an array of shape (T, S, n[0]).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array

ENCODERS = ("bernoulli", "direct")
"""The encoders."""

LEVELS = 256  # values of a byte


def encode(
    encoder: str,
    pixels: NDArray[Any],
    T: int,
    rng: np.random.Generator,
    *,
    out: Array | None = None,
) -> Array:
    """Encode with the encoder of this name: :func:`bernoulli` or :func:`direct`."""
    checks.choice("encoder", encoder, ENCODERS)
    if encoder == "direct":
        return direct(pixels, T, out=out)
    return bernoulli(pixels, T, rng, out=out)


def bernoulli(
    pixels: NDArray[Any], T: int, rng: np.random.Generator, *, out: Array | None = None
) -> Array:
    """Return spikes, each with probability = grey level, drawn anew at every step.

    Args:
        pixels: shape (S, n[0]). Floats in [0, 1] are probabilities and keep their dtype. Bytes
            (uint8, 255 is white) take a path four times as fast: a pixel p spikes where a random
            byte is below p, so with probability p/256, which is within 1/256 of p/255. Their
            spikes are float32.
        T: number of steps, >= 1.
        rng: a seeded generator.
        out: array of shape (T, S, n[0]) to write to.

    Raises:
        TypeError, ValueError: if ``pixels`` is no such array, or ``T`` no integer >= 1.

    >>> bernoulli(np.array([[0.0, 1.0]]), 3, np.random.default_rng(0)).tolist()
    [[[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 1.0]]]
    """
    grey = _check(pixels)
    checks.generator("rng", rng)
    spikes = _target(grey, T, out)
    if grey.dtype == np.uint8:
        draws: NDArray[Any] = _random_bytes(spikes.shape, rng)
    else:
        draws = rng.random(spikes.shape, dtype=grey.dtype)
    np.less(draws, grey, out=spikes)  # enc-b
    return spikes


def direct(pixels: NDArray[Any], T: int, *, out: Array | None = None) -> Array:
    """Return the grey level itself as the input of every step.

    Args:
        pixels: shape (S, n[0]), floats in [0, 1], or bytes of which 255 is white.
        T: number of steps, >= 1.
        out: array of shape (T, S, n[0]) to write to.

    Raises:
        TypeError, ValueError: if ``pixels`` is no such array, or ``T`` no integer >= 1.

    >>> direct(np.array([[0.25]]), 2).tolist()
    [[[0.25]], [[0.25]]]
    """
    grey = _check(pixels)
    levels = _target(grey, T, out)
    levels[...] = grey  # enc-d
    if grey.dtype == np.uint8:
        levels /= LEVELS - 1
    return levels


def _random_bytes(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return uniform bytes, eight from each 64-bit draw."""
    size = int(np.prod(shape))
    words = rng.integers(0, 2**64, -(-size // 8), dtype=np.uint64)
    return words.view(np.uint8)[:size].reshape(shape)


def _target(grey: NDArray[Any], T: int, out: Array | None) -> Array:
    """Return the array to write to: ``out`` if it fits, or a new one."""
    shape = (checks.count("T", T), *grey.shape)
    dtype = np.dtype(np.float32) if grey.dtype == np.uint8 else grey.dtype
    if out is None:
        return np.empty(shape, dtype)
    return checks.array("out", out, "(T, S, n[0])", shape, finite=False)


def _check(pixels: NDArray[Any]) -> NDArray[Any]:
    """Check that pixels are bytes, or floats in [0, 1]."""
    if isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8:
        if pixels.ndim != 2 or 0 in pixels.shape:
            raise ValueError(
                f"pixels must have shape (S, n[0]), no axis empty, got {pixels.shape}; "
                "give each image as one row: images.reshape(len(images), -1)"
            )
        return pixels
    return checks.array("pixels", pixels, "(S, n[0])", (None, None), unit_interval=True)
