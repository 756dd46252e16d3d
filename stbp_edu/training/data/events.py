"""Events of a camera or an ear, the bins that make frames of them, and recordings as data sets.

The files of a recording are read from a folder. Where none is given, tonic fetches them into the
cache; tonic, and h5py for SHD, come with ``stbp-edu[events]``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.training.data.datasets import Dataset, Tell, cache_folder

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


Samples = tuple[list[int], Iterator[tuple[str, Events]]]
"""The labels of a part of a recording, and for each its place, which errors name, and events."""


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
    checks.count("T", T, at_most=MOST_BINS), checks.count("duration", duration)
    polarities, rows, columns = checks.widths("shape", shape, at_least=3)
    checks.instance("events", events, Events)
    bounds = {"t": None, "x": columns, "y": rows, "p": polarities}
    t, x, y, p = (
        _within(name, getattr(events, name), np.size(events.t), bound)
        for name, bound in bounds.items()
    )
    index = np.ravel_multi_index(
        (t[t < duration] * T // duration, *(a[t < duration] for a in (p, y, x))),
        (T, polarities, rows, columns),
    )
    size = T * polarities * rows * columns
    return np.bincount(index, minlength=size).reshape(T, polarities, rows, columns)


def _within(name: str, values: Integers, length: int, bound: int | None) -> NDArray[np.int64]:
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
    """A data set of recorded events.

    Attributes:
        title: its name in prose.
        tonic: its name in tonic, and the folder that tonic makes for it.
        parts: the folder or file of the training events, and of those held out.
        shape: polarities, rows and columns of a frame.
        duration: microseconds; later events are left out.
        bins: frames that the duration is cut into.
        read: returns the samples of a part.
        block: pixels of the camera, in each direction, that make one of a frame.
    """

    title: str
    tonic: str
    parts: tuple[str, str]
    shape: tuple[int, int, int]
    duration: int
    bins: int
    read: Callable[[Path], Samples]
    block: int = 1

    def images(self, path: Path) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """Return a part as images, whose row k is the frame of bin k, and its labels.

        A pixel is 255 where the frame has at least one event, and else 0: two count as one.
        """
        labels, samples = self.read(path)
        polarities, rows, columns = self.shape
        images = np.zeros((len(labels), self.bins, polarities * rows * columns), np.uint8)
        for image, (place, (x, y, t, p)) in zip(images, samples, strict=True):
            events = Events(x // self.block, y // self.block, t, p)
            try:
                counts = bin_events(events, self.bins, self.duration, self.shape)
            except ValueError as error:
                raise ValueError(f"{place}, of {self.title}: {error}") from error
            image[counts.reshape(image.shape) > 0] = 255
        return images, np.array(labels)

    def load(self, folder: Path | None, tell: Tell) -> Dataset:
        """Return the data set, whose images are the frames of the recordings.

        Its files, or a folder named as in tonic that holds them, are in ``folder``. Where that is
        None, tonic fetches them into the cache, and ``tell`` is called with a sentence before.

        Raises:
            FileNotFoundError, ValueError: if a file is missing, or damaged, or another.
            ImportError: if tonic or h5py is needed and not installed.
        """
        place = self._fetch(cache_folder(), tell) if folder is None else folder
        paths = [self._find(place, part) for part in self.parts]
        (images, labels), held_out = map(self.images, paths)
        return Dataset(images, labels, *held_out)

    def _find(self, folder: Path, part: str) -> Path:
        """Return where a part of a data set is; raise FileNotFoundError if the folder lacks it."""
        for path in (folder / part, folder / self.tonic / part):
            if path.exists():
                return path
        raise FileNotFoundError(
            f"{folder} must hold {' and '.join(self.parts)} of {self.title}, and lacks "
            f"{part}; unpack its archives there, or pass the folder that holds them with --data"
        )

    def _fetch(self, cache: Path, tell: Tell) -> Path:
        """Let tonic fetch a data set into the cache, where it is not there yet."""
        try:
            import tonic.datasets
        except ImportError as error:
            raise ImportError(
                f"{self.title} is fetched by tonic ({error}): pip install 'stbp-edu[events]', or "
                "pass the folder that holds the files with --data"
            ) from error
        tell(f"{self.title}: tonic looks for it in {cache}, and fetches what is not there")
        try:
            for train in (True, False):
                getattr(tonic.datasets, self.tonic)(save_to=str(cache), train=train)
        except Exception as error:  # whatever a server may bring about
            raise FileNotFoundError(
                f"{self.title} is not in {cache}, and tonic could not fetch it ({error}); with a "
                "network, try again, or pass the folder that holds the files with --data"
            ) from error
        return cache
