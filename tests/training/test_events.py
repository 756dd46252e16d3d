"""Events: their bins, and recordings that are missing or damaged; tests/bridges reads tonic's."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from stbp_edu.training.data import Events, bin_events, load_dataset


@pytest.mark.parametrize(
    ("T", "duration"), [(1, 7), (3, 10), (2, 20), (7, 100), (12, 5)]
)
def test_every_event_falls_into_its_bin(T, duration):
    rng = np.random.default_rng(11)
    events = Events(*(rng.integers(0, bound, 300) for bound in (4, 3, duration + 3, 2)))
    expected = np.zeros((T, 2, 3, 4), int)
    for x, y, t, p in zip(*events, strict=True):
        for k in range(T):
            if (
                k * duration <= t * T < (k + 1) * duration
            ):  # times T, so that nothing is rounded
                expected[k, p, y, x] += 1
    np.testing.assert_array_equal(bin_events(events, T, duration, (2, 3, 4)), expected)
    assert 0 < expected.sum() < 300  # those after the duration are left out


def test_what_is_missing_or_damaged_is_named(monkeypatch, tmp_path):
    def nowhere(**_):
        raise OSError("no route to host")

    outside = np.array([(34, 0, 0, 0)], [(name, int) for name in "xytp"])
    for reader, error, words in (
        (nowhere, FileNotFoundError, r"could not fetch it \(no route .*--data"),
        (
            lambda **_: [(outside, 1)],
            ValueError,
            "sample 0 of NMNIST .* must lie in 0..33, .* 34",
        ),
    ):
        datasets = SimpleNamespace(NMNIST=reader)
        monkeypatch.setitem(sys.modules, "tonic", SimpleNamespace(datasets=datasets))
        monkeypatch.setitem(sys.modules, "tonic.datasets", datasets)
        with pytest.raises(error, match=words):
            load_dataset("nmnist", tmp_path)
    monkeypatch.setitem(sys.modules, "tonic.datasets", None)
    with pytest.raises(
        ImportError, match=r"NMNIST is read by tonic.*'stbp-edu\[events\]'"
    ):
        load_dataset("nmnist")
