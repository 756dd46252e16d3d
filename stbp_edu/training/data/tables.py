"""Data sets of your own: a CSV file, or arrays in an npz file."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu._support.files import as_path, read_arrays, read_text
from stbp_edu.training.data.datasets import SPLIT_SEED, Dataset, split

PARTS = ("train_images", "train_labels", "test_images", "test_labels")
"""The arrays of an npz file with a part held out; with ``images`` and ``labels``, a fifth is."""


def load_csv(file: str | Path | None) -> Dataset:
    """Return the data set of a CSV file: each line has a label, and then the values of an example.

    Labels are integers; the outputs stand for them in their order. Values are at least 0, and are
    divided by the largest one where it is over 1. A first line of column names is skipped. A fifth
    of each class is held out.

    Raises:
        ValueError: if no file is given, or a line is not of this form; the error names the line.
    """
    file = _given(file, "csv")
    lines = {
        number: line
        for number, line in enumerate(read_text(file).splitlines(), 1)
        if line.strip()
    }
    if lines and not _is_numbers(lines[first := min(lines)]):
        del lines[first]  # the names of the columns
    try:
        labels, values = _read_lines(lines)
        known, classes = np.unique(labels, return_inverse=True)
        if 2 * len(known) > len(labels):
            raise ValueError(
                f"it has {len(known)} labels among {len(labels)} examples; is a number of another "
                "kind in its place?"
            )
        data = _split(scaled(values), classes)
    except ValueError as error:
        raise ValueError(
            f"{file} must have in each line a label, 0, 1, ..., and then values from 0, with "
            f"commas between, but {error}"
        ) from error
    if known[0] != 0 or known[-1] != len(known) - 1:
        logging.getLogger("stbp_edu").info(
            "%s has %d labels, %s: outputs 0 to %d stand for them, in this order",
            *(file, len(known), ", ".join(map(str, known)), len(known) - 1),
        )
    return data


def _read_lines(lines: dict[int, str]) -> tuple[NDArray[np.intp], Array]:
    """Return the labels and the values in lines of a CSV file, which are given by their numbers."""
    if not lines:
        raise ValueError("it has no lines")
    columns = lines[min(lines)].count(",") + 1
    try:
        table = np.loadtxt([*lines.values()], delimiter=",", ndmin=2, comments=None)
    except ValueError:
        table = np.full((1, 1), np.nan)
    labels, values = table[:, 0], table[:, 1:]
    whole = np.isfinite(table).all() and (labels == labels.round()).all()
    if whole and values.size and values.min() >= 0:
        return labels.astype(np.intp), values
    faults = ((number, _fault(line, columns)) for number, line in lines.items())
    number, fault = next(
        ((n, fault) for n, fault in faults if fault), (min(lines), "cannot be read")
    )
    raise ValueError(f"line {number} {fault}")


def _fault(line: str, columns: int) -> str:
    """Return what is wrong with a line of a CSV file; nothing where it is as it should be."""
    if not _is_numbers(line):
        return f"is {checks.brief(line)}, and not numbers alone"
    label, *values = map(float, line.split(","))
    if len(values) != columns - 1:
        return f"has {len(values) + 1} columns, and the first has {columns}"
    if not values:
        return "has no values"
    if not label.is_integer():
        return f"has the label {label:g}, which is not an integer"
    bad = next((v for v in values if not 0 <= v < np.inf), 0)
    return f"has the value {bad:g}, which is not a number from 0" if bad else ""


def load_npz(file: str | Path | None) -> Dataset:
    """Return the data set of an npz file with arrays ``images`` and ``labels``, or :data:`PARTS`.

    Images have the shape (n, height, width) or (n, values), and are bytes of which 255 is white, or
    floats in [0, 1]; labels (n,) are integers from 0. Without a test part, a fifth of each class is
    held out.

    Raises:
        ValueError: if no file is given, or its arrays are not of this form.
    """
    file = _given(file, "npz")
    arrays = read_arrays(file)
    try:
        if set(arrays) == {"images", "labels"}:
            return _split(_as_images(arrays["images"]), arrays["labels"])
        if set(arrays) != set(PARTS):
            raise ValueError(f"it has {', '.join(sorted(arrays))}")
        train, train_labels, test, test_labels = (arrays[name] for name in PARTS)
        return Dataset(_as_images(train), train_labels, _as_images(test), test_labels)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{file} must have the arrays images and labels, or {', '.join(PARTS)}, but {error}"
        ) from error


def scaled(values: Array) -> NDArray[np.float32]:
    """Return values from 0 as floats in [0, 1].

    >>> scaled(np.array([[0.0, 4.0], [8.0, 2.0]])).tolist()
    [[0.0, 0.5], [1.0, 0.25]]
    """
    largest = max(1.0, float(values.max()))
    return (values / largest).astype(np.float32)


def _given(file: str | Path | None, kind: str) -> Path:
    """Return the file of the user's data, which has to be named."""
    if file is None:
        raise ValueError(
            f"data must be given for {kind}: the {kind} file, with --{kind} FILE or --data FILE"
        )
    return as_path("file", file)


def _is_numbers(line: str) -> bool:
    """Return whether a line of a CSV file has numbers, not the names of columns."""
    try:
        [float(word) for word in line.split(",")]
    except ValueError:
        return False
    return True


def _as_images(values: NDArray[Any]) -> NDArray[Any]:
    """Return examples (n, values) as images of one row; images as they are."""
    if values.ndim == 2:
        return values[:, None, :]
    return values


def _split(values: NDArray[Any], labels: NDArray[Any]) -> Dataset:
    """Return a data set in which a fifth of each class is held out, the same fifth each time."""
    if labels.size and labels.max() >= len(labels):
        raise ValueError(
            f"it has the label {labels.max()} among {len(labels)} examples; is a number of another "
            "kind in its place?"
        )
    return split(_as_images(values), labels, np.random.default_rng(SPLIT_SEED))
