"""The encoders that show something else at each step, and training on events."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stbp_edu.training import RECIPES, Dataset, Epoch, Settings, encode, evaluate, train
from stbp_edu.training.data import Events, load_dataset, load_digits
from stbp_edu.training.data.encoders import TIMED, frames, inputs
from stbp_edu.training.data.saccades import MOVES, PATH, saccades
from tests.event_files import put_nmnist

PLACES = [
    (0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2),
    (6, 3), (5, 3), (4, 4), (3, 4), (2, 5), (1, 5),
    (0, 6), (0, 5), (0, 4), (0, 3), (0, 2), (0, 1), (0, 0),
]  # fmt: skip


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_frames_are_shown_as_they_are_and_then_nothing(rng):
    images = rng.random((5, 3, 4))
    shown = frames(images, 8, hold=2)
    for t in range(6):
        np.testing.assert_array_equal(shown[t], images[:, t // 2])
    assert not shown[6:].any()
    of_bytes = frames(np.array([[[0, 255, 51]]], np.uint8), 1)
    assert of_bytes.dtype == np.float32
    np.testing.assert_allclose(of_bytes, [[[0, 1, 0.2]]], rtol=1e-7)


def test_the_path_is_a_triangle_of_whole_pixels():
    assert [tuple(map(int, place)) for place in PATH] == PLACES
    assert MOVES == 18


def _seen(image: np.ndarray, row: int, column: int, place: tuple[int, int]) -> float:
    """Return the brightness that the camera sees at a place of its own."""
    r, c = row - place[0], column - place[1]
    inside = 0 <= r < image.shape[0] and 0 <= c < image.shape[1]
    return float(image[r, c]) if inside else 0.0


@pytest.mark.parametrize("T", [1, 4, 9, 18, 25])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_an_event_is_a_change_beyond_the_threshold(rng, T, as_bytes):
    white = 255 if as_bytes else 1
    images = rng.choice([0, 51, 52, 200, 255] if as_bytes else [0, 0.2, 0.25, 1.0], (2, 3, 2))
    images = images.astype(np.uint8 if as_bytes else np.float64)
    expected = np.zeros((T, 2, 2, 9, 8))
    for k, (before, after) in enumerate(pairwise(PLACES)):
        for s, image in enumerate(images):
            for r, c in np.ndindex(9, 8):
                change = _seen(image, r, c, after) - _seen(image, r, c, before)
                if abs(change) > 0.2 * white:
                    expected[k * T // 18, s, int(change > 0), r, c] = 1
    found = saccades(images, T)
    np.testing.assert_array_equal(found, expected.reshape(T, 2, -1))
    assert found.dtype == (np.float32 if as_bytes else np.float64)


def test_saccades_are_the_same_each_time_and_of_the_papers_size(rng):
    images = rng.integers(0, 256, (3, 28, 28), dtype=np.uint8)
    first = encode("saccades", images, 9, np.random.default_rng(0))
    np.testing.assert_array_equal(first, encode("saccades", images, 9, np.random.default_rng(1)))
    assert first.shape == (9, 3, 2312)
    assert set(np.unique(first)) == {0, 1}


@pytest.mark.parametrize("encoder", TIMED)
def test_the_width_is_what_the_encoder_makes(encoder, rng):
    images = rng.random((2, 5, 3))
    assert encode(encoder, images, 9, rng).shape == (9, 2, inputs(encoder, (5, 3)))


@pytest.mark.parametrize("encoder", TIMED)
@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (np.zeros((2, 3)), ValueError, r"images must have shape \(S, height, width\)"),
        (np.zeros((0, 3, 3)), ValueError, "images must have shape"),
        (np.full((1, 2, 2), 1.5), ValueError, r"images must lie in \[0, 1\]"),
        (np.ones((1, 2, 2), int), TypeError, "images must be float32 or float64, got int64"),
    ],
)
def test_bad_images_are_named(encoder, images, error, words, rng):
    with pytest.raises(error, match=words):
        encode(encoder, images, 9, rng)


def test_too_few_steps_and_a_shift_of_frames_are_named():
    with pytest.raises(ValueError, match=r"T must be >= hold \* height = 2 \* 3 = 6, got 5"):
        frames(np.zeros((1, 3, 4)), 5, hold=2)
    with pytest.raises(ValueError, match="T must be >= 1"):
        saccades(np.zeros((1, 3, 4)), 0)
    with pytest.raises(ValueError, match="shift must be 0 with encoder = 'frames', got 1"):
        Settings(encoder="frames", shift=1)


def _trained(settings: Settings, data: Dataset) -> Epoch:
    return [e for e in train(settings, data) if isinstance(e, Epoch)][-1]


@pytest.mark.slow
def test_saccades_over_a_few_digits_are_learned():
    data = load_digits()
    few = Dataset(data.train_images[:400], data.train_labels[:400],
                  data.test_images[:200], data.test_labels[:200])  # fmt: skip
    settings = replace(RECIPES["mnist-saccades"], hidden=(100,), batch=20, epochs=8, lr=4e-3)
    last = _trained(settings, few)
    assert last.test > 0.6  # chance is 0.1
    rng = np.random.default_rng(0)
    again = evaluate(last.state.kept, few.test_images, few.test_labels, settings, rng, encodings=2)
    assert again.accuracies == (last.test, last.test)  # nothing is drawn


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
    assert _trained(settings, data).test > 0.75  # chance is 0.5
