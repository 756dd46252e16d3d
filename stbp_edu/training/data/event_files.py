"""Files of recorded events: how those of N-MNIST, DVS-Gesture and SHD are read.

``read_...`` returns the samples of one part of a data set, which are read one by one.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stbp_edu.training.data.events import Events, Samples

RECORD = 5  # bytes of an event of N-MNIST
OVERFLOW = 240  # the row that says: the clock began again
CLOCK = 1 << 13  # microseconds after which it does


def read_nmnist(path: Path) -> Samples:
    """Return the samples of a folder that holds a folder for each class: ``Train/7/00003.bin``."""
    files = _files(path, "*/*.bin")
    labels = [_label(file, file.parent.name) for file in files]
    return labels, ((str(file), nmnist_events(file.read_bytes(), str(file))) for file in files)


def nmnist_events(data: bytes, place: str) -> Events:
    """Return the events of a file of N-MNIST.

    An event is five bytes: x, y, and a number of 24 bits, the highest byte first, whose first bit
    is the polarity and whose others are the time in microseconds. A record with y = 240 is no
    event: all times after it are 2¹³ later than they say.

    Args:
        data: the whole file.
        place: where it is, for the error.

    Raises:
        ValueError: if it holds no event, or part of one.

    >>> nmnist_events(bytes([3, 4, 0x80, 1, 2]), "a file")._asdict()
    {'x': array([3]), 'y': array([4]), 't': array([258]), 'p': array([1])}
    """
    if not data or len(data) % RECORD:
        raise ValueError(
            f"{place} must hold records of {RECORD} bytes, at least one, got {len(data)} bytes; it "
            "was cut short or is another file: fetch it again"
        )
    x, y, high, middle, low = np.frombuffer(data, np.uint8).reshape(-1, RECORD).T.astype(np.int64)
    later = y == OVERFLOW
    t = ((high & 127) << 16 | middle << 8 | low) + CLOCK * later.cumsum()
    return Events(*(values[~later] for values in (x, y, t, high >> 7)))


def read_gesture(path: Path) -> Samples:
    """Return the samples of a folder as tonic unpacks it: ``ibmGestureTrain/user01_led/0.npy``."""
    files = _files(path, "*/*.npy")
    labels = [_label(file, file.stem) for file in files]
    return labels, ((str(file), gesture_events(file)) for file in files)


def gesture_events(path: Path) -> Events:
    """Return the events of a file of DVS-Gesture, its rows x, y, p and t in milliseconds.

    Times begin at the first event.
    """
    try:
        rows = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise ValueError(
            f"{path} must be a whole .npy file, but {error}; fetch it again"
        ) from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != 4 or not len(rows):
        raise ValueError(
            f"{path} must have shape (events, 4), got {np.shape(rows)}; it is another file"
        )
    if rows.dtype.kind not in "iuf" or not (np.isfinite(rows) & (rows == np.rint(rows))).all():
        raise ValueError(f"{path} must hold whole numbers, got others; it is another file")
    x, y, p, t = rows.T.astype(np.int64)
    return Events(x, y, 1000 * (t - t.min()), p)


def read_shd(path: Path) -> Samples:
    """Return the samples of an HDF5 file: ``spikes/times`` (s), ``spikes/units``, ``labels``."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            f"{path} is read by h5py ({error}): pip install 'stbp-edu[events]'"
        ) from error
    try:
        with h5py.File(path, "r") as file:
            times, units, labels = (
                file[name][:] for name in ("spikes/times", "spikes/units", "labels")
            )
    except (KeyError, OSError, RuntimeError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} must be a whole HDF5 file with spikes/times, spikes/units and labels, but "
            f"{error}; fetch it again"
        ) from error
    if not len(labels) or not len(labels) == len(times) == len(units):
        raise ValueError(
            f"{path} must hold times, units and a label for each sample, got {len(times)}, "
            f"{len(units)} and {len(labels)}; fetch it again"
        )
    if np.ndim(labels) != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{path} must have a whole number for each label, got {labels.dtype}; fetch it again"
        )
    samples = (
        (f"sample {k} in {path}", shd_events(seconds, unit))
        for k, (seconds, unit) in enumerate(zip(times, units, strict=True))
    )
    return [int(label) for label in labels], samples


def shd_events(seconds: NDArray[np.floating], units: NDArray[np.integer]) -> Events:
    """Return the events of a sample of SHD: one polarity, and one row of 700 units."""
    t = np.rint(seconds.astype(np.float64) * 1e6).astype(np.int64)
    nothing = np.zeros(len(t), np.int64)
    return Events(units, nothing, t, nothing)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that fit, in order; raise FileNotFoundError if none does."""
    files = sorted(folder.glob(pattern))
    if not files:
        raise FileNotFoundError(
            f"{folder} must hold files such as {pattern}, and has none; unpack the archive again"
        )
    return files


def _label(path: Path, word: str) -> int:
    """Return the class that a name says."""
    if not word.isdecimal():
        raise ValueError(
            f"{path} must be named by its class, a number from 0, got {word!r}; move it elsewhere"
        )
    return int(word)
