"""Events of a camera or an ear, the bins that make frames of them, and recordings as data sets.

tonic, which comes with ``stbp-edu[events]``, fetches the recordings and reads their files.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu.training.data.datasets import Dataset, cache_folder

Integers = NDArray[np.integer[Any]]
MOST_BINS = 100_000


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
    k d / T <= t < (k + 1) d / T, so with ⌊t T / d⌋ = k.

    Args:
        events: those at t >= d are left out.
        T: number of bins, >= 1.
        duration: d, in the unit of t, an integer >= 1.
        shape: number of polarities, rows and columns.

    Raises:
        TypeError: if a value is not an integer.
        ValueError: if the arrays differ in length, or an event lies outside of the shape.

    >>> x, y, t, p = np.array([[0, 1, 1], [0, 0, 0], [0, 49, 50], [1, 0, 0]])
    >>> bin_events(Events(x, y, t, p), T=2, duration=100, shape=(2, 1, 2)).tolist()
    [[[[0, 1]], [[1, 0]]], [[[0, 1]], [[0, 0]]]]
    """
    checks.count("T", T, at_most=MOST_BINS)
    checks.count("duration", duration)
    polarities, rows, columns = checks.widths("shape", shape, at_least=3)
    checks.instance("events", events, Events)
    length = np.size(events.t)
    t = _within("t", events.t, length, None)
    p = _within("p", events.p, length, polarities)
    y = _within("y", events.y, length, rows)
    x = _within("x", events.x, length, columns)
    early = t < duration
    bins = t[early] * T // duration
    counts = (T, polarities, rows, columns)
    places = np.ravel_multi_index((bins, p[early], y[early], x[early]), counts)
    return np.bincount(places, minlength=math.prod(counts)).reshape(counts)


def _within(
    name: str, values: Integers, length: int, bound: int | None
) -> NDArray[np.int64]:
    """Return values as 64-bit integers, after checking that each lies in 0..bound - 1."""
    if type(values) is not np.ndarray or values.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must be an array of integers, got {checks.brief(values)}; "
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


@dataclass(frozen=True)
class Recording:
    """A data set of recorded events that tonic has.

    Attributes:
        tonic: its name there, and that of the folder in which tonic keeps it.
        shape: polarities, rows and columns of a frame.
        duration: microseconds; later events are left out.
        bins: frames that the duration is cut into.
        block: pixels of the camera, in each direction, that make one of a frame.
        cut: whether samples are cut out of longer recordings; then times are counted from a
            sample's first event.
    """

    tonic: str
    shape: tuple[int, int, int]
    duration: int
    bins: int
    block: int = 1
    cut: bool = False

    def load(self, folder: Path | None) -> Dataset:
        """Return the data set, whose images are the frames of the recordings.

        tonic reads it in ``folder``, or in the cache where that is None, and downloads it where
        it is not there.
        """
        try:
            import tonic.datasets
        except ImportError as error:
            raise ImportError(
                f"{self.tonic} is read by tonic ({error}): pip install 'stbp-edu[events]'"
            ) from error
        place = cache_folder() if folder is None else folder
        kind = getattr(tonic.datasets, self.tonic)
        try:
            parts = [kind(save_to=str(place), train=train) for train in (True, False)]
        except Exception as error:  # whatever a server may bring about
            raise FileNotFoundError(
                f"{self.tonic} is not in {place}, and tonic could not fetch it ({error}); with a "
                f"network, try again, or put its archives into a folder {self.tonic} and pass the "
                "folder that holds this one with --data"
            ) from error
        return Dataset(*(array for part in parts for array in self.images(part)))

    def images(self, samples: Any) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """Return samples of tonic as images, whose row k is the frame of bin k, and their labels.

        A pixel is 255 where the frame has at least one event, and else 0: two count as one.
        """
        images = np.zeros((len(samples), self.bins, math.prod(self.shape)), np.uint8)
        labels = np.zeros(len(samples), np.intp)
        for k, image in enumerate(images):
            try:
                events, labels[k] = samples[k]
                counts = bin_events(
                    self._events(events), self.bins, self.duration, self.shape
                )
            except Exception as error:  # whatever a damaged file may bring about
                raise ValueError(
                    f"sample {k} of {self.tonic} must be a recording of it, but {error}; remove "
                    "its folder, and give the same command to fetch it again"
                ) from error
            image[counts.reshape(image.shape) > 0] = 255
        return images, labels

    def _events(self, found: Any) -> Events:
        """Return tonic's events, in blocks of pixels; an ear has no rows and one polarity."""
        x, t = found["x"].astype(np.int64), found["t"].astype(np.int64)
        y = p = np.zeros_like(x)
        if "y" in found.dtype.names:
            y = found["y"].astype(np.int64)
        if self.shape[0] > 1:
            p = found["p"].astype(np.int64)
        if self.cut:
            t = t - t.min()
        return Events(x // self.block, y // self.block, t, p)
