from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.arrays import tensors
from stbp_edu.training import Epoch, Settings, evaluate, initial_state, train
from tests.runs import bits, final


def test_evaluation_of_a_network_that_always_answers_three(few) -> None:
    settings = Settings(hidden=(2,), T=3)
    params = initial_state(settings, few).params
    for array in tensors(params).values():
        array.fill(0)
    params.b[2][3] = 1.0
    found = evaluate(params, few.test_images, few.test_labels, settings, np.random.default_rng(0))
    assert found.confusion[:, 3].sum() == found.confusion.sum() == 50
    assert found.mean == (few.test_labels == 3).mean()
    assert found.spread == 0


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


def test_images_held_out_may_be_given_more_steps(small, few) -> None:
    settings = replace(small, T_test=7)
    params = initial_state(small, few).params
    evaluations = [
        evaluate(params, few.test_images, few.test_labels, s, np.random.default_rng(0))
        for s in (settings, replace(small, T=7), small)
    ]
    assert small.T != 7
    np.testing.assert_array_equal(evaluations[0].confusion, evaluations[1].confusion)
    assert (evaluations[0].confusion != evaluations[2].confusion).any()
    epoch = next(e for e in train(settings, few) if isinstance(e, Epoch))
    plain = next(e for e in train(small, few) if isinstance(e, Epoch))
    assert bits(epoch.state.params) == bits(plain.state.params)  # learning is as it was
