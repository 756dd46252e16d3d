from __future__ import annotations

import numpy as np

from stbp_edu import Params, init_params
from stbp_edu.arrays import copied, tensors
from tests.runs import bits


def test_names_of_the_tensors() -> None:
    p = Params(W=[None, np.ones((2, 1)), np.ones((1, 2))], b=[None, np.ones(2), np.ones(1)])
    assert list(tensors(p)) == ["W1", "b1", "W2", "b2"]


def test_copies_share_nothing() -> None:
    params = init_params([4, 3, 2], np.random.default_rng(0))
    other = copied(params)
    other.W[1] += 1
    assert bits(params) != bits(other)
