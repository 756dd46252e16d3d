"""The whole verification: what is compared, how near it must come, and failures that are seen."""

from functools import cache

import numpy as np
import pytest

from stbp_edu import LIF, cases
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import comparison, report
from stbp_edu.verify.comparison import Outcome, Tolerance
from stbp_edu.verify.report import Report
from tests.networks import CASE_IDS, failures, make_problem

ROW = Outcome("c4-delta", 2e-13, "first", rule="classic", oracle="autodiff")


@cache
def verified():
    """One round of the whole verification, and its verdicts by equation, rule and oracle."""
    result = report.run(0, rounds=1)
    return result, {(v.id, v.rule, v.oracle): v for v in result.verdicts}


def assert_passed(id, rule, *oracles):
    """Every form of an equation passed every oracle."""
    _, verdicts = verified()
    for oracle in oracles:
        assert not verdicts[id, rule, oracle].failed


@pytest.mark.slow
def test_h1_h2_h3_h4_twin_1_twin_2_twin_3_twin_4_and_the_gates_equal_their_formulas():
    ids = {id for id, rule, _ in verified()[1] if rule == "both"}
    numbers = range(1, 1 + len(SURROGATES))
    assert ids > {f"h{k}" for k in numbers} | {f"twin-{k}" for k in numbers}
    assert ids > {"gate-f", "gate-df", "gate-linear", "gate-linear-df", "spike-g"}
    for id in ids:
        assert_passed(id, "both", "formulas")


@pytest.mark.slow
def test_c1_delta_c1_epsilon_c2_delta_c2_epsilon_c3_delta_c3_epsilon_pass_every_oracle():
    for id in CASE_IDS[:6]:
        assert_passed(id, "exact", "autodiff", "differences", "paths", "polynomials")


@pytest.mark.slow
def test_c4_delta_c4_epsilon_c5_b_c5_w_pass_every_oracle():
    for id in CASE_IDS[6:]:
        assert_passed(id, "exact", "autodiff", "differences", "paths", "polynomials")


@pytest.mark.slow
def test_c2_delta_classic_c3_delta_classic_c4_delta_classic_are_the_paths_that_are_kept():
    for id in CASE_IDS:
        classic = comparison.equation_under(id, "classic")
        assert_passed(
            classic,
            "classic",
            "paths that it keeps",
            "polynomials: gap = dropped paths",
        )


@pytest.mark.slow
def test_every_formula_rule_and_loss_is_compared_and_passes():
    result, verdicts = verified()
    assert result.ok, result.format()
    for rule in ("detached-reset", "leak-only", "spatial-only"):
        assert ("c5-w", rule, "paths that it keeps") in verdicts
    gaps = {v.id for v in result.verdicts if v.gap}
    assert gaps == {
        *(
            "c3-delta-classic",
            "c4-delta-classic",
            "c3-epsilon",
            "c4-epsilon",
            "c5-b",
            "c5-w",
        )
    }
    said = "".join(outcome.message for outcome in result.outcomes)
    for loss in report.LOSSES:
        assert f"{loss!r}: vector form" in said


@pytest.mark.parametrize(
    ("error", "gap", "ok"),
    [(1.0, False, True), (1.5, False, False), (1.0, True, False), (1.5, True, True),
     (np.nan, False, False), (np.nan, True, False)],
)  # fmt: skip
def test_an_error_up_to_the_limit_is_none_and_a_gap_is_larger(error, gap, ok):
    outcome = ROW._replace(error=error, tolerance=Tolerance(1.0, gap=gap))
    assert outcome.ok == ok
    assert Report([outcome]).verdicts[0].failed == (not ok)


@pytest.fixture
def swept():
    """A sweep, twice: one to spoil."""
    problem = make_problem(0, [2, 2, 1], 3, 2, LIF(tau=0.5, v_th=0.5))
    args = (problem.trace, *problem[1:])
    return cases.sweep(*args), cases.sweep(*args)


def test_a_failure_says_where_and_what_and_comes_in_the_order_of_the_sweep(swept):
    got, expected = swept
    expected.delta[2][1, 1, 0], got.delta[2][1, 1, 0] = 0.5, 0.25
    got.gradients.W[1][0, 1] += 1.0
    got.gradients.b[2][0] = np.nan
    delta, bias, weight = failures(got, expected)
    assert delta == (
        "c3-delta (case 3: t < T, n = N) at t = 1 (the paper's t = 2), n = 2, sample s = 1, "
        "neuron i = 0: got 0.25, expected 0.5, relative error 5.0e-01 > 1e-12"
    )
    assert "c5-b (case 5: the gradient of layer n = 2), i = 0: got nan" in bias
    assert "c5-w (case 5: the gradient of layer n = 1), i = 0, j = 1: got" in weight
