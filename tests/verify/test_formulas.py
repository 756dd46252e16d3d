"""The oracles of formulas: curves and losses once more, with nothing of the package."""

import numpy as np

from stbp_edu.losses import RATE
from stbp_edu.verify.formulas import loss_value


def test_the_rate_loss_number_by_number():
    """Rates 1/2 and 1, 0 and 3/4 of two samples: misses 1/2, -1, 1 and -1/4."""
    outputs = np.array([[[1.0, 1.0], [0.0, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
    targets = np.array([[1.0, 0.0], [1.0, 0.5]])
    expected = (0.25 + 1 + 1 + 0.0625) / 4
    assert loss_value(RATE, [{"o": o, "u": o} for o in outputs], targets) == expected
