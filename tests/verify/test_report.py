"""The whole verification: a pass, the same each time, and failures that are seen."""

import numpy as np
import pytest

from stbp_edu import cases, losses
from stbp_edu.engine import products as engine
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian, Rectangle, Sigmoid
from stbp_edu.verify import comparison, formulas, polynomials, report, trials
from stbp_edu.verify.report import Report
from stbp_edu.verify.trials import Outcome

pytestmark = pytest.mark.slow  # every oracle on every network


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
    for name in formulas.IDS:
        assert (name, "both", "formulas") in verdicts
    gaps = {v.id for v in passed[0].verdicts if v.outcomes[0].gap}
    deltas = {"c3-delta-classic", "c4-delta-classic"}
    assert gaps == deltas | {"c3-epsilon", "c4-epsilon", "c5-b", "c5-w"}


def test_progress_counts_up_to_the_total(passed):
    _, calls = passed
    total = 2 + len(trials.NEURONS) + 3  # and formulas, symbols; losses, ablations, many samples
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
    def swapped(trace, targets, params, neuron, rule, *loss):
        other = {"exact": "classic", "classic": "exact"}.get(rule, rule)
        return true_backward(trace, targets, params, neuron, other, *loss)

    true_backward = engine.backward
    monkeypatch.setattr(engine, "backward", swapped)
    result = report.run(0, rounds=1)
    failed = {(v.id, v.rule, v.oracle) for v in result.verdicts if v.failed}
    assert {f[0] for f in failed} == {"c5-b", "c5-w"}
    # An exact gradient under the name of the classic rule is a failure too.
    assert ("c5-w", "classic", "autodiff, where it is not") in failed
    assert ("c5-w", "exact", "differences") in failed


class Wrong:
    """Curves that differ from the package's in one place."""

    @staticmethod
    def loss(trace, targets, loss=losses.RATE):
        return 2 * loss.value(trace, targets)

    @staticmethod
    def late_spike(self, u):
        return (u > self.v_th).astype(float)

    @staticmethod
    def gaussian(self, v):
        return np.exp(v * v * (-0.5 * self.a)) / np.sqrt(2 * np.pi * self.a)

    @staticmethod
    def sigmoid(self, v):
        e = np.exp(-np.abs(v) / (2 * self.a))
        return e / (2 * self.a * (1 + e) ** 2)

    @staticmethod
    def sigmoid_twin(self, v):
        return 1 / (1 + np.exp(-v / (2 * self.a)))

    @staticmethod
    def wide(self, v):
        return (np.abs(v) <= self.a / 2).astype(float) / self.a

    @staticmethod
    def unscaled_gate(self, o):
        return np.exp(-o / self.tau) if self.gate == "exponential" else self.tau * (1 - o)

    @staticmethod
    def gate_of_one(self, o):
        return -np.exp(-o / 0.5) if self.gate == "exponential" else -self.tau + 0 * o


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ([(losses, "loss", Wrong.loss)], {"loss"}),
        ([(LIF, "g", Wrong.late_spike)], {"spike-g"}),
        ([(Gaussian, "derivative", Wrong.gaussian)], {"h4"}),
        (
            [
                (Sigmoid, "derivative", Wrong.sigmoid),
                (Sigmoid, "antiderivative", Wrong.sigmoid_twin),
            ],
            {"h3", "twin-3"},
        ),
        ([(Rectangle, "derivative", Wrong.wide)], {"h1"}),
        ([(LIF, "f", Wrong.unscaled_gate)], {"gate-f"}),
        ([(LIF, "df", Wrong.gate_of_one)], {"gate-df"}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else "",
)
def test_a_wrong_function_of_the_neuron_fails(changes, ids, monkeypatch):
    for owner, name, wrong in changes:
        monkeypatch.setattr(owner, name, wrong)
    result = report.run(0, rounds=1)
    failed = {v.id for v in result.verdicts if v.failed and v.rule == "both"}
    assert failed == ids
    assert not result.ok


def test_a_layer_that_is_left_out_of_the_proof_by_polynomials_fails(monkeypatch):
    prove = polynomials.prove

    def some(*args):
        return [proof for proof in prove(*args) if proof.node.n != 1 or proof.node.kind in "uo"]

    monkeypatch.setattr(polynomials, "prove", some)
    bad = [outcome for outcome in trials.by_symbols((1, 1, 1), 2) if not outcome.ok]
    assert [b.message for b in bad] == [
        f"{rule} rule: 10 of 12 nodes have a proof by polynomials" for rule in ("exact", "classic")
    ]


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
