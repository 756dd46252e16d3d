"""Adversarial training: images nudged against the network, so that it learns more than by heart.

The error that flows down to the input says, for each pixel, whether more of it makes the loss
larger. The fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015) moves every pixel a
little that way, and the network learns from the image it finds harder.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array


def against(
    pixels: NDArray[Any], uphill: Array, most: float, rng: np.random.Generator
) -> NDArray[Any]:
    """Return p + r sign(dL/dp), clipped to the range of grey levels.

    The size r is drawn for each image, uniform between 0 and ``most``, so that it also meets
    images that are nearly as they were.

    Args:
        pixels: shape (S, n[0]), floats in [0, 1] or bytes of which 255 is white.
        uphill: dL/dp, or anything with its sign; the same shape.
        most: the largest r, as a share of white.
        rng: draws the sizes.

    >>> rng = np.random.default_rng(0)
    >>> against(np.array([[0, 100, 200]], np.uint8), np.array([[1.0, 0.0, -1.0]]), 0.1, rng)
    array([[ 16, 100, 184]], dtype=uint8)
    """
    size = most * rng.random((len(pixels), 1))
    white = 1
    if pixels.dtype == np.uint8:
        white = 255
        size = np.floor(white * size)  # in whole grey levels
    return np.clip(pixels + size * np.sign(uphill), 0, white).astype(pixels.dtype)
