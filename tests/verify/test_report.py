"""The whole verification: a pass, the same each time, and failures that are seen."""

import numpy as np
import pytest

from stbp_edu import cases
from stbp_edu.engine import products as engine
from stbp_edu.verify import comparison, report, trials
from stbp_edu.verify.report import Report
from stbp_edu.verify.trials import Outcome


@pytest.fixture(scope="module")
def passed():
    """One round, with its progress."""
    calls = []
    return report.run(0, rounds=1, progress=lambda *call: calls.append(call)), calls


def test_all_verdicts_pass(passed):
    result, _ = passed
    assert result.ok, result.format()
    assert result.failures == []


def test_every_equation_meets_every_oracle_under_both_rules(passed):
    verdicts = {(v.id, v.rule, v.oracle) for v in passed[0].verdicts}
    for name in comparison.IDS:
        classic = comparison.equation_under(name, "classic")
        for oracle in ("autodiff", "differences", "paths", "polynomials"):
            assert (name, "exact", oracle) in verdicts
        assert (classic, "classic", "paths that it keeps") in verdicts
        assert (classic, "classic", "polynomials: gap = dropped paths") in verdicts
    gaps = {v.id for v in passed[0].verdicts if v.outcomes[0].gap}
    deltas = {"c3-delta-classic", "c4-delta-classic"}
    assert gaps == deltas | {"c3-epsilon", "c4-epsilon", "c5-b", "c5-w"}


def test_progress_counts_up_to_the_total(passed):
    _, calls = passed
    total = 1 + len(trials.NEURONS)
    assert [call[:2] for call in calls] == [(k + 1, total) for k in range(total)]


def test_the_table_names_equation_oracle_error_and_verdict(passed):
    table = passed[0].format()
    assert table.splitlines()[0].split() == [
        *("equation", "rule", "oracle", "error", "allowed", "compared", "verdict")
    ]
    assert "differs, as derived" in table
    assert table.endswith(f"{len(passed[0].verdicts)} of {len(passed[0].verdicts)} verdicts pass.")


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
def test_a_seed_decides_everything(monkeypatch):
    monkeypatch.setattr(trials, "NEURONS", trials.NEURONS[-1:])
    first, second, other = (report.run(seed, rounds=1).format() for seed in (0, 0, 1))
    assert first == second != other


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
def test_a_wrong_c3_delta_fails(monkeypatch):
    monkeypatch.setattr(cases.vector, "c3_delta", lambda last, err_next, U, df: last)
    result = report.run(0, rounds=1)
    assert not result.ok
    failed = {(v.id, v.oracle) for v in result.verdicts if v.failed and v.rule == "exact"}
    assert {("c3-delta", name) for name in ("autodiff", "differences", "paths")} <= failed
    assert "vector form, exact rule, against" in result.failures[0]
    assert "FAILED" in result.format()
    assert "more failures" in result.format(most=1)


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
def test_an_engine_with_the_wrong_rule_fails(monkeypatch):
    def swapped(trace, targets, params, neuron, rule):
        other = {"exact": "classic", "classic": "exact"}[rule]
        return true_backward(trace, targets, params, neuron, other)

    true_backward = engine.backward
    monkeypatch.setattr(engine, "backward", swapped)
    result = report.run(0, rounds=1)
    failed = {(v.id, v.rule, v.oracle) for v in result.verdicts if v.failed}
    assert {f[0] for f in failed} == {"c5-b", "c5-w"}
    # An exact gradient under the name of the classic rule is a failure too.
    assert ("c5-w", "classic", "autodiff, where it is not") in failed
    assert ("c5-w", "exact", "differences") in failed


@pytest.mark.parametrize(("gap", "error"), [(False, np.nan), (True, np.nan), (True, 0.0)])
def test_a_nan_or_a_gap_of_zero_fails(gap, error):
    first = Outcome("c4-delta", "classic", "autodiff", 0.1 if gap else 0.0, 1e-6, gap, "first")
    result = Report([first, first._replace(error=error, message="second")])
    (verdict,) = result.verdicts
    assert (result.ok, verdict.failed, len(verdict.outcomes)) == (False, 1, 2)
    assert result.failures == ["second"]
    assert np.isnan(verdict.error) or verdict.error == 0.0


def test_an_equation_that_no_oracle_checked_is_no_pass():
    assert not Report([]).ok


def test_bad_input():
    with pytest.raises(ValueError, match="rounds must be >= 1, got 0"):
        report.run(rounds=0)
    with pytest.raises(TypeError, match="seed must be an integer"):
        report.run(seed=0.5)
