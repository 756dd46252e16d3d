from __future__ import annotations

import numpy as np

from stbp_edu.arrays import tensors
from stbp_edu.training.loop.evaluation import evaluate
from stbp_edu.training.loop.state import initial_state
from stbp_edu.training.settings import Settings


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
