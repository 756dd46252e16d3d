from __future__ import annotations

import numpy as np

from stbp_edu import Params
from stbp_edu.training.optim import update_average


def params_of(w: float, b: float) -> Params:
    return Params(W=[None, np.array([[w]])], b=[None, np.array([b])])


def test_a_weight_average_is_the_weighted_sum_of_the_past() -> None:
    average, decay = params_of(1.0, 1.0), 0.75
    for value in (2.0, 4.0):
        update_average(average, params_of(value, 0.0), decay)
    np.testing.assert_allclose(average.W[1][0, 0], 0.75**2 + 0.75 * 0.25 * 2 + 0.25 * 4)
    np.testing.assert_allclose(average.b[1][0], 0.75**2)
