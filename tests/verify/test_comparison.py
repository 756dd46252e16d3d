"""Comparing: what a failure says, and that nothing slips through."""

import numpy as np
import pytest

from stbp_edu import LIF, cases
from stbp_edu.network import Gradients
from stbp_edu.verify import comparison
from tests.networks import make_problem

NEURON = LIF(tau=0.5, v_th=0.5)


@pytest.fixture
def swept():
    """A sweep, twice: one to spoil."""
    problem = make_problem(0, [2, 2, 1], 3, 2, NEURON)
    args = (problem.trace, problem.targets, problem.params, NEURON)
    return cases.sweep(*args), cases.sweep(*args)


def test_case_of_is_the_packages_case_at():
    for T in (1, 3):
        for N in (1, 3):
            for t, n in np.ndindex(T, N):
                assert comparison.case_of(t, n + 1, T, N) == cases.case_at(t, n + 1, T, N)


def test_a_failure_says_where_and_what(swept):
    got, expected = swept
    expected.delta[2][1, 1, 0], got.delta[2][1, 1, 0] = 0.5, 0.25
    (sentence,) = comparison.failures(got, expected)
    assert sentence == (
        "c3-delta (case 3: t < T, n = N) at t = 1 (the paper's t = 2), n = 2, sample s = 1, "
        "neuron i = 0: got 0.25, expected 0.5, relative error 5.0e-01 > 1e-12"
    )


def test_a_gradients_failure_names_the_weight(swept):
    got, expected = swept
    got.gradients.W[1][0, 1] += 1.0
    (sentence,) = comparison.failures(got.gradients, expected)
    assert "c5-w (case 5: the gradient of layer n = 1), i = 0, j = 1: got" in sentence


def test_the_first_failure_is_the_first_that_the_backward_sweep_meets(swept):
    got, expected = swept
    got.delta[1][0] += 1.0
    got.epsilon[2][2] += 1.0
    first, second = comparison.failures(got, expected)
    assert first.startswith("c1-epsilon")
    assert second.startswith("c4-delta")


def test_a_nan_is_a_failure(swept):
    got, expected = swept
    got.gradients.b[2][0] = np.nan
    assert "got nan" in comparison.failures(got, expected)[0]


def test_rounding_is_judged_by_the_size_of_what_was_summed(swept):
    """Two ε that cancel to 1e-6 leave a gradient whose last digits are theirs."""
    got, expected = swept
    for result in (got, expected):
        result.epsilon[2][:] = 0.0
        result.epsilon[2][0, :, 0] = 0.5, -0.5 + 1e-6
        result.gradients.b[2][0] = 1e-6
    got.gradients.b[2][0] += 1e-16
    assert comparison.failures(got, expected) == []
    got.gradients.b[2][0] += 1e-11
    assert [words[:4] for words in comparison.failures(got, expected)] == ["c5-b"]


def test_another_shape_is_no_comparison(swept):
    got, expected = swept
    other = Gradients(W=got.gradients.W, b=[None, np.zeros(1), np.zeros(1)])
    with pytest.raises(ValueError, match=r"got must have shape \(2,\), got \(1,\)"):
        comparison.failures(other, expected)


def test_the_tolerance_of_differences_is_that_of_allclose():
    rng = np.random.default_rng(0)
    expected = rng.normal(size=1000) * 10.0 ** rng.integers(-9, 2, 1000)
    got = expected * (1 + rng.normal(size=1000) * 1e-6) + rng.normal(size=1000) * 1e-9
    one = comparison.Comparison("c5-b", None, 1, got, expected, scale=1.0)
    within = one.errors(comparison.DIFFERENCES) <= 1e-6
    assert np.array_equal(within, np.isclose(got, expected, rtol=1e-6, atol=1e-9))
    assert 0 < within.sum() < 1000


@pytest.mark.parametrize(
    ("t", "n", "T", "N", "equal"),
    [
        (0, 1, 1, 2, True),
        (1, 1, 2, 2, True),
        (0, 1, 2, 2, False),
        (0, 2, 2, 2, True),
        (0, 2, 3, 2, False),
        (None, 1, 2, 1, True),
        (None, 1, 3, 1, False),
        (None, 1, 2, 2, False),
        (None, 1, 1, 2, True),
    ],
)
def test_err_classic_is_exact_in_these_cells(t, n, T, N, equal):
    assert (
        comparison.equal_under_classic(comparison.Comparison("", t, n, None, None, 1.0), T, N)
        == equal
    )
