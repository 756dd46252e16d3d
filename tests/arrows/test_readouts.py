"""The losses of Part II: the steps they read, their values and direct terms, on a few numbers."""

import math

import numpy as np
import pytest

from stbp_edu.arrows import (
    Loss,
    cross_entropy_on_rates,
    cross_entropy_per_step,
    last_steps,
    membrane,
    rate,
)
from stbp_edu.losses import CrossEntropy

SERIES = np.array([[[1.0, 0.0], [0.0, 0.5]], [[0.5, 1.0], [1.0, 0.5]], [[0.0, 0.5], [1.0, 1.0]]])
TARGETS = np.array([[0.75, 0.25], [0.0, 1.0]])


def squares(z):
    """Σ_s ||y_s - z_s||² / (2 S)."""
    return float(((TARGETS - z) ** 2).sum()) / 4


def softmax(z):
    """The probabilities of each sample."""
    powers = [[math.exp(value) for value in row] for row in z]
    return np.array([[power / sum(row) for power in row] for row in powers])


def cross_entropy(z):
    """-Σ_s Σ_i y_i log p_i / S."""
    return -sum(y * math.log(p) for y, p in zip(TARGETS.flat, softmax(z).flat, strict=True)) / 2


MEAN, LAST_2, NONE = SERIES.mean(axis=0), SERIES[1:].mean(axis=0), np.zeros((2, 2))
CASES = {
    "rate": (rate(), "o", squares(MEAN), [(MEAN - TARGETS) / 6] * 3),
    "last steps": (last_steps(2), "o", squares(LAST_2), [NONE, *[(LAST_2 - TARGETS) / 4] * 2]),
    "membrane": (membrane(), "u", squares(SERIES[2]), [NONE, NONE, (SERIES[2] - TARGETS) / 2]),
    "membrane, all": (membrane(None), "u", squares(MEAN), [(MEAN - TARGETS) / 6] * 3),
    "softmax of rates": (
        *(cross_entropy_on_rates(), "o", cross_entropy(MEAN)),
        [(softmax(MEAN) - TARGETS) / 6] * 3,
    ),
    "softmax per step": (
        *(cross_entropy_per_step(), "o", sum(map(cross_entropy, SERIES)) / 3),
        [(softmax(z) - TARGETS) / 6 for z in SERIES],
    ),
    "softmax per step of u": (
        *(cross_entropy_per_step("u"), "u", sum(map(cross_entropy, SERIES)) / 3),
        [(softmax(z) - TARGETS) / 6 for z in SERIES],
    ),
    "softmax of each of the last two": (
        Loss("mine", "u", CrossEntropy(), last=2, per_step=True),
        *("u", sum(map(cross_entropy, SERIES[1:])) / 2),
        [NONE, *((softmax(z) - TARGETS) / 4 for z in SERIES[1:])],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loss_has_the_value_and_the_direct_term_of_its_formula(name):
    loss, state, value, direct = CASES[name]
    assert loss.state == state
    assert loss.value(SERIES, TARGETS) == pytest.approx(value, rel=1e-13)
    assert isinstance(loss.value(SERIES.astype("f"), TARGETS.astype("f")), float)
    found = loss.direct(SERIES, TARGETS)
    assert found.shape == SERIES.shape
    np.testing.assert_allclose(found, direct, rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize(
    ("loss", "steps"),
    [
        (rate(), [0, 1, 2, 3]),
        (last_steps(1), [3]),
        (last_steps(3), [1, 2, 3]),
        (last_steps(4), [0, 1, 2, 3]),
        (membrane(), [3]),
        (membrane(None), [0, 1, 2, 3]),
    ],
)
def test_a_loss_reads_its_last_steps(loss, steps):
    assert list(loss.steps(4)) == steps


def test_a_loss_that_is_named_alone_is_the_rate_loss_of_spikes_over_all_steps():
    assert Loss("rate") == rate()
    assert (rate().state, rate().last, rate().per_step) == ("o", None, False)


@pytest.mark.parametrize("t", [1, 2])
def test_one_step_of_the_direct_term_needs_the_mean_alone(t):
    """The state at that step is not read."""
    got = last_steps(2).direct_at(t, 3, np.full((2, 2), np.nan), LAST_2, TARGETS)
    np.testing.assert_allclose(got, (LAST_2 - TARGETS) / 4, rtol=1e-13)


def test_a_step_that_is_not_read_has_a_direct_term_of_0_in_the_dtype_of_its_state():
    got = last_steps(2).direct_at(0, 3, np.ones((2, 2), np.float32), LAST_2, TARGETS)
    assert np.array_equal(got, NONE)
    assert got.dtype == np.float32
