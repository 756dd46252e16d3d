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
    within = one.errors(comparison.DIFFERENCES) <= comparison.DIFFERENCES.limit
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


def test_there_are_four_cases_of_two_adjoints_and_two_gradients():
    assert (
        *("c1-delta", "c1-epsilon", "c2-delta", "c2-epsilon"),
        *("c3-delta", "c3-epsilon", "c4-delta", "c4-epsilon", "c5-b", "c5-w"),
    ) == comparison.IDS


@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_the_classic_rule_has_formulas_of_its_own_for_delta_below_and_before(rule):
    own = {id for id in comparison.IDS if comparison.equation_under(id, rule) != id}
    assert own == ({"c2-delta", "c3-delta", "c4-delta"} if rule == "classic" else set())


@pytest.mark.parametrize(
    ("id", "where"),
    [
        ("c1-delta", "(case 1: t = T, n = N)"),
        ("c2-epsilon", "(case 2: t = T, n < N)"),
        ("c3-delta", "(case 3: t < T, n = N)"),
        ("c4-epsilon", "(case 4: t < T, n < N)"),
    ],
)
def test_a_comparison_says_which_case_it_is(id, where):
    one = comparison.Comparison(id, 3, 2, None, None, 1.0)
    assert str(one) == f"{id} {where} at t = 3 (the paper's t = 4), n = 2"


@pytest.mark.parametrize(
    ("tolerance", "errors"),
    [(comparison.ROUNDING, [0.25, 0.5]), (comparison.DIFFERENCES, [1 / 3.001, 2 / 1e-3])],
)
def test_an_error_is_measured_by_the_scale_or_by_each_entry(tolerance, errors):
    one = comparison.Comparison("c5-b", None, 1, np.array([4.0, 2.0]), np.array([3.0, 0.0]), 4.0)
    assert one.errors(tolerance) == pytest.approx(np.array(errors), rel=1e-12)
    assert one.error(tolerance) == pytest.approx(max(errors), rel=1e-12)
    assert one.errors().tolist() == [0.25, 0.5]
    assert one.error() == 0.5


def test_nothing_against_nothing_is_no_error_and_anything_against_nothing_is():
    none, some = np.zeros(2), np.array([0.0, 1e-150])
    assert comparison.Comparison("c5-b", None, 1, none, none, scale=0.0).error() == 0
    assert comparison.Comparison("c5-b", None, 1, some, none, scale=0.0).error() > 1


def test_every_array_is_compared_in_the_order_of_the_sweep_by_the_size_of_its_sum(swept):
    got, expected = swept
    found = list(comparison.comparisons(got, expected))
    places = [(t, n) for t in (2, 1, 0) for n in (2, 1)]
    names = [(f"c{1 + (n < 2) + 2 * (t < 2)}", t, n) for t, n in places]
    assert [one[:3] for one in found] == [
        *((f"{case}-{kind}", t, n) for case, t, n in names for kind in ("delta", "epsilon")),
        *((id, None, n) for n in (2, 1) for id in ("c5-b", "c5-w")),
    ]
    for one in found:
        if one.t is None:
            values, kind = expected.epsilon[one.n], one.id[-1].replace("w", "W")
            sums = [np.abs(values[..., i]).sum() for i in range(values.shape[2])]
            assert one.scale == pytest.approx(max(sums), rel=1e-14)
            assert one.got is getattr(got.gradients, kind)[one.n]
            assert one.expected is getattr(expected.gradients, kind)[one.n]
        else:
            values = getattr(expected, one.id[3:])[one.n]
            assert one.scale == max(np.abs(values).flat)
            assert np.array_equal(one.got, getattr(got, one.id[3:])[one.n][one.t])
            assert np.array_equal(one.expected, values[one.t])
    alone = list(comparison.comparisons(got.gradients, expected))
    assert [one[:3] for one in alone] == [one[:3] for one in found[-4:]]


def test_the_scale_is_a_size_whatever_the_sign(swept):
    got, expected = swept
    expected.delta[2][:] = -np.abs(expected.delta[2])
    one = next(iter(comparison.comparisons(got, expected)))
    assert one.scale == np.abs(expected.delta[2]).max() > 0


@pytest.mark.parametrize(("off", "passes"), [(0.5, True), (0.5000001, False)])
def test_an_error_of_the_limit_itself_passes(swept, off, passes):
    got, expected = swept
    for result in (got, expected):
        result.epsilon[2][:] = 0.0
        result.epsilon[2][0, 0, 0] = 1.0
    got.gradients.b[2][0] = expected.gradients.b[2][0] = 0.0
    got.gradients.b[2][0] += off
    half = comparison.Tolerance(limit=0.5, elementwise=False)
    assert (comparison.failures(got, expected, half) == []) == passes


def test_a_network_of_one_layer_has_the_cases_of_an_output():
    problem = make_problem(0, [2, 1], 2, 1, NEURON)
    swept = cases.sweep(problem.trace, problem.targets, problem.params, NEURON)
    assert [one.id for one in comparison.comparisons(swept, swept)] == [
        *("c1-delta", "c1-epsilon", "c3-delta", "c3-epsilon", "c5-b", "c5-w")
    ]
