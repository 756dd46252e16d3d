"""Data sets: images with labels, some to learn from and some held out.

The digits come inside the package; see CREDITS.md.
"""

import hashlib
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.checks import Array

SPLIT_SEED = 0  # the same held-out images whatever the seed of the training
DIGITS_INK = 16

HELD_OUT = ("test", "validation")
"""The images to judge on: those held out by the data set, or some of the training images."""


@dataclass(frozen=True)
class Dataset:
    """Images to learn from and images held out.

    Attributes:
        train_images: shape (n, height, width): floats in [0, 1], or bytes of which 255 is white.
        train_labels: shape (n,), integers from 0.
        test_images: held out, shape (m, height, width).
        test_labels: shape (m,).
    """

    train_images: NDArray[Any]
    train_labels: NDArray[Any]
    test_images: NDArray[Any]
    test_labels: NDArray[Any]

    def __post_init__(self) -> None:
        """Check that images and labels belong together."""
        check_labelled(self.train_images, self.train_labels, "train_")
        check_labelled(self.test_images, self.test_labels, "test_")
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ValueError(
                f"test_images must be of the size of train_images {self.train_images.shape[1:]}, "
                f"got {self.test_images.shape[1:]}; scale them"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width of an image."""
        return self.train_images.shape[1:]

    def fingerprint(self) -> str:
        """Return a SHA-256 of all images and labels, their shapes and dtypes."""
        parts = self.train_images, self.train_labels, self.test_images, self.test_labels
        digest = hashlib.sha256()
        for array in parts:
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def classes(self) -> int:
        """Number of classes that the labels name: the width of the output layer."""
        return int(max(self.train_labels.max(), self.test_labels.max())) + 1


def check_labelled(images: Any, labels: Any, part: str = "") -> None:
    """Check that images (n, height, width) are grey, and labels (n,) integers from 0.

    Bytes that are all 0 or 1 are refused: they would be read as nearly black. ``part`` is what
    their names begin with in an error.
    """
    axes = "(n, height, width)"
    checks.grey_levels(f"{part}images", images, axes, (None, None, None))
    if images.dtype == np.uint8 and images.max() == 1:
        raise ValueError(
            f"{part}images must be bytes of which 255 is white, got only 0 and 1; pass "
            "images.astype(np.float32), or 255 * images"
        )
    if type(labels) not in (np.ndarray, np.memmap):  # a masked array has a mask, too
        raise TypeError(
            f"{part}labels must be a NumPy array, got {checks.brief(labels)}; use np.array"
        )
    if labels.shape != (len(images),):
        raise ValueError(
            f"{part}images must have shape {axes} and {part}labels (n,), got {images.shape} and "
            f"{labels.shape}; give one label an image"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"{part}labels must be integers from 0, got {checks.brief(labels)}; number the classes"
        )


def digits() -> tuple[Array, NDArray[np.uint8]]:
    """Return the 1,797 images, shape (1797, 8, 8), grey levels in [0, 1], and their labels.

    >>> images, labels = digits()
    >>> images.shape, float(images.max()), labels[:5].tolist()
    ((1797, 8, 8), 1.0, [0, 1, 2, 3, 4])
    """
    path = resources.files("stbp_edu.training") / "data" / "digits.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        return data["images"].astype(np.float32) / DIGITS_INK, data["labels"]


def load_digits() -> Dataset:
    """Return the digits with a fifth held out, the same fifth each time.

    >>> data = load_digits()
    >>> len(data.train_labels), len(data.test_labels)
    (1438, 359)
    """
    return split(*digits(), np.random.default_rng(SPLIT_SEED))


def split(
    images: NDArray[Any],
    labels: NDArray[Any],
    rng: np.random.Generator,
    *,
    fraction: float = 0.2,
) -> Dataset:
    """Hold out a share of each class; the classes keep their proportions.

    Args:
        images: shape (n, height, width).
        labels: shape (n,), integers from 0.
        rng: decides which images are held out.
        fraction: the share held out, in (0, 1).

    Raises:
        TypeError, ValueError: if the fraction is outside (0, 1), or a part would be empty.
    """
    if not 0 < checks.number("fraction", fraction) < 1:
        raise ValueError(f"fraction must be in (0, 1), got {fraction!r}; 0.2 is usual")
    checks.generator("rng", rng)
    check_labelled(images, labels)
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held[members[: round(fraction * len(members))]] = True
    return Dataset(images[~held], labels[~held], images[held], labels[held])


def validation(data: Dataset, fraction: float = 0.2) -> Dataset:
    """Hold out a share of the *training* part, to choose settings without the test images."""
    checks.instance("data", data, Dataset)
    rng = np.random.default_rng(SPLIT_SEED + 1)
    return split(data.train_images, data.train_labels, rng, fraction=fraction)


def cache_folder() -> Path:
    """Return the folder of this package in the user's cache; raise OSError if there is no home."""
    place = os.environ.get("XDG_CACHE_HOME")
    if place:
        return Path(place, "stbp_edu")
    try:
        return Path.home() / ".cache" / "stbp_edu"
    except RuntimeError as error:
        raise OSError(
            f"the home folder is unknown ({error}): set XDG_CACHE_HOME, or pass --data"
        ) from error
