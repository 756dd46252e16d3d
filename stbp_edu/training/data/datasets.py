"""Data sets to train on: from the package, from a folder, or from the cache that downloads fill.

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

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.training.data.recordings import RECORDINGS, load_recording
from stbp_edu.training.data.sources import SOURCES, Source, Tell, parse
from stbp_edu.training.data.tasks import TASKS

SPLIT_SEED = 0  # the same held-out images whatever the seed of the training
DIGITS_INK = 16
# The same images, for another encoder or network.
SAME_AS = {"digits-by-rows": "digits", "mnist-saccades": "mnist", "mnist-conv": "mnist"}
MADE = (6400, 2000)  # examples of a task of time, to learn from and held out


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
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.ndim != 3 or labels.shape != (len(images),) or 0 in images.shape:
                raise ValueError(
                    f"{part}_images must have shape (n, height, width), n >= 1, and {part}_labels "
                    f"(n,), got {images.shape} and {labels.shape}; give one label an image"
                )
            if labels.dtype.kind not in "iu" or labels.min() < 0:
                raise ValueError(
                    f"{part}_labels must be integers from 0, got {labels.dtype} from "
                    f"{labels.min()}; number the classes"
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
        for a in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(f"{a.shape}{a.dtype.str}".encode())
            digest.update(np.ascontiguousarray(a).data)
        return digest.hexdigest()

    @property
    def classes(self) -> int:
        """Number of classes that the labels name: the width of the output layer."""
        return int(max(self.train_labels.max(), self.test_labels.max())) + 1


def load_dataset(
    name: str, folder: Path | None = None, tell: Tell = lambda _: None, held_out: str = "test"
) -> Dataset:
    """Return a data set: ``"digits"``, ``"mnist"``, ``"fashion"``, events, or a task of time.

    The tasks are those of :data:`stbp_edu.training.data.tasks.TASKS`, and ``"digits-by-rows"``,
    which are the digits, for the encoder ``rows``. Recorded events are ``"nmnist"``, ``"shd"`` and
    ``"dvs-gesture"``, for ``frames``; ``"mnist-saccades"`` is MNIST, for ``saccades``.

    Args:
        name: which one.
        folder: where its files are, the four of MNIST packed or not; digits and tasks need none.
        tell: is called with a sentence whenever something is fetched.
        held_out: ``"validation"`` for a :func:`validation` set of the training images: a sixth of
            MNIST's, which are then as many as the test images, and a fifth of the others.

    Raises:
        ValueError: if a file is damaged or another, or the name is unknown.
        FileNotFoundError: if the folder lacks a file, or no source can be reached.
        ImportError: if events need a package that is not installed.
    """
    checks.choice("dataset", name, ("digits", *SAME_AS, *TASKS, *RECORDINGS, *SOURCES))
    name = SAME_AS.get(name, name)
    if name in RECORDINGS:
        data = Dataset(*load_recording(name, folder, cache_folder(), tell))
    elif name in SOURCES:
        source = SOURCES[name]
        if folder is not None:
            files = {file.name: file.read(folder) for file in source.files}
        else:
            files = read_or_fetch(source, cache_folder() / name, tell)
        data = Dataset(*(parse(files[file.name], file.name) for file in source.files))
    elif folder is None:
        data = make_task(name) if name in TASKS else load_digits()
    else:
        raise ValueError(
            f"data must not be given for {name}, which the package brings or makes, got "
            f"{str(folder)!r}; leave it out"
        )
    if held_out == "validation":
        return validation(data, 1 / 6) if name in SOURCES else validation(data)
    return data


def read_or_fetch(source: Source, cache: Path, tell: Tell) -> dict[str, bytes]:
    """Return the unpacked files by name, from the cache, a system package or the network."""
    files: dict[str, bytes] = {}
    problems = []
    for folder in (cache, *map(Path, source.folders)):
        for file in (f for f in source.files if f.name not in files):
            try:
                files[file.name] = file.read(folder)
            except FileNotFoundError:
                pass  # the next folder may have it
            except (ValueError, OSError) as error:
                problems.append(str(error))
    if len(files) < len(source.files):
        from stbp_edu.training.data.download import download  # which needs pooch

        download(source, cache, tell, files, problems)
    return files


def cache_folder() -> Path:
    """Return the folder of this package in the user's cache; raise OSError if there is no home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stbp_edu"
    except RuntimeError as error:
        raise OSError(
            f"the home folder cannot be told ({error}): set XDG_CACHE_HOME, or pass --data"
        ) from error


def digits() -> tuple[Array, NDArray[np.uint8]]:
    """Return the 1,797 images, shape (1797, 8, 8), grey levels in [0, 1], and their labels.

    >>> images, labels = digits()
    >>> images.shape, float(images.max()), labels[:5].tolist()
    ((1797, 8, 8), 1.0, [0, 1, 2, 3, 4])
    """
    path = resources.files("stbp_edu.training") / "data" / "digits.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        return data["images"].astype(np.float32) / DIGITS_INK, data["labels"]


def split(
    images: NDArray[Any], labels: NDArray[Any], rng: np.random.Generator, *, fraction: float = 0.2
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
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held[members[: round(fraction * len(members))]] = True
    return Dataset(images[~held], labels[~held], images[held], labels[held])


def load_digits() -> Dataset:
    """Return the digits with a fifth held out, the same fifth each time.

    >>> data = load_digits()
    >>> len(data.train_labels), len(data.test_labels)
    (1438, 359)
    """
    return split(*digits(), np.random.default_rng(SPLIT_SEED))


def make_task(name: str) -> Dataset:
    """Return a task of time, the same examples each time.

    >>> data = make_task("delayed-xor")
    >>> data.train_images.shape, data.test_images.shape
    ((6400, 2, 40), (2000, 2, 40))
    """
    rng = np.random.default_rng(SPLIT_SEED)
    train, held_out = (TASKS[checks.choice("task", name, TASKS)](n, rng) for n in MADE)
    return Dataset(*train, *held_out)


def validation(data: Dataset, fraction: float = 0.2) -> Dataset:
    """Hold out a share of the *training* part, to choose settings without the test images."""
    rng = np.random.default_rng(SPLIT_SEED + 1)
    return split(data.train_images, data.train_labels, rng, fraction=fraction)
