"""Events of a camera or an ear, and the bins that make frames of them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks

Integers = NDArray[np.integer[Any]]


class Events(NamedTuple):
    """Events in any order: four arrays of integers, one value an event.

    Attributes:
        x: column, from 0.
        y: row, from 0.
        t: time in microseconds, from 0.
        p: polarity, from 0.
    """

    x: Integers
    y: Integers
    t: Integers
    p: Integers


def bin_events(
    events: Events, T: int, duration: int, shape: tuple[int, int, int]
) -> NDArray[np.intp]:
    """Return how many events fall into each bin: shape (T, polarities, rows, columns).

    C[k, p, y, x] is the number of events of polarity p at row y, column x with
    k d / T <= t < (k + 1) d / T, so with ⌊t T / d⌋ = k, where d is the duration. A bin holds its
    beginning and not its end. Events at t >= d are left out.

    Args:
        events: see :class:`Events`.
        T: number of bins, >= 1.
        duration: d, in the unit of t, an integer >= 1.
        shape: number of polarities, rows and columns.

    Raises:
        TypeError: if a value is no integer.
        ValueError: if the arrays are not of one length, or an event lies outside of the shape or
            before 0.

    >>> x, y, t, p = np.array([[0, 1, 1], [0, 0, 0], [0, 49, 50], [1, 0, 0]])
    >>> bin_events(Events(x, y, t, p), T=2, duration=100, shape=(2, 1, 2)).tolist()
    [[[[0, 1]], [[1, 0]]], [[[0, 1]], [[0, 0]]]]
    """
    checks.count("T", T), checks.count("duration", duration)
    polarities, rows, columns = (checks.count("shape", size) for size in shape)
    bounds = {"x": columns, "y": rows, "t": None, "p": polarities}
    x, y, t, p = (
        _within(name, values, len(events.t), bounds[name])
        for name, values in events._asdict().items()
    )
    index = np.ravel_multi_index(
        (t[t < duration] * T // duration, *(a[t < duration] for a in (p, y, x))),
        (T, polarities, rows, columns),
    )
    size = T * polarities * rows * columns
    return np.bincount(index, minlength=size).reshape(T, polarities, rows, columns)


def _within(name: str, values: Integers, length: int, bound: int | None) -> NDArray[np.int64]:
    """Return values as 64-bit integers, after checking that each lies in 0..bound - 1."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must be an array of integers, got {checks.short(values)}; "
            "times are whole microseconds"
        )
    if values.shape != (length,):
        raise ValueError(
            f"{name} must have shape ({length},) as t has, got {values.shape}; "
            "give one value an event"
        )
    if length and (values.min() < 0 or (bound is not None and values.max() >= bound)):
        want = "be >= 0" if bound is None else f"lie in 0..{bound - 1}"
        raise ValueError(
            f"{name} must {want}, got values from {values.min()} to {values.max()}; "
            "are these events of another camera?"
        )
    return values.astype(np.int64)
