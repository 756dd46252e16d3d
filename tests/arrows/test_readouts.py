"""The losses of Part II: the steps they read, their values, and direct terms as their slopes."""

import math

import numpy as np
import pytest

from stbp_edu import arrows
from stbp_edu.losses import CrossEntropy

SERIES = np.array([[[1.0, 0.0], [0.0, 0.5]], [[0.5, 1.0], [1.0, 0.5]], [[0.0, 0.5], [1.0, 1.0]]])
TARGETS = np.array([[0.75, 0.25], [0.0, 1.0]])


def squares(z):
    """Σ_s ||y_s - z_s||² / (2 S)."""
    return float(((TARGETS - z) ** 2).sum()) / 4


def cross_entropy(z):
    """-Σ_s Σ_i y_i log p_i / S."""
    powers = [[math.exp(value) for value in row] for row in z]
    logs = [[math.log(power / sum(row)) for power in row] for row in powers]
    return -float((TARGETS * logs).sum()) / 2


def mean_of(steps):
    """The mean of each step's cross-entropy."""
    return sum(map(cross_entropy, steps)) / len(steps)


MEAN, LAST_2 = SERIES.mean(axis=0), SERIES[1:].mean(axis=0)
LOSSES = {
    "rate": (arrows.rate(), "o", 3, squares(MEAN)),
    "last steps": (arrows.last_steps(2), "o", 2, squares(LAST_2)),
    "membrane": (arrows.membrane(), "u", 1, squares(SERIES[2])),
    "membrane, all": (arrows.membrane(None), "u", 3, squares(MEAN)),
    "softmax of rates": (arrows.Loss("mine", fit=CrossEntropy()), "o", 3, cross_entropy(MEAN)),
    "softmax per step": (
        arrows.Loss("mine", "u", CrossEntropy(), per_step=True),
        "u",
        3,
        np.mean([*map(cross_entropy, SERIES)]),
    ),
    "softmax of each of the last two": (
        arrows.Loss("mine", "u", CrossEntropy(), last=2, per_step=True),
        *("u", 2, mean_of(SERIES[1:])),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_the_value_of_its_formula_whose_slope_each_step_tells(name):
    loss, state, reads, expected = LOSSES[name]
    assert (loss.state, list(loss.steps(3))) == (state, [*range(3 - reads, 3)])
    assert loss.value(SERIES, TARGETS) == pytest.approx(expected, rel=1e-13)
    mean, way = SERIES[3 - reads :].mean(axis=0), np.random.default_rng(0).normal(size=SERIES.shape)
    direct = [loss.direct_at(t, 3, SERIES[t], mean, TARGETS) for t in range(3)]
    np.testing.assert_allclose(loss.direct(SERIES, TARGETS), direct, rtol=1e-13, atol=1e-17)
    ends = (loss.value(SERIES + d * way, TARGETS) for d in (1e-5, -1e-5))
    assert (direct * way).sum() == pytest.approx(np.subtract(*ends) / 2e-5, abs=1e-9)
