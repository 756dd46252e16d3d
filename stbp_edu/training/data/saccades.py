"""Events from still images, made by moving them: what a camera of events would see of a saccade.

Such a camera reports changes: an event is a place, a moment and a polarity, which is 1 where it
became brighter and 0 where it became darker. N-MNIST was recorded by a camera that looked at MNIST
on a screen and moved in three saccades, along a triangle. Here the image moves, by whole pixels and
without noise: these events are computed from the images, and are no recordings.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array

CORNERS = np.array([(0, 0), (6, 3), (0, 6), (0, 0)])  # rows down, columns to the right
STEPS = 6  # moves of a saccade
PATH = [a + (b - a) * i // STEPS for a, b in pairwise(CORNERS) for i in range(STEPS)] + [
    CORNERS[-1]
]
"""Where the image stands before each move, and after the last."""
MOVES = len(PATH) - 1
MARGIN = int(CORNERS.max())
THRESHOLD = 0.2  # of white: a change of brightness beyond it makes an event


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

    Raises:
        TypeError, ValueError: if ``images`` is no such array, or ``T`` no integer >= 1.

    >>> saccades(np.ones((1, 2, 2)), 9).shape
    (9, 1, 128)
    >>> saccades(np.ones((1, 2, 2)), 18).sum(axis=2)[:4, 0].tolist()  # straight down, or aslant
    [4.0, 6.0, 4.0, 6.0]
    """
    check_images(images)
    of_bytes = images.dtype == np.uint8
    limit = THRESHOLD * 255 if of_bytes else THRESHOLD
    grey = images.astype(np.int16) if of_bytes else images
    S, height, width = images.shape
    shape = (checks.count("T", T), S, 2, height + MARGIN, width + MARGIN)
    spikes = np.zeros(shape, np.float32 if of_bytes else images.dtype)
    for k in range(MOVES):
        change = _placed(grey, PATH[k + 1]) - _placed(grey, PATH[k])
        step = spikes[k * T // MOVES]
        step[:, 1][change > limit] = 1
        step[:, 0][change < -limit] = 1
    return spikes.reshape(T, S, -1)


def check_images(images: NDArray[Any]) -> None:
    """Check that images are of shape (S, height, width): floats in [0, 1], or bytes."""
    if not isinstance(images, np.ndarray) or images.ndim != 3 or 0 in images.shape:
        raise ValueError(
            f"images must have shape (S, height, width), no axis empty, got {np.shape(images)}; "
            "this encoder shows an image part by part, so leave its rows as they are"
        )
    if images.dtype != np.uint8:
        checks.array("images", images, "(S, height, width)", images.shape, unit_interval=True)


def _placed(images: NDArray[Any], place: NDArray[np.intp]) -> NDArray[Any]:
    """Return the images at a place on a larger black ground."""
    S, height, width = images.shape
    ground = np.zeros((S, height + MARGIN, width + MARGIN), images.dtype)
    row, column = place
    ground[:, row : row + height, column : column + width] = images
    return ground
