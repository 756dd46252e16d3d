"""Training: every rule learns, and a seed decides every bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import backward, forward, init_params, loss
from stbp_edu.arrays import tensors
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training import Dataset, Epoch, Settings, Step, initial_state, train
from stbp_edu.training.training_job import TrainingJob, draw_dropout, drop, with_dropout
from tests.runs import bits, final

VARIANTS = {
    "shifts, dropout": {"shift": 1, "dropout": 0.5},
    "sgd, direct, two layers": {
        "optimizer": "sgd",
        "lr": 0.1,
        "encoder": "direct",
        "hidden": (12, 8),
        "averaging": 0.0,
        "batch": 32,  # 200 images: the last batch is smaller
    },
    "against the network": {"adversarial": 0.1, "fgsm": "targeted", "dropout": 0.2, "shift": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_seed_decides_every_bit(variant, small, bytes_few) -> None:
    settings = replace(small, **VARIANTS[variant])
    first, again = final(settings, bytes_few), final(settings, bytes_few)
    other = final(replace(settings, seed=1), bytes_few)
    assert bits(first.state.kept) == bits(again.state.kept)
    assert (first.loss, first.test, first.rates) == (again.loss, again.test, again.rates)
    assert bits(first.state.kept) != bits(other.state.kept)


CONV = {
    "hidden": ("4C3", "P2", 20), "T": 3, "v_th": 1.0, "batch": 10, "lr": 1e-2, "init_scale": 1.0,
    "averaging": 0.9,
}  # fmt: skip
LEARN = {
    **{rule: {"rule": rule} for rule in RULES + ABLATIONS},
    "soft reset": {"gate": "soft", "tau": 0.9},
    "convolutions, grey levels": {**CONV, "encoder": "direct"},
    "convolutions, spikes": CONV,
}


@pytest.mark.parametrize("changes", LEARN.values(), ids=LEARN)
def test_everything_learns(changes, few) -> None:
    settings = Settings(hidden=(60,), T=5, batch=20, epochs=8, lr=6e-3, init_scale=0.5)
    epochs = [e for e in train(replace(settings, **changes), few) if isinstance(e, Epoch)]
    assert epochs[-1].loss < 0.6 * epochs[0].loss
    assert epochs[-1].test > 0.6


def test_events_tell_the_whole_story(small, few) -> None:
    settings = replace(small, batch=64)
    events = list(train(settings, few))
    steps = [e for e in events if isinstance(e, Step)]
    assert [(s.epoch, s.step) for s in steps] == [(e, s) for e in (1, 2) for s in (1, 2, 3, 4)]
    assert [s.done for s in steps] == [k / 8 for k in range(1, 9)]
    assert steps[-1].left == 0 < steps[0].left
    assert all(len(s.rates) == 3 and 0 <= s.accuracy <= 1 for s in steps)
    epochs = [e for e in events if isinstance(e, Epoch)]
    assert [e.epoch for e in epochs] == [1, 2]
    sizes = [64, 64, 64, 8]  # an epoch's means weigh its images, not its steps
    assert epochs[0].loss == pytest.approx(np.average([s.loss for s in steps[:4]], weights=sizes))
    np.testing.assert_allclose(
        epochs[0].rates, np.average([s.rates for s in steps[:4]], axis=0, weights=sizes)
    )
    assert len(epochs[0].outputs) == 10


def test_an_epoch_visits_every_image_once_and_shifts_by_at_most_one_pixel(small) -> None:
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


def test_states_are_copies_that_no_step_changes(small, bytes_few) -> None:
    start = initial_state(small, bytes_few)
    before = bits(start.params), bits(start.kept)
    states = (e.state for e in train(small, bytes_few, start) if isinstance(e, Epoch))
    kept = [(state, bits(state.params), bits(state.kept)) for state in states]
    assert (bits(start.params), bits(start.kept)) == before
    for state, params, average in kept:
        assert (bits(state.params), bits(state.kept)) == (params, average)
    assert len({params for _, params, _ in kept}) == 2
    assert [state.optimizer.step for state, *_ in kept] == [10, 20]


def test_a_run_that_diverges_says_so(small, bytes_few) -> None:
    settings = replace(small, optimizer="sgd", lr=1e39)
    with pytest.raises(ValueError, match="the run diverged in epoch 1"):
        list(train(settings, bytes_few))


def test_without_averaging_the_parameters_are_kept(small, few) -> None:
    state = final(replace(small, averaging=0.0), few).state
    assert state.average is None
    assert state.kept is state.params
    averaged = final(small, few).state
    assert bits(averaged.kept) != bits(averaged.params) == bits(state.params)


def test_a_state_of_other_data_is_named(small, few) -> None:
    state = initial_state(small, few)
    wide = replace(
        few, train_images=few.train_images[:, :, :7], test_images=few.test_images[:, :, :7]
    )
    with pytest.raises(ValueError, match="56 inputs and 10 outputs for this data, got 64 and 10"):
        list(train(small, wide, state))


@pytest.mark.parametrize("changes", [{}, CONV])
def test_a_step_takes_the_gradient_of_its_batch(changes, small, few, monkeypatch) -> None:
    settings = replace(small, **{**changes, "encoder": "direct", "batch": 21})
    state, taken = initial_state(settings, few), []
    job = TrainingJob(settings, few, state)
    monkeypatch.setattr(job, "update", lambda grads, lr: taken.append(grads))
    job.begin_epoch(0)
    batch = job.step(0, lr=0.1)
    order = job._order[:21]
    rows, labels = few.train_images[order].reshape(21, -1), few.train_labels[order]
    neuron, targets = settings.make_neuron(), np.eye(10, dtype=np.float32)[labels]
    trace = forward(np.stack([rows] * settings.T), state.params, neuron)
    for name, array in tensors(backward(trace, targets, state.params, neuron)).items():
        np.testing.assert_allclose(tensors(taken[0])[name], array, rtol=1e-3, atol=1e-7)
    assert batch.size == 21
    assert batch.loss == pytest.approx(loss(trace, targets), rel=1e-6)
    answers = trace.O[-1].mean(axis=0).argmax(axis=1)
    assert batch.right == (answers == labels).sum()
    for n in (1, 2):
        assert batch.rates[n] == pytest.approx(trace.O[n].mean(), rel=1e-5)


def test_dropout_is_a_network_without_some_neurons_whose_weights_are_scaled_up() -> None:
    rng, neuron = np.random.default_rng(2), Settings().make_neuron()
    net = init_params([30, 7, 5, 3], rng, scale=3.0)
    spikes, targets = (rng.random((5, 4, 30)) < 0.6) * 1.0, rng.random((4, 3))
    factors = draw_dropout(net.sizes, 0.5, rng)
    kept = [np.arange(30), *(np.flatnonzero(f) for f in factors), np.arange(3)]
    assert [len(k) for k in kept] == [30, 4, 2, 3]
    assert [set(f) for f in factors] == [{0, 7 / 4}, {0, 5 / 2}]
    scale = [1, 7 / 4, 5 / 2]
    blocks = [np.ix_(kept[n], kept[n - 1]) for n in (1, 2, 3)]
    W = [net.W[n][blocks[n - 1]] * scale[n - 1] for n in (1, 2, 3)]
    small = type(net)(W=[None, *W], b=[None, *(net.b[n][kept[n]] for n in (1, 2, 3))])
    want = backward(forward(spikes, small, neuron), targets, small, neuron)
    cut = with_dropout(net, factors)
    found = drop(backward(forward(spikes, cut, neuron), targets, cut, neuron), factors)
    for n in (1, 2, 3):
        inside = np.zeros_like(net.W[n])
        inside[blocks[n - 1]] = want.W[n] * scale[n - 1]
        np.testing.assert_allclose(found[n]["W"], inside, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(found[n]["b"][kept[n]], want.b[n], rtol=1e-12)
    assert draw_dropout(net.sizes, 0.0, rng) == []
