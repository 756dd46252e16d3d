"""The oracles of formulas: curves and losses once more, with nothing of the package."""

import numpy as np
import pytest

from stbp_edu.losses import RATE
from stbp_edu.verify import formulas
from stbp_edu.verify.formulas import loss_value


@pytest.mark.slow
def test_h1_h2_h3_h4_twin_1_twin_2_twin_3_twin_4_and_the_gates_equal_their_formulas():
    found = list(formulas.curves(pytest.importorskip("sympy")))
    assert {id for id, *_ in found} | {"loss"} == set(formulas.IDS)
    for id, name, got, expected in found:
        size = np.abs(expected).max()
        np.testing.assert_allclose(
            got, expected, atol=1e-12 * size, err_msg=f"{id}, {name}"
        )


def test_the_rate_loss_number_by_number():
    """Rates 1/2 and 1, 0 and 3/4 of two samples: misses 1/2, -1, 1 and -1/4."""
    outputs = np.array([[[1.0, 1.0], [0.0, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
    targets = np.array([[1.0, 0.0], [1.0, 0.5]])
    expected = (0.25 + 1 + 1 + 0.0625) / 4
    assert loss_value(RATE, [{"o": o, "u": o} for o in outputs], targets) == expected
