"""The data sets by name: to add one, add an entry here.

The command line, :func:`load_dataset` and its errors find it there. An entry needs a function that
takes the path that the user gave, or None, and returns a :class:`Dataset`, such as this one, for a
file with arrays of its own names::

    def load_own(path: Path | None) -> Dataset:
        with np.load(path or cache_folder() / "own.npz") as file:
            images, labels = file["pixels"], file["classes"]
        return split(images, labels, np.random.default_rng(SPLIT_SEED))

It takes ``cache_folder``, ``split`` and ``SPLIT_SEED`` from
:mod:`stbp_edu.training.data.datasets`. A CSV file, or an npz file with ``images`` and ``labels``,
needs no entry: see :mod:`stbp_edu.training.data.tables`.

The examples of a task of time are drawn, not read: cues one after the other, as rows of an image.
How long a cue lasts (``hold``), and the silence before the answer, are settings of the run:
T - hold · rows steps are left after the last cue, and the loss reads the last of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu._support.files import as_path
from stbp_edu.training.data import datasets
from stbp_edu.training.data.datasets import Dataset, IdxDataset
from stbp_edu.training.data.tables import load_csv, load_npz
from stbp_edu.training.settings import Settings

GROUP = 10  # input neurons for each value of each cue
MADE = (6400, 2000)  # examples to learn from and held out
RATE = 0.7  # of the group that a cue shows: the probability of a spike at each step


@dataclass(frozen=True)
class CatalogueEntry:
    """A data set of the catalogue.

    Attributes:
        words: its description in the help.
        load: returns it, read from a folder or a file, or from the cache if that is None.
        recipe: the settings to begin with.
        has_files: whether it is read from files that a user may have.
        held_out: the share of the training images that a validation set takes.
    """

    words: str
    load: Callable[[Path | None], Dataset]
    recipe: Settings
    has_files: bool = True
    held_out: float = 0.2


def delayed_xor(n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.intp]]:
    """Return n examples of two binary cues, A and then B, and the answers: A xor B.

    A cue is a row of an image (n, 2, 40), which lights up one of four groups of inputs: the first
    two are A's, for 0 and 1, and the others B's.

    >>> images, labels = delayed_xor(5, np.random.default_rng(0))
    >>> images.shape, labels.tolist()
    ((5, 2, 40), [0, 1, 0, 0, 1])
    """
    bits = checks.generator("rng", rng).integers(
        0, 2, (checks.count("n", n), 2), dtype=np.intp
    )
    images = np.zeros((n, 2, 4, GROUP), np.float32)
    for row in range(2):
        images[np.arange(n), row, 2 * row + bits[:, row]] = RATE
    return images.reshape(n, 2, -1), bits[:, 0] ^ bits[:, 1]


def _delayed_xor(_: Path | None) -> Dataset:
    """Return what is drawn to learn from, and held out; the same each time."""
    rng = np.random.default_rng(datasets.SPLIT_SEED)
    train, held_out = (delayed_xor(n, rng) for n in MADE)
    return Dataset(*train, *held_out)


MNIST = IdxDataset(
    "mnist",
    "MNIST",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
FASHION = IdxDataset(
    "fashion",
    "Fashion-MNIST",
    "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
    (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)

# Recipes are chosen on validation images, which are taken from the training images; never on the
# test images. Fashion-MNIST has MNIST's: nothing was tuned for it. The
# convolutional network's were chosen with 4,000 images and three epochs. What a recipe leaves out,
# such as MNIST's learning rate, is the default of Settings.
# T: a step with 5 costs half of one with 10, and its noise is good to learn with; to answer, the
# rates of 20 steps are steadier. init_scale: larger weights leave an output neuron silent for good,
# in some seeds.
_MNIST = Settings(hidden=(800,), T=5, T_test=20, init_scale=0.3, shift=1, epochs=100)
# Two cues of three steps, one after the other; 20 steps of silence; then three that are read.
_DELAYED_XOR = Settings(
    hidden=(64,), T=29, tau=0.95, v_th=1.0, gate="linear", surrogate="gaussian", a=0.5,
    encoder="rows", hold=3, loss="last-steps", read=3, lr=5e-3, schedule="constant", averaging=0.0,
    batch=64, epochs=6,
)  # fmt: skip
# Grey levels as they are: the first convolution is computed once, and not at every step.
_CONV = Settings(
    hidden=("15C5", "P2", "40C5", "P2", 300), T=4, tau=0.5, v_th=1.0, a=0.5, encoder="direct",
    lr=2e-3, averaging=0.99, shift=2, batch=50, epochs=30,
)  # fmt: skip

_DIGITS = Settings(hidden=(256,), T=30, init_scale=0.3, lr=4e-3, batch=32, epochs=45)
_BY_ROWS = replace(
    _DELAYED_XOR, hidden=(128,), T=20, tau=0.9, hold=2, read=4, batch=32, epochs=40
)

CATALOGUE = {
    "digits": CatalogueEntry(
        "8x8 digits, inside the package",
        lambda _: datasets.load_digits(),
        _DIGITS,
        has_files=False,
    ),
    "digits-by-rows": CatalogueEntry(
        "the same, row by row",
        lambda _: datasets.load_digits(),
        _BY_ROWS,
        has_files=False,
    ),
    "csv": CatalogueEntry("your own, in a CSV file (--csv FILE)", load_csv, _DIGITS),
    "npz": CatalogueEntry("your own, as arrays (--npz FILE)", load_npz, _DIGITS),
    "mnist": CatalogueEntry("28x28 digits", MNIST.load, _MNIST, held_out=1 / 6),
    "mnist-conv": CatalogueEntry(
        "MNIST with convolutions", MNIST.load, _CONV, held_out=1 / 6
    ),
    "fashion": CatalogueEntry("28x28 clothes", FASHION.load, _MNIST, held_out=1 / 6),
    "delayed-xor": CatalogueEntry(
        "xor of two cues", _delayed_xor, _DELAYED_XOR, has_files=False
    ),
}
"""The data sets, and tasks of time, by the name that the command line gives them."""

RECIPES = {name: entry.recipe for name, entry in CATALOGUE.items()}
"""The settings to begin with, for each data set."""


def load_dataset(
    name: str, path: str | Path | None = None, held_out: str = "test"
) -> Dataset:
    """Return a data set of the :data:`CATALOGUE`.

    Args:
        name: which one.
        path: the folder or file to read it from; MNIST's four files may be packed. None reads the
            cache, into which missing files are downloaded. Digits and tasks need none.
        held_out: ``"validation"`` for a :func:`validation` set of the training images: a sixth of
            MNIST's, and a fifth of the others.

    Raises:
        ValueError: if a file is damaged or not the known one, or the name is unknown.
        FileNotFoundError: if a file is missing, or cannot be downloaded.
    """
    entry = CATALOGUE[checks.choice("dataset", name, CATALOGUE)]
    checks.choice("held_out", held_out, datasets.HELD_OUT)
    if path is not None and not entry.has_files:
        raise ValueError(
            f"data must not be given for {name}, which the package has or makes, got "
            f"{str(path)!r}; leave it out"
        )
    data = entry.load(None if path is None else as_path("path", path))
    if held_out == "validation":
        return datasets.validation(data, entry.held_out)
    return data
