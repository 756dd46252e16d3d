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
    checks.generator("rng", rng)
    spikes = _target(pixels, T, out)
    if pixels.dtype == np.uint8:  # eight bytes from each 64-bit number
        words = rng.integers(0, 2**64, -(-spikes.size // 8), dtype=np.uint64)
        drawn: NDArray[Any] = words.view(np.uint8)[: spikes.size].reshape(spikes.shape)
    else:
        drawn = rng.random(spikes.shape, dtype=pixels.dtype)
    np.less(drawn, pixels, out=spikes)  # enc-b
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
    levels = _target(pixels, T, out)
    levels[...] = pixels  # enc-d
    if pixels.dtype == np.uint8:
        levels /= 255
    return levels


def _target(pixels: NDArray[Any], T: int, out: Array | None) -> Array:
    """Return the array to write to, ``out`` or a new one, for pixels that are as they must be."""
    if not (isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8):
        checks.array("pixels", pixels, "(S, n[0])", (None, None), unit_interval=True)
    elif pixels.ndim != 2 or 0 in pixels.shape:
        raise ValueError(
            f"pixels must have shape (S, n[0]), no axis empty, got {pixels.shape}; "
            "give each image as one row: images.reshape(len(images), -1)"
        )
    shape = (checks.count("T", T), *pixels.shape)
    if out is None:
        return np.empty(shape, np.float32 if pixels.dtype == np.uint8 else pixels.dtype)
    return checks.array("out", out, "(T, S, n[0])", shape, finite=False)
