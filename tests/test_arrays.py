from __future__ import annotations

import numpy as np

from stbp_edu import Params
from stbp_edu.arrays import tensors


def test_names_of_the_tensors() -> None:
    p = Params(W=[None, np.ones((2, 1)), np.ones((1, 2))], b=[None, np.ones(2), np.ones(1)])
    assert list(tensors(p)) == ["W1", "b1", "W2", "b2"]
