"""Encoders: how a grey image becomes T steps of input for a spiking network.

An encoder takes S images and returns an array of shape (T, S, n[0]). For ``bernoulli`` and
``direct``, n[0] is the number of pixels, and all of them are shown at every step. The others show
something else at each step: ``rows`` and ``frames`` one row of the image after the other, so that
its columns are the inputs, and ``saccades`` the events of an image that moves.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.training.data.saccades import MARGIN, check_images, saccades

TIMED = ("rows", "frames", "saccades")
"""The encoders that show something else at each step: they take images, the others pixels."""
ENCODERS = ("bernoulli", "direct", *TIMED)
"""The encoders."""


def inputs(encoder: str, shape: tuple[int, ...]) -> int:
    """Return n[0], the number of inputs that an encoder makes of a (height, width).

    >>> [inputs(encoder, (28, 28)) for encoder in ENCODERS]
    [784, 784, 28, 28, 2312]
    """
    if encoder == "saccades":
        return 2 * math.prod(size + MARGIN for size in shape)
    return shape[1] if encoder in TIMED else math.prod(shape)


def encode(
    encoder: str,
    pixels: NDArray[Any],
    T: int,
    rng: np.random.Generator,
    *,
    hold: int = 1,
    out: Array | None = None,
) -> Array:
    """Encode with the encoder of this name.

    The timed ones take images (S, height, width) and no ``out``; ``rows`` and ``frames`` read
    ``hold``.
    """
    checks.choice("encoder", encoder, ENCODERS)
    if encoder == "rows":
        return rows(pixels, T, rng, hold=hold)
    if encoder == "frames":
        return frames(pixels, T, hold=hold)
    if encoder == "saccades":
        return saccades(pixels, T)
    if encoder == "direct":
        return direct(pixels, T, out=out)
    return bernoulli(pixels, T, rng, out=out)


def shown(
    encoder: str,
    pixels: NDArray[Any],
    T: int,
    rng: np.random.Generator,
    *,
    out: Array | None = None,
) -> Array:
    """Encode pixels (S, n[0]) as :func:`encode` does; grey levels that stay are kept but once.

    ``out`` has one step for ``direct``, whose T steps are the same memory; it is read only.
    """
    if encoder != "direct":
        return encode(encoder, pixels, T, rng, out=out)
    levels = direct(pixels, 1, out=out)
    return np.broadcast_to(levels, (T, *levels.shape[1:]))


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


def rows(images: NDArray[Any], T: int, rng: np.random.Generator, *, hold: int = 1) -> Array:
    """Return spikes of one row after the other, each shown for some steps; after the last, none.

    At step t = 0..T-1 the input is a Bernoulli spike for each pixel of row t // hold, and silence
    once there are no more rows: n[0] is the width of the image, and its height is time.

    Args:
        images: shape (S, height, width), as :func:`bernoulli` takes its pixels.
        T: number of steps, >= hold · height.
        rng: a seeded generator.
        hold: steps for each row, >= 1.

    Raises:
        TypeError, ValueError: if ``images`` is no such array, or there are too few steps.

    >>> rows(np.array([[[1.0, 0.0], [0.0, 1.0]]]), 4, np.random.default_rng(0))[:, 0].tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    shown = _held(images, T, hold)
    steps, S, width = shown.shape
    spikes = bernoulli(shown.reshape(-1, width), 1, rng).reshape(steps, S, width)
    return _then_silence(spikes, T)


def frames(images: NDArray[Any], T: int, *, hold: int = 1) -> Array:
    """Return one row after the other as it is, each for some steps; after the last, nothing.

    At step t = 0..T-1 the input is row t // hold of the image. Binned events are such images: a row
    is the frame of one bin, and its columns are polarity, row and column of the camera.

    Args:
        images: shape (S, height, width), floats in [0, 1] or bytes of which 255 becomes 1.
        T: number of steps, >= hold · height.
        hold: steps for each row, >= 1.

    Raises:
        TypeError, ValueError: if ``images`` is no such array, or there are too few steps.

    >>> frames(np.array([[[0, 255], [255, 0]]], np.uint8), 3)[:, 0].tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    """
    shown = _held(images, T, hold)
    levels = direct(shown.reshape(-1, shown.shape[2]), 1)
    return _then_silence(levels.reshape(shown.shape), T)


def _held(images: NDArray[Any], T: int, hold: int) -> NDArray[Any]:
    """Return the rows of images, each held for some steps, of shape (hold · height, S, width)."""
    check_images(images)
    height = images.shape[1]
    steps = height * checks.count("hold", hold)
    if checks.count("T", T) < steps:
        raise ValueError(
            f"T must be >= hold * height = {hold} * {height} = {steps}, got {T}; give more steps"
        )
    return np.repeat(images.swapaxes(0, 1), hold, axis=0)


def _then_silence(shown: Array, T: int) -> Array:
    """Return what is shown, with zeros up to step T."""
    return np.concatenate([shown, np.zeros((T - len(shown), *shown.shape[1:]), shown.dtype)])


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
