"""Data sets of your own: a CSV file, or arrays in an npz file."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.files import as_path, read_arrays, read_text
from stbp_edu.training.data.datasets import SPLIT_SEED, Dataset, split

PARTS = ("train_images", "train_labels", "test_images", "test_labels")
"""The arrays of an npz file with a part held out; with ``images`` and ``labels``, a fifth is."""


def load_csv(file: str | Path | None) -> Dataset:
    """Return the data set of a CSV file: each line has a label, and then the values of an example.

    Labels number the classes: 0, 1, 2, ..., without a gap. Values are at least 0, and are divided
    by the largest one where it is over 1. A first line that begins with no number has the names of
    the columns, and is skipped. A fifth of each class is held out.

    Raises:
        ValueError: if no file is given, or a line is not of this form; the error names the line.
    """
    file = _given(file, "csv")
    needed = "a label, the number 0, 1, ... of its class, and then values from 0"
    with _form(file, f"in each line {needed}, separated by commas"):
        examples: list[list[float]] = []
        for number, line in enumerate(read_text(file).splitlines(), 1):
            words = line.split(",")
            if number == 1 and not math.isfinite(_number(words[0].strip('" '))):
                continue  # the names of the columns, which may be numbers but for the first
            if not line.strip():
                continue
            label, *values = map(_number, words)
            if examples and len(words) != len(examples[0]):
                raise ValueError(
                    f"line {number} has {len(words)} columns, the first {len(examples[0])}"
                )
            known = values and all(0 <= value < math.inf for value in values)
            if not (known and label.is_integer()):
                raise ValueError(f"line {number} is {checks.brief(line)}")
            examples.append([label, *values])
        if not examples:
            raise ValueError("it has no lines of numbers")
        table = np.array(examples)
        scaled = table[:, 1:] / max(1, table[:, 1:].max())
        return _split(scaled.astype(np.float32), table[:, 0].astype(np.intp))


def _number(word: str) -> float:
    """Return the number that a word is; NaN where it is none."""
    try:
        return float(word)
    except ValueError:
        return math.nan


@contextmanager
def _form(file: Path, needed: str) -> Iterator[None]:
    """Turn what the block finds wrong in a file into an error that says what it must have."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file} must have {needed}, but {error}") from error


def load_npz(file: str | Path | None) -> Dataset:
    """Return the data set of an npz file with arrays ``images`` and ``labels``, or :data:`PARTS`.

    Images have the shape (n, height, width) or (n, values), and are bytes of which 255 is white, or
    floats in [0, 1]; labels (n,) number the classes: 0, 1, 2, ..., without a gap. Without a test
    part, a fifth of each class is held out.

    Raises:
        ValueError: if no file is given, or its arrays are not of this form.
    """
    file = _given(file, "npz")
    arrays = read_arrays(file)
    with _form(file, f"the arrays images and labels, or {', '.join(PARTS)}"):
        if set(arrays) == {"images", "labels"}:
            return _split(arrays["images"], arrays["labels"])
        if set(arrays) != set(PARTS):
            raise ValueError(f"it has {', '.join(sorted(arrays))}")
        train, train_labels, test, test_labels = (arrays[name] for name in PARTS)
        _check_classes(train_labels, test_labels)
        return Dataset(_as_images(train), train_labels, _as_images(test), test_labels)


def _given(file: str | Path | None, kind: str) -> Path:
    """Return the file of the user's data, which has to be named."""
    if file is None:
        raise ValueError(
            f"data must be given for {kind}: the {kind} file, with --{kind} FILE or --data FILE"
        )
    return as_path("file", file)


def _as_images(values: NDArray[Any]) -> NDArray[Any]:
    """Return examples (n, values) as images of one row; images as they are."""
    return values[:, None, :] if values.ndim == 2 else values


def _split(values: NDArray[Any], labels: NDArray[Any]) -> Dataset:
    """Return a data set in which a fifth of each class is held out, the same fifth each time."""
    _check_classes(labels)
    return split(_as_images(values), labels, np.random.default_rng(SPLIT_SEED))


def _check_classes(*labels: NDArray[Any]) -> None:
    """Raise ValueError if labels are not 0, 1, 2, ..., each of them in use."""
    every = np.concatenate([part.ravel() for part in labels])
    known = np.unique(every)
    if 2 * len(known) > len(every):
        raise ValueError(
            f"it has {len(known)} labels among {len(every)} examples; is a number of another kind "
            "in its place?"
        )
    if known.tolist() != [*range(len(known))]:
        raise ValueError(
            f"it has the labels {checks.brief(known.tolist())}; number the classes 0, 1, 2, ..., "
            "without a gap, as np.unique(labels, return_inverse=True)[1] does"
        )
