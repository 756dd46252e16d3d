from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.arrays import tensors
from stbp_edu.training import evaluate, initial_state
from tests.runs import bits, epochs


def test_evaluation_counts_answers(small, few) -> None:
    state = epochs(small, few)[-1].state
    found = evaluate(
        state.kept, few.test_images, few.test_labels, small, np.random.default_rng(0),
        encodings=3,
    )  # fmt: skip
    assert len(found.accuracies) == 3
    assert found.confusion.sum() == 150
    np.testing.assert_array_equal(found.confusion.sum(axis=1), 3 * np.bincount(few.test_labels))
    assert found.mean == pytest.approx(np.trace(found.confusion) / 150)
    assert found.spread == pytest.approx(np.std(found.accuracies, ddof=1))
    for array in tensors(state.kept).values():
        array.fill(0)
    state.kept.b[2][3] = 1.0  # it answers 3, whatever it sees
    same = evaluate(state.kept, few.test_images, few.test_labels, small, np.random.default_rng(0))
    assert same.confusion[:, 3].sum() == 50
    assert (same.mean, same.spread) == ((few.test_labels == 3).mean(), 0)
    with pytest.raises(ValueError, match="with 64 pixels each"):
        evaluate(state.kept, np.zeros((2, 2, 8)), np.zeros(2, int), small, np.random.default_rng(0))


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
    longer, plain = (epochs(s, few)[0].state.params for s in (settings, small))
    assert bits(longer) == bits(plain)  # learning is as it was
