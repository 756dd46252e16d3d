"""The oracles of formulas: curves and losses once more, with nothing of the package."""

import autograd
import numpy as np
import pytest
import sympy

from stbp_edu.losses import RATE
from stbp_edu.verify import formulas
from stbp_edu.verify.formulas import loss_value

RNG = np.random.default_rng(1)
SPIKES, POTENTIALS = RNG.random((3, 4, 2)), RNG.normal(size=(3, 4, 2))
TARGETS = RNG.dirichlet([1, 1], 4)
OUTPUTS = list(zip(SPIKES, POTENTIALS, strict=True))


@pytest.mark.slow
def test_h1_h2_h3_h4_twin_1_twin_2_twin_3_twin_4_and_the_gates_equal_their_formulas():
    found = list(formulas.curves(sympy))
    assert {id for id, *_ in found} | {"loss"} == set(formulas.IDS)
    for id, name, got, expected in found:
        size = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, atol=1e-12 * size, err_msg=f"{id}, {name}")


def test_the_rate_loss_number_by_number():
    """Rates 1/2 and 1, 0 and 3/4 of two samples: misses 1/2, -1, 1 and -1/4."""
    outputs = np.array([[[1.0, 1.0], [0.0, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
    targets = np.array([[1.0, 0.0], [1.0, 0.5]])
    expected = (0.25 + 1 + 1 + 0.0625) / 4
    assert loss_value(RATE, [(o, o) for o in outputs], targets) == expected


class Own:
    """A loss of one's own: the last potential's sum, by the first target, plus all spikes."""

    def value(self, trace, targets):
        """Return its value."""
        return trace.U[-1][-1].sum() * targets[0, 0] + trace.O[-1].sum()


def test_a_loss_of_ones_own_is_asked_for_its_value_and_not_within_autograd():
    expected = POTENTIALS[2].sum() * TARGETS[0, 0] + SPIKES.sum()
    assert loss_value(Own(), OUTPUTS, TARGETS) == pytest.approx(expected)
    with pytest.raises(TypeError, match=r"loss must be one of stbp_edu\.losses for automatic"):
        loss_value(Own(), OUTPUTS, TARGETS, autograd.numpy)
    with pytest.raises(ValueError, match="zip"):
        loss_value(np.ones((2, 4, 2)), OUTPUTS, TARGETS)  # slopes of fewer steps
