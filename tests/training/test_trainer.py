from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.settings import Settings
from stbp_edu.training.state import initial_state
from stbp_edu.training.trainer import Epoch, Step, train, train_epoch
from stbp_edu.training.training_job import TrainingJob
from stbp_edu.training.workers import worker_pool
from tests.runs import bits, final

VARIANTS = {
    "plain": {},
    "two shards, shifts, dropout": {"shards": 2, "shift": 1, "dropout": 0.5},
    "sgd, direct, two layers": {
        "optimizer": "sgd",
        "lr": 0.1,
        "encoder": "direct",
        "hidden": (12, 8),
        "averaging": 0.0,
        "batch": 32,  # 200 images: the last batch is smaller
    },
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


@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_every_rule_learns(rule, few) -> None:
    settings = Settings(rule=rule, hidden=(60,), T=8, batch=20, epochs=12, lr=3e-3)
    settings = replace(settings, init_scale=0.5)
    epochs = [e for e in train(settings, few) if isinstance(e, Epoch)]
    assert epochs[-1].loss < 0.5 * epochs[0].loss
    assert epochs[-1].test > 0.7


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
    labels = np.arange(30) % 3
    data = Dataset(images, labels, images, labels)
    settings = replace(small, shift=1, batch=7)
    seen, places = [], set()
    state = initial_state(settings, data)
    with worker_pool(TrainingJob(settings, data, state), 1) as pool:
        job = pool.job

        def followed(at):
            rows = original(at)
            for row, label in zip(rows, labels[job._order[at]], strict=True):
                (pixel,) = np.flatnonzero(row)
                assert (row[pixel] - 1) % 3 == label
                seen.append(int(row[pixel]))
                places.add(divmod(int(pixel), 5))
            return rows

        original = job._rows
        job._rows = followed
        list(train_epoch(pool, state))
    assert sorted(seen) == list(range(1, 31))
    assert seen != sorted(seen)
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


def test_without_averaging_the_parameters_are_kept(small, few) -> None:
    state = final(replace(small, averaging=0.0), few).state
    assert state.average is None
    assert state.kept is state.params
    averaged = final(small, few).state
    assert bits(averaged.kept) != bits(averaged.params) == bits(state.params)


def test_a_gradient_that_is_not_finite_stops_the_run(small, few) -> None:
    state = initial_state(small, few)
    state.params.W[1][3, :] = np.float32(3e38)
    with pytest.raises(ValueError, match="must be finite"), np.errstate(all="ignore"):
        list(train(small, few, state))


def test_a_state_of_other_data_is_named(small, few) -> None:
    state = initial_state(small, few)
    wide = replace(
        few, train_images=few.train_images[:, :, :7], test_images=few.test_images[:, :, :7]
    )
    with pytest.raises(ValueError, match="56 inputs and 10 outputs for this data, got 64 and 10"):
        list(train(small, wide, state))
