"""Data sets: images with labels, some to learn from and some held out.

The digits come inside the package; see CREDITS.md. MNIST and data sets in its form are four IDX
files, read from a folder or fetched once: four bytes of magic, the shape as big-endian integers,
and the bytes. Each is known by the SHA-256 of its unpacked content, wherever it comes from.
"""

import gzip
import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu._support.files import write_whole

SPLIT_SEED = 0  # the same held-out images whatever the seed of the training
DIGITS_INK = 16

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of MNIST, and of each data set in its form."""
GZIP = b"\x1f\x8b"  # the first bytes of a gzip file
PATIENCE = 60  # seconds for an answer from the web

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


@dataclass(frozen=True)
class IdxDataset:
    """A data set in four IDX files.

    Attributes:
        name: its folder in the cache.
        title: its name in prose.
        url: the web folder of the packed files, each named as the unpacked one with ``.gz``.
        sha256: the checksums of the unpacked files, in the order of :data:`NAMES`.
    """

    name: str
    title: str
    url: str
    sha256: Sequence[str]

    def load(self, folder: Path | None) -> Dataset:
        """Return the data set from a folder, or from the cache, after downloading missing files.

        Raises:
            FileNotFoundError: if the folder lacks a file, or the web cannot be reached.
            ValueError: if a file is not the known one.
        """
        return Dataset(*(idx_array(self.read(folder, name)) for name in NAMES))

    def read(self, folder: Path | None, name: str) -> bytes:
        """Return the content of a file in a folder, where it may be packed, or in the cache."""
        place = folder or cache_folder() / self.name
        for there in (name, f"{name}.gz", name.replace("-idx", ".idx")):
            if (place / there).is_file():
                return self.unpacked(name, (place / there).read_bytes(), place / there)
        if folder:
            raise FileNotFoundError(
                f"{folder} must hold {name} or {name}.gz for {self.title}, and does not; "
                f"the four files are {', '.join(NAMES)}"
            )
        url = f"{self.url}/{name}.gz"
        try:
            with urlopen(url, timeout=PATIENCE) as answer:
                content = self.unpacked(name, answer.read(), url)
        except (OSError, HTTPException, ValueError) as error:
            raise FileNotFoundError(
                f"{self.title} is not in {place}, and {url} could not be fetched ({error}). With "
                "a network, try again. Or get the four files elsewhere, and pass their folder "
                "with --data. The digits need no network: stbp-edu train digits"
            ) from error
        write_whole(place / name, lambda file: file.write(content))
        return content

    def unpacked(self, name: str, content: bytes, place: object) -> bytes:
        """Return the content of a file that may be packed, after comparing its SHA-256."""
        try:
            if content.startswith(GZIP):
                content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"{place} must be a whole gzip file, but {error}; fetch it again"
            ) from error
        got, known = hashlib.sha256(content).hexdigest(), self.sha256[NAMES.index(name)]
        if got != known:
            raise ValueError(
                f"{place} must be {self.title}'s {name} with SHA-256 {known}, got {got} "
                f"({len(content)} bytes unpacked); it is damaged or a different file: get it again"
            )
        return content


def idx_array(content: bytes) -> NDArray[np.uint8]:
    """Return the array of an IDX file of bytes whose SHA-256 is known, so it is whole.

    >>> idx_array(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    array([7, 9], dtype=uint8)
    """
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
