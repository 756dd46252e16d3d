"""Encoders: how a grey image becomes T steps of input for a spiking network.

An encoder takes S images and returns an array of shape (T, S, n[0]). With ``bernoulli`` and
``direct``, n[0] is the number of pixels, and the whole image is shown at every step. The others
depend on the step: ``rows`` shows one row of the image after the other, so its columns are the
inputs, and ``saccades`` the events of an image that moves: they are computed, as if a camera had
recorded it, by whole pixels and without noise.
"""

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.checks import Array

TIMED = ("rows", "saccades")
"""The encoders whose input depends on the step: they take images."""

ENCODERS = ("bernoulli", "direct", *TIMED)
CORNERS = np.array([(0, 0), (6, 3), (0, 6), (0, 0)])  # rows down, columns to the right
PATH = [
    *(a + (b - a) * i // 6 for a, b in pairwise(CORNERS) for i in range(6)),
    CORNERS[-1],
]
"""Where the image is before each of the 18 moves, and after the last."""

FLAT = "give each image as one row: images.reshape(len(images), -1)"
WHOLE = "this encoder shows an image part by part, so leave its rows as they are"
MOST_STEPS = 100_000
MARGIN = int(CORNERS.max())
THRESHOLD = 0.2  # of white: a change of brightness beyond it makes an event


def inputs(encoder: str, shape: tuple[int, ...]) -> int:
    """Return n[0], the number of inputs that an encoder makes of a (height, width).

    >>> [inputs(encoder, (28, 28)) for encoder in ENCODERS]
    [784, 784, 28, 2312]
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
) -> Array:
    """Return the input that the encoder of this name makes, of shape (T, S, n[0]).

    ``bernoulli`` and ``direct`` take pixels (S, n[0]), the others images (S, height, width).
    """
    by_name = {
        "bernoulli": lambda: bernoulli(pixels, T, rng),
        "direct": lambda: direct(pixels, T),
        "rows": lambda: rows(pixels, T, rng, hold=hold),
        "saccades": lambda: saccades(pixels, T),
    }
    return by_name[checks.choice("encoder", encoder, ENCODERS)]()


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
    _check("images", images, "(S, height, width)", WHOLE)
    S, height, width = images.shape
    steps = height * checks.count("hold", hold)
    if checks.count("T", T, at_most=MOST_STEPS) < steps:
        raise ValueError(
            f"T must be >= hold * height = {hold} * {height} = {steps}, got {T}; give more steps"
        )
    held = np.repeat(images.swapaxes(0, 1), hold, axis=0)
    shown = bernoulli(held.reshape(-1, width), 1, rng).reshape(steps, S, width)
    return np.concatenate([shown, np.zeros((T - steps, S, width), shown.dtype)])


def saccades(images: NDArray[Any], T: int) -> Array:
    """Return the events of three saccades over each image, in T steps.

    B_k is the image at place k of the path, on a black ground. Move k = 0..17 makes an event of
    polarity 1 wherever B_{k+1} - B_k > 0.2 of white, and of polarity 0 wherever it is < -0.2. Step
    t holds the moves with ⌊k T / 18⌋ = t; an input is 1 if it has an event in that step, else 0.

    Args:
        images: shape (S, height, width): floats in [0, 1], or bytes of which 255 is white.
        T: number of steps, >= 1. With more than 18, some hold no move.

    Returns:
        Shape (T, S, 2 · (height + 6) · (width + 6)): polarity, row, column. MNIST makes 2312.

    >>> saccades(np.ones((1, 2, 2)), 9).shape
    (9, 1, 128)
    >>> saccades(np.ones((1, 2, 2)), 18).sum(axis=2)[:4, 0].tolist()  # straight down, or aslant
    [4.0, 6.0, 4.0, 6.0]
    """
    _check("images", images, "(S, height, width)", WHOLE)
    of_bytes = images.dtype == np.uint8
    limit = THRESHOLD * 255 if of_bytes else THRESHOLD
    grey = images.astype(np.int16) if of_bytes else images
    S, height, width = images.shape
    shape = (
        checks.count("T", T, at_most=MOST_STEPS),
        S,
        2,
        height + MARGIN,
        width + MARGIN,
    )
    spikes = np.zeros(shape, np.float32 if of_bytes else images.dtype)
    seen = (np.pad(grey, ((0, 0), (y, MARGIN - y), (x, MARGIN - x))) for y, x in PATH)
    for k, (before, after) in enumerate(pairwise(seen)):
        change, step = after - before, spikes[k * T // 18]
        step[:, 1][change > limit] = 1
        step[:, 0][change < -limit] = 1
    return spikes.reshape(T, S, -1)


def _check(name: str, given: NDArray[Any], axes: str, mend: str) -> None:
    """Check that an array holds grey levels, and has these axes, none of them empty."""
    rank = axes.count(",") + 1
    if isinstance(given, np.ndarray) and (given.ndim != rank or not given.size):
        raise ValueError(
            f"{name} must have shape {axes}, no axis empty, got {given.shape}; {mend}"
        )
    checks.array(name, given, axes, (None,) * rank, grey=True)


def _empty(pixels: NDArray[Any], T: int) -> Array:
    """Return the array to write to, after checking the pixels."""
    _check("pixels", pixels, "(S, n[0])", FLAT)
    shape = (checks.count("T", T, at_most=MOST_STEPS), *pixels.shape)
    return np.empty(shape, np.float32 if pixels.dtype == np.uint8 else pixels.dtype)
