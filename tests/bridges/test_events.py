"""Events read by tonic and by the package, bin for bin; what tonic has fetched is found."""

import numpy as np
import pytest
import tonic
from tonic.io import read_mnist_file

from stbp_edu.training.data import Events, bin_events, load_dataset
from stbp_edu.training.data.catalogue import DVS_GESTURE, NMNIST, SHD
from stbp_edu.training.data.event_files import nmnist_events
from tests.event_files import draw, nmnist_bytes, put_gestures, put_nmnist, put_shd

RECORDINGS = {"nmnist": NMNIST, "shd": SHD, "dvs-gesture": DVS_GESTURE}


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return the folder that is the package's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "stbp_edu"


def test_events_of_nmnist_and_their_bins_are_those_of_tonic(tmp_path, rng):
    events = draw(rng, 400, (34, 34), 300_000)
    events.y[[50, 300]] = 240  # the clock begins again
    path = tmp_path / "0.bin"
    path.write_bytes(nmnist_bytes(events))
    found = nmnist_events(path.read_bytes(), "f")
    theirs = read_mnist_file(path, tonic.datasets.NMNIST.dtype)
    assert len(theirs) == 398
    for name, values in found._asdict().items():
        np.testing.assert_array_equal(values, theirs[name])
    window = {"time_window": 35_000, "start_time": 0, "end_time": 315_000}
    frames = tonic.transforms.ToFrame((34, 34, 2), **window)(theirs)
    np.testing.assert_array_equal(bin_events(found, 9, 315_000, (2, 34, 34)), frames)


def _theirs(name, folder, train):
    """Return labels with the bytes of frames, as tonic reads and this package bins them."""
    recording = RECORDINGS[name]
    samples = []
    for events, label in getattr(tonic.datasets, recording.tonic)(str(folder), train=train):
        x, t, p = events["x"].astype(int), events["t"].astype(int), events["p"].astype(int)
        y = events["y"].astype(int) if "y" in events.dtype.names else 0 * x
        if name == "shd":
            p = 0 * p  # tonic says 1
        if name == "dvs-gesture":
            x, y, t = x // 4, y // 4, t - t.min()
        counts = bin_events(Events(x, y, t, p), recording.bins, recording.duration, recording.shape)
        samples.append((int(label), np.uint8(255 * (counts > 0)).tobytes()))
    return sorted(samples)


def test_what_tonic_has_fetched_is_found(cache, rng):
    sounds = [(k, np.sort(rng.random(50)) * 1.3, rng.integers(0, 700, 50)) for k in range(5)]
    put_shd(cache / "SHD", sounds)
    gestures = {k: draw(rng, 40, (128, 128), 2_000_000) for k in range(11)}
    put_gestures(cache / "DVSGesture", gestures, users=10)
    for half in ("Train", "Test"):  # tonic looks whether they are there, and not into them
        (cache / f"SHD/shd_{half.lower()}.h5.zip").touch()
        (cache / f"DVSGesture/ibmGesture{half}.tar.gz").touch()
    for name in ("shd", "dvs-gesture"):
        said = []
        data = load_dataset(name, tell=said.append)
        assert f"tonic looks for it in {cache}" in said[0]
        pairs = zip(data.train_labels.tolist(), data.train_images, strict=True)
        assert sorted((k, image.tobytes()) for k, image in pairs) == _theirs(name, cache, True)
        assert data.train_images.any()


def test_what_tonic_cannot_fetch_is_said_and_a_folder_is_read_without_it(cache, rng, monkeypatch):
    def nowhere(self):
        raise OSError("no route to host")

    monkeypatch.setattr(tonic.datasets.NMNIST, "download", nowhere)
    with pytest.raises(FileNotFoundError, match=r"could not fetch it \(no route to host\).*--data"):
        load_dataset("nmnist")
    folder = put_nmnist(cache.parent / "own", {2: [draw(rng, 30, (34, 34), 1000)]})
    assert load_dataset("nmnist", folder).test_labels.tolist() == [2]
