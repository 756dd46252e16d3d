from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.loop.evaluation import evaluate
from stbp_edu.training.loop.state import begin, copy
from stbp_edu.training.loop.stepper import Stepper
from stbp_edu.training.loop.trainer import Epoch, Step, train
from stbp_edu.training.settings import Settings
from stbp_edu.training.workers.parallel import team
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
    """Each image is one lit pixel whose value is its number, so that it can be followed."""
    images = np.zeros((30, 5, 5), np.uint8)
    images[:, 2, 2] = np.arange(1, 31)
    labels = np.arange(30) % 3
    data = Dataset(images, labels, images, labels)
    settings = replace(small, shift=1, batch=7)
    seen, places = [], set()
    with team(Stepper(settings, images, labels, begin(settings, data)), 1) as crew:
        step = crew.job

        def followed(at):
            rows = original(at)
            for row, label in zip(rows, labels[step._order[at]], strict=True):
                (pixel,) = np.flatnonzero(row)
                assert (row[pixel] - 1) % 3 == label
                seen.append(int(row[pixel]))
                places.add(divmod(int(pixel), 5))
            return rows

        original = step._images
        step._images = followed
        list(step.epoch(crew))
    assert sorted(seen) == list(range(1, 31))
    assert seen != sorted(seen)
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


def test_averaging_and_schedule() -> None:
    settings = Settings(lr=2.0)
    rates = [settings.learning_rate(x) for x in (0.0, 0.25, 1.0)]
    np.testing.assert_allclose(rates, [2.0, 1 + np.sqrt(0.5), 0.0], atol=1e-15)
    assert replace(settings, schedule="constant").learning_rate(0.9) == 2.0


def test_without_averaging_the_average_is_the_parameters(small, few) -> None:
    state = final(replace(small, averaging=0.0), few).state
    assert state.average is None
    averaged = final(small, few).state
    assert bits(averaged.kept) != bits(averaged.params) == bits(state.params)


def test_evaluation_counts_answers(small, few) -> None:
    state = final(small, few).state
    found = evaluate(
        state.kept, few.test_images, few.test_labels, small, np.random.default_rng(0),
        encodings=3,
    )  # fmt: skip
    assert len(found.accuracies) == 3
    assert found.confusion.sum() == 150
    np.testing.assert_array_equal(found.confusion.sum(axis=1), 3 * np.bincount(few.test_labels))
    assert found.mean == pytest.approx(np.trace(found.confusion) / 150)
    assert found.spread == pytest.approx(np.std(found.accuracies, ddof=1))


def test_a_gradient_that_is_not_finite_stops_the_run(small, few) -> None:
    state = begin(small, few)
    state.params.W[1][3, :] = np.float32(3e38)
    with pytest.raises(ValueError, match="must be finite"), np.errstate(all="ignore"):
        list(train(small, few, state))


def test_a_state_of_other_data_is_named(small, few) -> None:
    state = begin(small, few)
    wide = replace(
        few, train_images=few.train_images[:, :, :7], test_images=few.test_images[:, :, :7]
    )
    with pytest.raises(ValueError, match="56 inputs and 10 outputs for this data, got 64 and 10"):
        list(train(small, wide, state))


def test_copies_share_nothing(small, few) -> None:
    params = begin(small, few).params
    other = copy(params)
    other.W[1] += 1
    assert bits(params) != bits(other)


def test_images_held_out_may_be_given_more_steps(small, few) -> None:
    settings = replace(small, T_test=7)
    params = begin(small, few).params
    judged = [
        evaluate(params, few.test_images, few.test_labels, s, np.random.default_rng(0))
        for s in (settings, replace(small, T=7), small)
    ]
    assert small.T != 7
    np.testing.assert_array_equal(judged[0].confusion, judged[1].confusion)
    assert (judged[0].confusion != judged[2].confusion).any()
    epoch = next(e for e in train(settings, few) if isinstance(e, Epoch))
    plain = next(e for e in train(small, few) if isinstance(e, Epoch))
    assert bits(epoch.state.params) == bits(plain.state.params)  # learning is as it was
