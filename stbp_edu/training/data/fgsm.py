"""Adversarial images, by the fast gradient sign method (FGSM).

The method (Goodfellow, Shlens and Szegedy, 2015) moves every pixel a little the way that makes the
loss larger, and the network learns from the image that it finds harder. The sign is that of one
draw of spikes, under the surrogate; the network then learns from another draw.

An image whose rates are the target has no error, and stays where it is. A targeted step (Kurakin,
Goodfellow and Bengio, 2017) moves it even so: down the loss whose targets are the other answers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array

FGSM = ("untargeted", "targeted")
"""Which way images are moved: up the loss, or down the loss whose targets are the other answers."""


def perturb(pixels: NDArray[Any], uphill: Array, by: float) -> NDArray[Any]:
    """Move each pixel by ``by`` the way that makes the loss larger: pixels + by · sign(uphill).

    Args:
        pixels: shape (S, n[0]), floats in [0, 1] or bytes of which 255 is white.
        uphill: the derivative of the loss with respect to each pixel; the same shape.
        by: a share of white; for bytes, it is rounded to whole grey levels, at least one.

    Returns:
        The images, clipped to the range from black to white.

    >>> perturb(np.array([[0, 100, 250]], np.uint8), np.array([[-1.0, 0.0, 1.0]]), by=0.06)
    array([[  0, 100, 255]], dtype=uint8)
    """
    white, size = (255, max(1, round(255 * by))) if pixels.dtype == np.uint8 else (1, by)
    return np.clip(pixels + size * np.sign(uphill), 0, white).astype(pixels.dtype)
