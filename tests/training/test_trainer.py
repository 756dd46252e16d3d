"""Training: events, a step takes the gradient of its batch under every rule; evaluation."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from stbp_edu import init_params
from stbp_edu.training import (
    Dataset,
    Epoch,
    Settings,
    Step,
    evaluate,
    initial_state,
    train,
)
from stbp_edu.training.model import draw_dropout, drop, with_dropout
from stbp_edu.training.trainer import TrainingJob
from tests.networks import fast_backward, fast_forward
from tests.runs import bits, epochs


def test_events_tell_the_whole_story(small, few) -> None:
    settings = replace(small, batch=64)
    events = list(train(settings, few))
    steps = [e for e in events if isinstance(e, Step)]
    assert [(s.epoch, s.step) for s in steps] == [
        (e, s) for e in (1, 2) for s in (1, 2, 3, 4)
    ]
    assert [s.done for s in steps] == [k / 8 for k in range(1, 9)]
    assert all(len(s.rates) == 3 and 0 <= s.accuracy <= 1 for s in steps)
    told = [e for e in events if isinstance(e, Epoch)]
    assert [e.epoch for e in told] == [1, 2]
    sizes = [64, 64, 64, 8]  # an epoch's means weigh its images, not its steps
    assert told[0].loss == pytest.approx(
        np.average([s.loss for s in steps[:4]], weights=sizes)
    )
    rates = np.average([s.rates for s in steps[:4]], axis=0, weights=sizes)
    np.testing.assert_allclose(told[0].rates, rates)
    assert all(len(s.outputs) == 10 for s in steps)


def test_an_epoch_visits_every_image_once_and_shifts_by_at_most_one_pixel(
    small,
) -> None:
    """Each image has one active pixel whose value is its number, so that it can be followed."""
    images = np.zeros((30, 5, 5), np.uint8)
    images[:, 2, 2] = np.arange(1, 31)
    data = Dataset(images, np.arange(30) % 3, images, np.arange(30) % 3)
    settings = replace(small, shift=1, batch=7, encoder="direct")
    seen, places = [], set()

    job = TrainingJob(settings, data, initial_state(settings, data))
    job.begin_epoch(0)
    for number in range(job.steps):
        for image, target in zip(*job._batch(number), strict=True):
            ((y, x),) = np.argwhere(image)
            assert target[(image[y, x] - 1) % 3] == 1
            seen.append(int(image[y, x]))
            places.add((int(y), int(x)))
    assert sorted(seen) == list(range(1, 31))
    assert seen != sorted(seen)
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


def test_a_run_that_diverges_says_so(small, bytes_few) -> None:
    settings = replace(small, lr=1e39)
    with pytest.raises(ValueError, match="the run diverged in epoch 1"):
        list(train(settings, bytes_few))


def test_dropout_leaves_neurons_out_and_scales_the_others_up() -> None:
    """Weights that leave a neuron have its factor, and so have their gradients."""
    rng, neuron = np.random.default_rng(2), Settings().make_neuron()
    net = init_params([30, 7, 5, 3], rng, scale=3.0)
    spikes, targets = (rng.random((5, 4, 30)) < 0.6) * 1.0, rng.random((4, 3))
    factors = draw_dropout(net.sizes, 0.5, rng)
    assert [sorted(f) for f in factors] == [
        [0] * 3 + [7 / 4] * 4,
        [0] * 3 + [5 / 2] * 2,
    ]
    cut = with_dropout(net, factors)
    grads = fast_backward(fast_forward(spikes, cut, neuron), targets, cut, neuron)
    found = drop(grads, factors)
    for n, f in enumerate([np.ones(30), *factors], 1):
        np.testing.assert_array_equal(cut.W[n], net.W[n] * f)
        np.testing.assert_array_equal(found[n]["W"], grads.W[n] * f)
        np.testing.assert_array_equal(found[n]["b"], grads.b[n])
        out = factors[n - 1] == 0 if n < 3 else []
        assert not grads.b[n][out].any()
        assert grads.b[n].any()
    assert draw_dropout(net.sizes, 0.0, rng) == []


def test_evaluation_counts_answers(small, few) -> None:
    state = epochs(small, few)[-1].state
    found = evaluate(
        state.kept, few.test_images, few.test_labels, small, np.random.default_rng(0),
        encodings=3,
    )  # fmt: skip
    assert len(found.accuracies) == 3
    assert found.confusion.sum() == 150
    np.testing.assert_array_equal(
        found.confusion.sum(axis=1), 3 * np.bincount(few.test_labels)
    )
    assert found.mean == pytest.approx(np.trace(found.confusion) / 150)
    assert found.spread == pytest.approx(np.std(found.accuracies, ddof=1))
    with pytest.raises(
        ValueError, match=r"16 inputs and 1 outputs for images .*, got 64 and 10"
    ):
        evaluate(
            state.kept,
            np.zeros((2, 2, 8)),
            np.zeros(2, int),
            small,
            np.random.default_rng(0),
        )


def test_runs_in_threads_are_the_runs_alone(small, few) -> None:
    """With equal settings, side by side, while a third thread evaluates again and again."""
    settings = replace(small, hidden=(60,), T=10, epochs=6)
    params = initial_state(settings, few).params
    done = Event()

    def run() -> bytes:
        return bits(epochs(settings, few)[-1].state.params)

    def evaluate_on() -> set[float]:
        means = set()
        while not done.is_set():
            rng = np.random.default_rng(0)
            means.add(
                evaluate(params, few.test_images, few.test_labels, settings, rng).mean
            )
        return means

    alone = run()
    with ThreadPoolExecutor(3) as pool:
        evaluating = pool.submit(evaluate_on)
        together = [pool.submit(run) for _ in range(2)]
        found = [one.result() for one in together]
        done.set()
        assert len(evaluating.result()) <= 1
    assert found == [alone, alone]
