"""Encoders: how a grey image becomes T steps of input for a spiking network.

An encoder takes S images and returns an array of shape (T, S, n[0]). With ``bernoulli`` and
``direct``, n[0] is the number of pixels, and the whole image is shown at every step. ``rows`` shows
one row of the image after the other, so its columns are the inputs.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.checks import Array

ENCODERS = ("bernoulli", "direct", "rows")
MOST_STEPS = 100_000


def inputs(encoder: str, shape: tuple[int, ...]) -> int:
    """Return n[0], the number of inputs that an encoder makes of a (height, width).

    >>> [inputs(encoder, (28, 28)) for encoder in ENCODERS]
    [784, 784, 28]
    """
    return shape[1] if encoder == "rows" else math.prod(shape)


def encode(
    encoder: str,
    pixels: NDArray[Any],
    T: int,
    rng: np.random.Generator,
    *,
    hold: int = 1,
) -> Array:
    """Return the input that the encoder of this name makes, of shape (T, S, n[0]).

    ``bernoulli`` and ``direct`` take pixels (S, n[0]), ``rows`` images (S, height, width).
    """
    checks.choice("encoder", encoder, ENCODERS)
    if encoder == "rows":
        return rows(pixels, T, rng, hold=hold)
    return direct(pixels, T) if encoder == "direct" else bernoulli(pixels, T, rng)


def bernoulli(pixels: NDArray[Any], T: int, rng: np.random.Generator) -> Array:
    """Return spikes drawn at every step, each with the grey level as its probability.

    Args:
        pixels: shape (S, n[0]). Floats in [0, 1] are probabilities and keep their dtype. Bytes
            (uint8, 255 is white) take a path four times as fast: a pixel p spikes where a random
            byte is below p, so with probability p/256. Their spikes are float32.
        T: number of steps, >= 1.
        rng: a seeded generator.

    Raises:
        TypeError, ValueError: if ``pixels`` is not such an array, or ``T`` no integer >= 1.

    >>> bernoulli(np.array([[0.0, 1.0]]), 3, np.random.default_rng(0)).tolist()
    [[[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 1.0]]]
    """
    checks.generator("rng", rng)
    spikes = _empty(pixels, T)
    if pixels.dtype == np.uint8:  # eight bytes from each 64-bit number
        words = rng.integers(0, 2**64, -(-spikes.size // 8), dtype=np.uint64)
        drawn: NDArray[Any] = words.view(np.uint8)[: spikes.size].reshape(spikes.shape)
    else:
        drawn = rng.random(spikes.shape, dtype=pixels.dtype)
    np.less(drawn, pixels, out=spikes)  # enc-b
    return spikes


def direct(pixels: NDArray[Any], T: int) -> Array:
    """Return the grey level itself, in [0, 1], at every step; arguments as of :func:`bernoulli`.

    >>> direct(np.array([[0.25]]), 2).tolist()
    [[[0.25]], [[0.25]]]
    """
    levels = _empty(pixels, T)
    levels[...] = pixels  # enc-d
    if pixels.dtype == np.uint8:
        levels /= 255
    return levels


def rows(
    images: NDArray[Any], T: int, rng: np.random.Generator, *, hold: int = 1
) -> Array:
    """Return Bernoulli spikes of one row of the image after the other, then silence.

    The spikes of step t = 0..T-1 are those of row t // hold: n[0] is the width of the image, and
    its height is time.

    Args:
        images: shape (S, height, width), as :func:`bernoulli` takes its pixels.
        T: number of steps, >= hold · height.
        rng: a seeded generator.
        hold: steps for each row, >= 1.

    Raises:
        TypeError, ValueError: if ``images`` is not such an array, or there are too few steps.

    >>> rows(np.array([[[1.0, 0.0], [0.0, 1.0]]]), 4, np.random.default_rng(0))[:, 0].tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    checks.grey_levels("images", images, "(S, height, width)", (None,) * 3)
    S, height, width = images.shape
    steps = height * checks.count("hold", hold)
    if checks.count("T", T, at_most=MOST_STEPS) < steps:
        raise ValueError(
            f"T must be >= hold * height = {hold} * {height} = {steps}, got {T}; give more steps"
        )
    held = np.repeat(images.swapaxes(0, 1), hold, axis=0)
    shown = bernoulli(held.reshape(-1, width), 1, rng).reshape(steps, S, width)
    return np.concatenate([shown, np.zeros((T - steps, S, width), shown.dtype)])


def _empty(pixels: NDArray[Any], T: int) -> Array:
    """Return the array to write to, after checking the pixels."""
    checks.grey_levels("pixels", pixels, "(S, n[0])", (None, None))
    shape = (checks.count("T", T, at_most=MOST_STEPS), *pixels.shape)
    return np.empty(shape, np.float32 if pixels.dtype == np.uint8 else pixels.dtype)
