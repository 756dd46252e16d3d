"""Files of events for tests, as N-MNIST, DVS-Gesture and SHD have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stbp_edu.training.data import Events

HALVES = {
    "nmnist": ("Train", "Test"),
    "dvs-gesture": ("ibmGestureTrain", "ibmGestureTest"),
    "shd": ("shd_train.h5", "shd_test.h5"),
}


def draw(rng: np.random.Generator, n: int, size: tuple[int, int], duration: int) -> Events:
    """Return n events of two polarities in order of time."""
    x, y = (rng.integers(0, bound, n) for bound in size)
    return Events(x, y, np.sort(rng.integers(0, duration, n)), rng.integers(0, 2, n))


def nmnist_bytes(events: Events) -> bytes:
    """Return events as a file of N-MNIST, one event after the other."""
    words = [
        bytes([x, y]) + int(p << 23 | t).to_bytes(3, "big")
        for x, y, t, p in zip(*(values.tolist() for values in events), strict=True)
    ]
    return b"".join(words)


def put_nmnist(folder: Path, samples: dict[int, list[Events]]) -> Path:
    """Write samples of each class as both parts of N-MNIST, and return the folder."""
    for half in HALVES["nmnist"]:
        for label, several in samples.items():
            place = folder / half / str(label)
            place.mkdir(parents=True)
            for k, events in enumerate(several):
                (place / f"{k:05}.bin").write_bytes(nmnist_bytes(events))
    return folder


def put_gestures(folder: Path, samples: dict[int, Events], users: int = 1) -> Path:
    """Write a sample of each class, times in milliseconds, for each user."""
    for half in HALVES["dvs-gesture"]:
        for user in range(1, users + 1):
            place = folder / half / f"user{user:02}_led"
            place.mkdir(parents=True)
            for label, (x, y, t, p) in samples.items():
                np.save(place / f"{label}.npy", np.stack([x, y, p, t // 1000], axis=1))
    return folder


def put_shd(folder: Path, samples: list[tuple[int, np.ndarray, np.ndarray]]) -> Path:
    """Write labels, times in seconds and units as both files of SHD; needs h5py."""
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    labels, times, units = zip(*samples, strict=True)
    for half in HALVES["shd"]:
        with h5py.File(folder / half, "w") as file:
            file["labels"] = np.array(labels, np.uint16)
            for name, values, kind in (("times", times, np.float16), ("units", units, np.uint16)):
                made = file.create_dataset(
                    f"spikes/{name}", (len(labels),), dtype=h5py.vlen_dtype(kind)
                )
                for k, one in enumerate(values):
                    made[k] = one.astype(kind)
            file["extra/keys"], file["extra/speaker"] = np.arange(20), np.zeros(len(labels))
    return folder
