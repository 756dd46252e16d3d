"""Training: events, what a step sees, evaluation, and runs side by side."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from stbp_edu.training import (
    Dataset,
    Epoch,
    Step,
    evaluate,
    initial_state,
    train,
)
from stbp_edu.training.trainer import TrainingJob
from tests.runs import bits, epochs


def test_events_tell_the_whole_story(small, few):
    events = list(train(replace(small, batch=64), few))
    steps = [e for e in events if isinstance(e, Step)]
    assert [(s.epoch, s.step) for s in steps] == [
        (e, s) for e in (1, 2) for s in range(1, 5)
    ]
    assert [s.done for s in steps] == [k / 8 for k in range(1, 9)]
    assert all(len(s.rates) == 3 for s in steps)
    first, second = (e for e in events if isinstance(e, Epoch))
    assert (first.epoch, second.epoch) == (1, 2)
    for name in ("loss", "accuracy", "rates"):  # weigh images, not steps
        values = [getattr(s, name) for s in steps[:4]]
        mean = np.average(values, axis=0, weights=[64, 64, 64, 8])
        np.testing.assert_allclose(getattr(first, name), mean)


def test_an_epoch_visits_every_image_once_and_shifts_by_at_most_one_pixel(small):
    """Each image has one active pixel whose value is its number, so that it can be followed."""
    images = np.zeros((30, 5, 5), np.uint8)
    images[:, 2, 2] = np.arange(1, 31)
    data = Dataset(images, np.arange(30) % 3, images, np.arange(30) % 3)
    settings = replace(small, shift=1, batch=7, encoder="direct")
    job = TrainingJob(settings, data, initial_state(settings, data))
    job.begin_epoch(0)
    batches = [job.batch(number) for number in range(job.steps)]
    seen = np.concatenate([spikes[0] for spikes, _ in batches]).reshape(30, 5, 5)
    targets = np.concatenate([targets for _, targets in batches])
    image, *place = np.nonzero(seen)
    numbers = np.round(255 * seen[image, *place]).astype(int)
    assert sorted(numbers) == list(range(1, 31))
    assert list(numbers) != sorted(numbers)
    np.testing.assert_array_equal(targets.argmax(axis=1), (numbers - 1) % 3)
    assert {*zip(*place, strict=True)} == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


def test_a_run_that_diverges_says_so(small, bytes_few):
    with pytest.raises(ValueError, match="the run diverged in epoch 1"):
        list(train(replace(small, lr=1e39), bytes_few))


def test_evaluation_counts_answers(small, few):
    params, rng = epochs(small, few)[-1].state.kept, np.random.default_rng(0)
    images, labels = few.test_images, few.test_labels
    found = evaluate(params, images, labels, small, rng, encodings=3)
    assert found.confusion.sum(axis=1).tolist() == (3 * np.bincount(labels)).tolist()
    assert found.mean == pytest.approx(np.trace(found.confusion) / 150)
    assert found.spread == pytest.approx(np.std(found.accuracies, ddof=1))
    with pytest.raises(ValueError, match="encodings must be <= 10000"):
        evaluate(params, images, labels, small, rng, encodings=2**40)


def test_runs_in_threads_are_the_runs_alone(small, few):
    """With equal settings, side by side, while a third thread evaluates again and again."""
    settings = replace(small, hidden=(60,), T=10, epochs=6)
    params, done = initial_state(settings, few).params, Event()

    def run():
        return bits(epochs(settings, few)[-1].state.params)

    def evaluate_on():
        means = set()
        while not done.is_set():
            rng, held_out = np.random.default_rng(0), (few.test_images, few.test_labels)
            means.add(evaluate(params, *held_out, settings, rng).mean)
        return means

    alone = run()
    with ThreadPoolExecutor(3) as pool:
        evaluating = pool.submit(evaluate_on)
        together = [pool.submit(run) for _ in range(2)]
        found = [one.result() for one in together]
        done.set()
        assert len(evaluating.result()) <= 1
    assert found == [alone, alone]
