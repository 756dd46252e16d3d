"""Events: their bins, their files, the frames that a network is shown, and learning from them."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.training import RECIPES, Epoch, encode, train
from stbp_edu.training.data import Events, bin_events, load_dataset
from stbp_edu.training.data.catalogue import DVS_GESTURE, NMNIST, SHD
from stbp_edu.training.data.event_files import nmnist_events
from tests.event_files import HALVES, draw, nmnist_bytes, put_gestures, put_nmnist, put_shd

RECORDINGS = {"nmnist": NMNIST, "shd": SHD, "dvs-gesture": DVS_GESTURE}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _all(values: np.ndarray) -> Events:
    return Events(*[values] * 4)


@pytest.mark.parametrize(("T", "duration"), [(1, 7), (3, 10), (7, 100), (12, 5)])
def test_every_event_falls_into_its_bin(rng, T, duration):
    events = draw(rng, 300, (4, 3), duration + 3)
    expected = np.zeros((T, 2, 3, 4), int)
    for x, y, t, p in zip(*events, strict=True):
        for k in range(T):
            if k * duration <= t * T < (k + 1) * duration:  # times T, so that nothing is rounded
                expected[k, p, y, x] += 1
    np.testing.assert_array_equal(bin_events(events, T, duration, (2, 3, 4)), expected)
    assert 0 < expected.sum() < 300  # those after the duration are left out


def test_a_bin_holds_its_beginning_and_not_its_end():
    t = np.array([0, 9, 10, 19, 20])
    counts = bin_events(Events(0 * t, 0 * t, t, 0 * t), 2, 20, (1, 1, 1))
    assert counts.ravel().tolist() == [2, 2]
    assert not bin_events(_all(np.zeros(0, int)), 3, 10, (2, 2, 2)).any()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": np.array([0, 4])}, ValueError, r"x must lie in 0..3, got values from 0 to 4"),
        ({"y": np.array([3, 0])}, ValueError, r"y must lie in 0..2"),
        ({"p": np.array([2, 0])}, ValueError, r"p must lie in 0..1"),
        ({"t": np.array([-1, 0])}, ValueError, r"t must be >= 0, got values from -1"),
        ({"t": np.array([0.5, 1])}, TypeError, "t must be an array of integers"),
        ({"y": np.array([0])}, ValueError, r"y must have shape \(2,\) as t has"),
    ],
)
def test_events_that_cannot_be_are_named(change, error, words):
    with pytest.raises(error, match=words):
        bin_events(_all(np.zeros(2, int))._replace(**change), 2, 10, (2, 3, 4))


def test_nmnist_is_read_as_it_is_written(rng):
    events = draw(rng, 500, (34, 34), 1 << 23)
    for found, written in zip(nmnist_events(nmnist_bytes(events), "f"), events, strict=True):
        np.testing.assert_array_equal(found, written)


def test_the_clock_of_nmnist_begins_again():
    zero = np.zeros(5, int)
    events = Events(zero, np.array([1, 240, 2, 240, 3]), np.array([5, 0, 6, 0, 7]), zero)
    found = nmnist_events(nmnist_bytes(events), "f")
    assert found.y.tolist() == [1, 2, 3]
    assert found.t.tolist() == [5, 6 + 8192, 7 + 2 * 8192]


def test_nmnist_becomes_frames(tmp_path, rng):
    samples = {k: [draw(rng, 60, (34, 34), 315_000) for _ in range(2)] for k in (0, 3)}
    data = load_dataset("nmnist", put_nmnist(tmp_path, samples))
    assert data.train_images.shape == (4, 9, 2312)
    assert data.train_labels.tolist() == [0, 0, 3, 3]
    counts = bin_events(samples[3][0], 9, 315_000, (2, 34, 34)).reshape(9, -1)
    np.testing.assert_array_equal(data.test_images[2], 255 * (counts > 0))
    shown = encode("frames", data.test_images, 9, rng)
    np.testing.assert_array_equal(shown[:, 2], counts > 0)
    named = put_nmnist(tmp_path / "all" / "NMNIST", samples).parent  # as tonic lays it out
    assert load_dataset("nmnist", named).fingerprint() == data.fingerprint()


def test_gestures_begin_at_their_first_event_and_shrink(tmp_path, rng):
    events = draw(rng, 80, (128, 128), 2_000_000)
    x, y, t, p = events._replace(t=events.t // 1000 * 1000)
    late = Events(x, y, t + 40_000_000, p)
    data = load_dataset("dvs-gesture", put_gestures(tmp_path, {4: late, 10: events}))
    assert data.train_labels.tolist() == [10, 4]
    small = Events(x // 4, y // 4, t - t.min(), p)
    counts = bin_events(small, 20, 3_000_000, (2, 32, 32))
    np.testing.assert_array_equal(data.train_images[0], 255 * (counts > 0).reshape(20, -1))
    np.testing.assert_array_equal(data.train_images[1], data.train_images[0])


def test_shd_is_read(tmp_path, rng):
    pytest.importorskip("h5py")
    times = np.array([0.0, 0.03125, 0.040001, 1.3, 1.5])  # float16 in the file
    samples = [(19, times, np.array([0, 699, 5, 7, 8])), (2, times[:2], np.array([1, 2]))]
    data = load_dataset("shd", put_shd(tmp_path, samples))
    assert data.train_images.shape == (2, 35, 700)
    assert data.test_labels.tolist() == [19, 2]
    found = [tuple(map(int, place)) for place in np.argwhere(data.train_images[0])]
    assert found == [(0, 0), (0, 699), (1, 5), (32, 7)]  # bins of 40 ms; 1.5 s is past the end


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_missing_part_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=f"must hold {HALVES[name][0]} and .*--data"):
        load_dataset(name, tmp_path)


NMNIST_FILE, GESTURE = "Test/1/00000.bin", "ibmGestureTrain/user01_led/0.npy"


def _shd(path, **arrays):
    """Put other arrays into an HDF5 file; None takes one out."""
    with pytest.importorskip("h5py").File(path, "a") as file:
        for name, array in arrays.items():
            del file[name]
            if array is not None:
                file[name] = array


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("nmnist", lambda at: (at / NMNIST_FILE).write_bytes(b""), "must hold records .* got 0 "),
        ("nmnist", lambda at: (at / NMNIST_FILE).write_bytes(bytes(7)), "must hold .* got 7 "),
        ("nmnist", lambda at: (at / NMNIST_FILE).write_bytes(bytes([34, 0, 128, 0, 0])),
         r"00000.bin, of N-MNIST: x must lie in 0..33, got .* 34"),
        ("nmnist", lambda at: (at / "Train/1").rename(at / "Train/one"),
         "must be named by its class, a number from 0, got 'one'"),
        ("nmnist", lambda at: (at / "Train/1").rename(at / "elsewhere"),
         r"Train must hold files such as \*/\*.bin"),
        ("dvs-gesture", lambda at: (at / GESTURE).write_bytes(b"cut"), "must be a whole .npy"),
        ("dvs-gesture", lambda at: np.save(at / GESTURE, np.zeros((3, 5))), "must have shape"),
        ("dvs-gesture", lambda at: np.save(at / GESTURE, np.full((3, 4), 1.7)), "whole numbers"),
        ("dvs-gesture", lambda at: np.save(at / GESTURE, np.full((3, 4), np.nan)), "whole numbers"),
        ("shd", lambda at: (at / "shd_train.h5").write_text("cut"), "must be a whole HDF5 file"),
        ("shd", lambda at: _shd(at / "shd_train.h5", labels=None), "must be a whole HDF5 file"),
        ("shd", lambda at: _shd(at / "shd_train.h5", labels=np.zeros(3, int)), "must hold times"),
        ("shd", lambda at: _shd(at / "shd_train.h5", labels=np.zeros(2)), "a whole number for"),
    ],
)  # fmt: skip
def test_damage_is_named(name, damage, words, tmp_path, rng):
    if name == "nmnist":
        put_nmnist(tmp_path, {1: [draw(rng, 4, (34, 34), 100)]})
    elif name == "dvs-gesture":
        put_gestures(tmp_path, {0: draw(rng, 9, (128, 128), 10_000)})
    else:
        pytest.importorskip("h5py")
        put_shd(tmp_path, [(k, np.array([0.5]), np.array([0.5])) for k in (1, 0)])
    damage(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        load_dataset(name, tmp_path)


def test_what_fetches_and_reads_is_named_where_it_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tonic.datasets", None)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(
        ImportError, match=r"N-MNIST is fetched by tonic.*stbp-edu\[events\].*--data"
    ):
        load_dataset("nmnist")
    for half in HALVES["shd"]:
        (tmp_path / half).write_bytes(b"")
    with pytest.raises(ImportError, match=r"shd_train.h5 is read by h5py.*stbp-edu\[events\]"):
        load_dataset("shd", tmp_path)


def _bar(rng: np.random.Generator, right: bool) -> Events:
    """Return a bar that moves from the middle to one side and round to it again, in noise."""
    t = np.sort(rng.integers(0, 315_000, 300))
    x = (rng.integers(14, 21) + (1 if right else -1) * 34 * t // 315_000) % 34
    noise = rng.random(300) < 0.1
    x[noise] = rng.integers(0, 34, noise.sum())
    return Events(x, rng.integers(10, 20, 300), t, rng.integers(0, 2, 300))


@pytest.mark.slow
def test_recorded_events_are_learned(tmp_path, rng):
    """All that tells the two classes apart is the order of the frames."""
    samples = {int(right): [_bar(rng, right) for _ in range(150)] for right in (False, True)}
    data = load_dataset("nmnist", put_nmnist(tmp_path, samples), held_out="validation")
    settings = replace(
        RECIPES["nmnist"], hidden=(60,), tau=0.8, gate="linear", batch=20, epochs=15, lr=4e-3
    )
    assert len(data.test_labels) == 60
    *_, last = (event for event in train(settings, data) if isinstance(event, Epoch))
    assert last.test > 0.75  # chance is 0.5
