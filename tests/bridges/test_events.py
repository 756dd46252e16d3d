"""Recordings in tonic's own files become frames; tests/training has the bins themselves."""

import h5py
import numpy as np
import pytest
import tonic

from stbp_edu.training.data import Events, load_dataset


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
            for name, values in (
                ("times", (events.t + 0.5) / 1e6),
                ("units", events.x),
            ):
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
def test_tonic_s_become_frames(
    name, kind, put, size, duration, bins, tmp_path, monkeypatch
):
    rng, late = np.random.default_rng(3), 40_000_000 * (name == "dvs-gesture")
    x, y, t, p = (rng.integers(0, bound, 50) for bound in (*size, duration, 2))
    put(tmp_path, Events(x, y, np.sort(t) + late, p))
    monkeypatch.setattr(getattr(tonic.datasets, kind), "_check_exists", lambda _: True)
    data = load_dataset(name, tmp_path)
    assert data.train_labels.tolist() == data.test_labels.tolist() == [3]
    block, t = 1, np.sort(t)
    if name == "dvs-gesture":  # cut out of longer recordings, in milliseconds
        block, t = 4, (t // 1000 - t.min() // 1000) * 1000
    frames = np.zeros(
        (bins, 1 if name == "shd" else 2, size[1] // block, size[0] // block)
    )
    frames[t * bins // duration, 0 if name == "shd" else p, y // block, x // block] = (
        255
    )
    for images in (data.train_images, data.test_images):
        np.testing.assert_array_equal(images[0], frames.reshape(bins, -1))
