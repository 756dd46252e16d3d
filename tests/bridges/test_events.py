"""Recordings in tonic's own files, and bins that are tonic's."""

import h5py
import numpy as np
import pytest
import tonic
from tonic.datasets import NMNIST

from stbp_edu.training.data import Events, bin_events, load_dataset


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def draw(rng, n, size, duration):
    """Return n events of two polarities in order of time."""
    x, y = (rng.integers(0, bound, n) for bound in size)
    return Events(x, y, np.sort(rng.integers(0, duration, n)), rng.integers(0, 2, n))


def test_bins_are_those_of_tonic(rng):
    events = draw(rng, 400, (34, 34), 300_000)
    theirs = np.array([*zip(*events, strict=True)], NMNIST.dtype)
    window = {"time_window": 35_000, "start_time": 0, "end_time": 315_000}
    frames = tonic.transforms.ToFrame((34, 34, 2), **window)(theirs)
    np.testing.assert_array_equal(bin_events(events, 9, 315_000, (2, 34, 34)), frames)


def put_nmnist(folder, events):
    """Write a sample of 3 as N-MNIST has it: five bytes an event."""
    place = folder / "NMNIST" / "Train" / "3"
    place.mkdir(parents=True)
    words = [
        bytes([x, y]) + int(p << 23 | t).to_bytes(3, "big")
        for x, y, t, p in zip(*(a.tolist() for a in events), strict=True)
    ]
    (place / "0.bin").write_bytes(b"".join(words))
    (folder / "NMNIST" / "Test").symlink_to("Train")


def put_gestures(folder, events):
    """Write a sample of 3, times in milliseconds."""
    for part in ("ibmGestureTrain", "ibmGestureTest"):
        place = folder / "DVSGesture" / part / "user01_led"
        place.mkdir(parents=True)
        x, y, t, p = events
        np.save(place / "3.npy", np.stack([x, y, p, t // 1000], axis=1))


def put_shd(folder, events):
    """Write a sample of 3, times in seconds."""
    (folder / "SHD").mkdir()
    for part in ("train", "test"):
        with h5py.File(folder / "SHD" / f"shd_{part}.h5", "w") as file:
            file["labels"] = np.array([3], np.uint16)
            file["extra/keys"], file["extra/speaker"] = np.arange(20), np.zeros(1)
            for name, values in (("times", (events.t + 0.5) / 1e6), ("units", events.x)):
                kind = h5py.vlen_dtype(values.dtype)
                file.create_dataset(f"spikes/{name}", (1,), dtype=kind)[0] = values


@pytest.mark.parametrize(
    ("name", "kind", "put", "size", "duration", "bins"),
    [
        ("nmnist", "NMNIST", put_nmnist, (34, 34), 315_000, 9),
        ("dvs-gesture", "DVSGesture", put_gestures, (128, 128), 3_000_000, 20),
        ("shd", "SHD", put_shd, (700, 1), 1_400_000, 35),
    ],
)
def test_what_tonic_reads_becomes_frames(
    name, kind, put, size, duration, bins, tmp_path, rng, monkeypatch
):
    events = draw(rng, 50, size, duration)
    put(tmp_path, events)
    monkeypatch.setattr(getattr(tonic.datasets, kind), "_check_exists", lambda _: True)
    data = load_dataset(name, tmp_path)
    assert data.train_labels.tolist() == data.test_labels.tolist() == [3]
    block = 4 if name == "dvs-gesture" else 1
    first = events.t.min() // 1000 * 1000 if name == "dvs-gesture" else 0
    wide, rows = (length // block for length in size)
    for x, y, t, p in zip(*events, strict=True):
        if name == "dvs-gesture":
            t = t // 1000 * 1000 - first
        where = ((p if name != "shd" else 0) * rows + y // block) * wide + x // block
        assert data.train_images[0][int(t) * bins // duration, where] == 255


def test_what_tonic_cannot_fetch_is_said(tmp_path, monkeypatch):
    def nowhere(self):
        raise OSError("no route to host")

    monkeypatch.setattr(NMNIST, "download", nowhere)
    with pytest.raises(FileNotFoundError, match=r"could not fetch it \(no route to host\).*--data"):
        load_dataset("nmnist", tmp_path)
