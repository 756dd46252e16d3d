"""Training: every rule learns, a seed decides every bit, and processes change none."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import backward, forward, loss
from stbp_edu.arrays import add_up, tensors
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training import Dataset, Epoch, Settings, Step, initial_state, train
from stbp_edu.training.evaluation import merge
from stbp_edu.training.sparsity import samples_with_error
from stbp_edu.training.trainer import train_epoch
from stbp_edu.training.training_job import TrainingJob
from stbp_edu.training.workers import worker_pool
from tests.runs import bits, final

VARIANTS = {
    "two shards, shifts, dropout": {"shards": 2, "shift": 1, "dropout": 0.5},
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


@pytest.fixture
def two_cores(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


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

    class Followed(TrainingJob):
        def _encode(self, images):
            for row, target in zip(images.read.images, images.targets, strict=True):
                (k,) = row.nonzero()[0]
                assert target[(row[k] - 1) % 3] == 1
                seen.append(int(row[k]))
                places.add(divmod(int(images.read.pixels[k]), 5))
            return super()._encode(images)

    with worker_pool(Followed(settings, data, initial_state(settings, data)), 1) as pool:
        list(train_epoch(pool, epoch=0, taken=0))
    assert sorted(seen) == list(range(1, 31))
    assert seen != sorted(seen)
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize(("T", "dark"), [(4, False), (17, False), (17, True)])
def test_processes_change_no_bit(T, dark, small, bytes_few, monkeypatch) -> None:
    """43 images in batches of 10: the last has three shards of one image, which may be dark."""
    images = np.pad(bytes_few.train_images[:43], ((0, 0), (0, 9), (0, 9)))
    images *= not dark
    data = Dataset(images, bytes_few.train_labels[:43], images[:5], bytes_few.train_labels[:5])
    settings = replace(small, T=T, shards=3, batch=10, shift=2)  # T = 17: image by image
    together = final(settings, data)
    monkeypatch.setattr(sys, "platform", "emscripten")  # no processes on a web page
    alone = final(settings, data)
    assert bits(together.state.params) == bits(alone.state.params)
    assert together.test == alone.test
    assert together.rates[0] > 0 or dark


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("shards", [1, 2])
def test_states_are_copies_that_no_step_changes(shards, small, bytes_few) -> None:
    settings = replace(small, shards=shards)
    start = initial_state(settings, bytes_few)
    before = bits(start.params), bits(start.kept)
    states = (e.state for e in train(settings, bytes_few, start) if isinstance(e, Epoch))
    kept = [(state, bits(state.params), bits(state.kept)) for state in states]
    assert (bits(start.params), bits(start.kept)) == before
    for state, params, average in kept:
        assert (bits(state.params), bits(state.kept)) == (params, average)
    assert len({params for _, params, _ in kept}) == 2
    array = kept[-1][0].kept.W[1]
    assert array.base is None or isinstance(array.base, np.ndarray)  # no memory of the pool
    assert [state.optimizer.step for state, *_ in kept] == [10, 20]


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("shards", [1, 2])
def test_a_run_that_diverges_says_so(shards, small, bytes_few) -> None:
    settings = replace(small, shards=shards, optimizer="sgd", lr=1e39)
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
def test_shards_give_the_gradient_of_the_whole_batch(changes, small, few) -> None:
    """Direct coding draws nothing, so that the shards must add up to one backward pass.

    Images whose output is right send no error, and are left out of the shards' pass.
    """
    settings = replace(small, encoder="direct", epochs=8, **changes)
    state = final(settings, few).state
    settings = replace(settings, batch=21, shards=2)
    with worker_pool(TrainingJob(settings, few, state), 2) as workers:
        workers.map(TrainingJob.begin_epoch, 0)
        batch = merge(workers.map(TrainingJob.gradient, 0, [None] * state.params.N))
        job = workers.job
        add_up(job._grads)
        grads = job._grads[0]
    order = job._order[:21]
    rows, labels = few.train_images[order].reshape(21, -1), few.train_labels[order]
    neuron, targets = settings.make_neuron(), np.eye(10, dtype=np.float32)[labels]
    trace = forward(np.stack([rows] * settings.T), state.params, neuron)
    expected = backward(trace, targets, state.params, neuron)
    assert len(samples_with_error(trace, targets)) < 21 or changes != CONV
    for name, array in tensors(expected).items():
        np.testing.assert_allclose(tensors(grads)[name], array, rtol=1e-3, atol=1e-7)
    assert batch.size == 21
    assert batch.loss == pytest.approx(loss(trace, targets), rel=1e-6)
    answers = trace.O[-1].mean(axis=0).argmax(axis=1)
    assert batch.right == (answers == labels).sum()
    for n in (1, 2):
        assert batch.rates[n] == pytest.approx(trace.O[n].mean(), rel=1e-5)
