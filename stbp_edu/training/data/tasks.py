"""Tasks of time, made and not fetched: cues that come one after the other, as rows of an image.

The encoder ``rows`` shows row r at the r-th moment; its columns are input neurons. How long a cue
lasts (``hold``), and the silence before the answer, are settings of the run: T - hold · rows steps
are left after the last cue, and the loss reads the last of them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.training.data.datasets import SPLIT_SEED, Dataset

GROUP = 10  # input neurons for each value of each cue
MADE = (6400, 2000)  # examples to learn from and held out
RATE = 0.7  # of the group that a cue shows: the probability of a spike at each step

Task = Callable[[int, np.random.Generator], tuple[Array, NDArray[np.intp]]]
"""A number of examples and a generator to images (n, rows, columns) and labels (n,)."""


def delayed_xor(n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.intp]]:
    """Return two binary cues, A and then B, each on neurons of its own; the answer is A xor B.

    >>> images, labels = delayed_xor(5, np.random.default_rng(0))
    >>> images.shape, labels.tolist()
    ((5, 2, 40), [0, 1, 0, 0, 1])
    """
    bits = _bits(n, 2, rng)
    return _shown([[2 * k + bits[:, k]] for k in range(2)], groups=4), bits[:, 0] ^ bits[:, 1]


def binary_adding(
    n: int, rng: np.random.Generator, digits: int = 3
) -> tuple[Array, NDArray[np.intp]]:
    """Return two binary numbers, digit by digit from the lowest; the answer is a digit of the sum.

    It is the digit of the highest place, a xor b xor carry; the carry depends on all cues before.

    >>> images, labels = binary_adding(4, np.random.default_rng(0))
    >>> images.shape, labels.tolist()
    ((4, 3, 40), [1, 1, 0, 0])
    """
    checks.count("digits", digits)
    a, b = _bits(n, digits, rng), _bits(n, digits, rng)
    places = 2 ** np.arange(digits)
    images = _shown([[a[:, k], 2 + b[:, k]] for k in range(digits)], groups=4)
    return images, ((a + b) @ places >> (digits - 1)) & 1


def make_examples(task: Task) -> Dataset:
    """Return examples of a task, the same each time.

    >>> data = make_examples(delayed_xor)
    >>> data.train_images.shape, data.test_images.shape
    ((6400, 2, 40), (2000, 2, 40))
    """
    rng = np.random.default_rng(SPLIT_SEED)
    train, held_out = (task(n, rng) for n in MADE)
    return Dataset(*train, *held_out)


def _bits(n: int, k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return n rows of k random bits."""
    return checks.generator("rng", rng).integers(0, 2, (checks.count("n", n), k), dtype=np.intp)


def _shown(cues: list[list[NDArray[np.intp]]], groups: int) -> Array:
    """Return images whose row r lights up, in each image, the groups that cue r names."""
    images = np.zeros((len(cues[0][0]), len(cues), groups, GROUP), np.float32)
    for row, shown in enumerate(cues):
        for group in shown:
            images[np.arange(len(images)), row, group] = RATE
    return images.reshape(len(images), len(cues), -1)
