"""Recordings of events: N-MNIST, the Spiking Heidelberg Digits (SHD) and DVS-Gesture.

Their files are read from a folder. Where none is given, tonic fetches them into the cache; tonic,
and h5py for SHD, come with ``stbp-edu[events]``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stbp_edu.training.data.event_files import Samples, read_gesture, read_nmnist, read_shd
from stbp_edu.training.data.events import Events, bin_events
from stbp_edu.training.data.sources import Tell


@dataclass(frozen=True)
class Recording:
    """A data set of recorded events.

    Attributes:
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


def load_recording(
    name: str, folder: Path | None, cache: Path, tell: Tell
) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.uint8], NDArray[np.intp]]:
    """Return images and labels to learn from, and those held out.

    Args:
        name: one of :data:`RECORDINGS`.
        folder: where the files are, or the folder named as in tonic that holds them.
        cache: where they are fetched to if no folder is given.
        tell: is called with a sentence before something is fetched.

    Raises:
        FileNotFoundError: if files are missing, or could not be fetched.
        ValueError: if a file is damaged or another.
        ImportError: if tonic or h5py is needed and not installed.
    """
    recording = RECORDINGS[name]
    if folder is None:
        folder = _fetch(recording, cache, tell)
    places = [_find(recording, folder, part) for part in recording.parts]
    (images, labels), held_out = (recording.images(path) for path in places)
    return images, labels, *held_out


def _find(recording: Recording, folder: Path, part: str) -> Path:
    """Return where a part of a data set is; raise FileNotFoundError if the folder lacks it."""
    for path in (folder / part, folder / recording.tonic / part):
        if path.exists():
            return path
    raise FileNotFoundError(
        f"{folder} must hold {' and '.join(recording.parts)} of {recording.title}, and lacks "
        f"{part}; unpack its archives there, or pass the folder that holds them with --data"
    )


def _fetch(recording: Recording, cache: Path, tell: Tell) -> Path:
    """Let tonic fetch a data set into the cache, where it is not there yet."""
    try:
        import tonic.datasets
    except ImportError as error:
        raise ImportError(
            f"{recording.title} is fetched by tonic ({error}): pip install 'stbp-edu[events]', or "
            "pass the folder that holds the files with --data"
        ) from error
    tell(f"{recording.title}: tonic looks for it in {cache}, and fetches what is not there")
    try:
        for train in (True, False):
            getattr(tonic.datasets, recording.tonic)(save_to=str(cache), train=train)
    except Exception as error:  # whatever a server may bring about
        raise FileNotFoundError(
            f"{recording.title} is not in {cache}, and tonic could not fetch it ({error}); with a "
            "network, try again, or pass the folder that holds the files with --data"
        ) from error
    return cache


RECORDINGS = {
    "nmnist": Recording(
        "N-MNIST", "NMNIST", ("Train", "Test"), (2, 34, 34), 315_000, 9, read_nmnist
    ),
    "shd": Recording(
        "SHD", "SHD", ("shd_train.h5", "shd_test.h5"), (1, 1, 700), 1_400_000, 35, read_shd
    ),
    "dvs-gesture": Recording(
        "DVS-Gesture", "DVSGesture", ("ibmGestureTrain", "ibmGestureTest"), (2, 32, 32),
        3_000_000, 20, read_gesture, block=4,
    ),
}  # fmt: skip
"""The data sets by name, and how their events become frames: a choice of ours, nothing tuned."""
