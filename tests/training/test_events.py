"""Events: their bins, recordings as tonic gives them, and learning from their frames."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from stbp_edu.training import RECIPES, Epoch, encode, train
from stbp_edu.training.data import Events, bin_events, load_dataset


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def draw(rng: np.random.Generator, n: int, size: tuple[int, int], duration: int) -> Events:
    """Return n events of two polarities in order of time."""
    x, y = (rng.integers(0, bound, n) for bound in size)
    return Events(x, y, np.sort(rng.integers(0, duration, n)), rng.integers(0, 2, n))


@pytest.fixture
def recorded(monkeypatch):
    """A function that lets tonic have these recordings: by part, samples of events and a label."""

    def put(name, train_samples, test_samples, fields="xytp"):
        def rows(events):
            named = {field: getattr(events, field) for field in fields}
            kinds = [(field, a.dtype) for field, a in named.items()]
            return np.array([*zip(*named.values(), strict=True)], kinds)

        def dataset(save_to, train):
            samples = train_samples if train else test_samples
            return [(rows(events), label) for events, label in samples]

        fake = SimpleNamespace(datasets=SimpleNamespace(**{name: dataset}))
        monkeypatch.setitem(sys.modules, "tonic", fake)
        monkeypatch.setitem(sys.modules, "tonic.datasets", fake.datasets)

    return put


@pytest.mark.parametrize(("T", "duration"), [(1, 7), (3, 10), (2, 20), (7, 100), (12, 5)])
def test_every_event_falls_into_its_bin(rng, T, duration):
    events = draw(rng, 300, (4, 3), duration + 3)
    expected = np.zeros((T, 2, 3, 4), int)
    for x, y, t, p in zip(*events, strict=True):
        for k in range(T):
            if k * duration <= t * T < (k + 1) * duration:  # times T, so that nothing is rounded
                expected[k, p, y, x] += 1
    np.testing.assert_array_equal(bin_events(events, T, duration, (2, 3, 4)), expected)
    assert 0 < expected.sum() < 300  # those after the duration are left out


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": np.array([0, 4])}, ValueError, r"x must lie in 0..3, got values from 0 to 4"),
        ({"t": np.array([-1, 0])}, ValueError, r"t must be >= 0, got values from -1"),
        ({"t": np.array([0.5, 1])}, TypeError, "t must be an array of integers"),
        ({"y": np.array([0])}, ValueError, r"y must have shape \(2,\) as t has"),
    ],
)
def test_events_that_cannot_be_are_named(change, error, words):
    with pytest.raises(error, match=words):
        bin_events(Events(*[np.zeros(2, int)] * 4)._replace(**change), 2, 10, (2, 3, 4))


@pytest.mark.parametrize(
    ("name", "tonics", "size", "fields", "block", "shape", "bins", "duration"),
    [
        ("nmnist", "NMNIST", (34, 34), "xytp", 1, (2, 34, 34), 9, 315_000),
        ("shd", "SHD", (700, 1), "txp", 1, (1, 1, 700), 35, 1_400_000),
        ("dvs-gesture", "DVSGesture", (128, 128), "xypt", 4, (2, 32, 32), 20, 3_000_000),
    ],
)
def test_recordings_become_frames(
    name, tonics, size, fields, block, shape, bins, duration, recorded, rng
):
    late = 40_000_000 * (name == "dvs-gesture")  # cut out of longer recordings
    samples = [(draw(rng, 60, size, duration), label) for label in (0, 3)]
    given = [(events._replace(t=events.t + late), label) for events, label in samples]
    recorded(tonics, given, given[::-1], fields)
    said = []
    data = load_dataset(name, tell=said.append)
    assert said[0].startswith(f"{tonics}: tonic looks for it in ")
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0, 3], [3, 0])
    x, y, t, p = samples[1][0]
    one = Events(
        x // block, y // block, t - (t.min() if late else 0), p if name != "shd" else 0 * p
    )
    counts = bin_events(one, bins, duration, shape).reshape(bins, -1)
    np.testing.assert_array_equal(data.test_images[0], 255 * (counts > 0))
    np.testing.assert_array_equal(encode("frames", data.test_images, bins, rng)[:, 0], counts > 0)


def test_what_is_missing_or_damaged_is_named(recorded, rng, monkeypatch, tmp_path):
    recorded("NMNIST", [(draw(rng, 5, (35, 34), 100)._replace(x=np.full(5, 34)), 1)], [])
    with pytest.raises(ValueError, match=r"sample 0 of NMNIST .* x must lie in 0..33, got .* 34"):
        load_dataset("nmnist")

    def nowhere(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(sys.modules["tonic.datasets"], "NMNIST", nowhere)
    with pytest.raises(FileNotFoundError, match=r"could not fetch it \(no route .*--data"):
        load_dataset("nmnist", tmp_path)
    monkeypatch.setitem(sys.modules, "tonic.datasets", None)
    with pytest.raises(ImportError, match=r"NMNIST is read by tonic.*'stbp-edu\[events\]'"):
        load_dataset("nmnist")


def _bar(rng: np.random.Generator, right: bool) -> Events:
    """Return a bar that moves from the middle to one side and round to it again, in noise."""
    t = np.sort(rng.integers(0, 315_000, 300))
    x = (rng.integers(14, 21) + (1 if right else -1) * 34 * t // 315_000) % 34
    noise = rng.random(300) < 0.1
    x[noise] = rng.integers(0, 34, noise.sum())
    return Events(x, rng.integers(10, 20, 300), t, rng.integers(0, 2, 300))


@pytest.mark.slow
def test_recorded_events_are_learned(recorded, rng):
    """All that tells the two classes apart is the order of the frames."""
    samples = [(_bar(rng, right), int(right)) for right in (False, True) for _ in range(150)]
    recorded("NMNIST", samples, samples)
    data = load_dataset("nmnist", held_out="validation")
    settings = replace(
        RECIPES["nmnist"], hidden=(60,), tau=0.8, gate="linear", batch=20, epochs=15, lr=4e-3
    )
    assert len(data.test_labels) == 60
    *_, last = (event for event in train(settings, data) if isinstance(event, Epoch))
    assert last.test > 0.75  # chance is 0.5
