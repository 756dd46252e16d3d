"""The whole verification: a pass, the same each time, and failures that are seen."""

import numpy as np
import pytest

from stbp_edu import cases, losses
from stbp_edu.engine import products as engine
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import SURROGATES, Gaussian, Rectangle, Sigmoid
from stbp_edu.verify import comparison, formulas, further_trials, polynomials, report, trials
from stbp_edu.verify.report import Report
from stbp_edu.verify.trials import Outcome

ROW = Outcome("c4-delta", "classic", "autodiff", 2e-13, 1e-12, False, "first")
ROUND = 3 + len(trials.NEURONS)
"""How many trials a round has."""


@pytest.fixture(scope="module")
def passed():
    """One round, with its progress."""
    calls = []
    return report.run(0, rounds=1, progress=lambda *call: calls.append(call)), calls


@pytest.mark.slow
def test_all_verdicts_pass(passed):
    result, _ = passed
    assert result.ok, result.format()
    assert result.failures == []


@pytest.mark.slow
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


@pytest.mark.slow
def test_progress_counts_up_to_the_total(passed):
    _, calls = passed
    total = 2 + len(trials.NEURONS) + 3  # and formulas, symbols; losses, ablations, many samples
    assert [call[:2] for call in calls] == [(k + 1, total) for k in range(total)]


@pytest.mark.slow
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
    assert [b[:2] for b in bad] == [("c5-w", "exact"), ("c5-w", "classic")]
    assert [b[3:6] for b in bad] == [(1.0, 0.0, False)] * 2


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


def table(*outcomes):
    """The rows of a report, and what stands below them."""
    head, *rows = Report(list(outcomes)).format(most=1).splitlines()
    assert head.split() == [
        *("equation", "rule", "oracle", "error", "allowed", "compared", "verdict")
    ]
    return rows


def test_a_row_says_what_was_compared_how_often_and_the_largest_error():
    assert table(ROW, ROW._replace(error=4e-13), ROW._replace(error=1e-13)) == [
        "c4-delta         classic        autodiff                           4.0e-13 "
        "<= 1e-12          3  equal",
        "1 of 1 verdicts pass.",
    ]


def test_a_row_of_a_gap_says_the_smallest():
    gap = ROW._replace(gap=True, limit=1e-8, error=0.5)
    assert table(gap, gap._replace(error=0.25), gap._replace(error=3.0))[0] == (
        "c4-delta         classic        autodiff                           2.5e-01 "
        " > 1e-08          3  differs, as derived"
    )


def test_a_row_that_failed_says_how_often_and_the_first_failures_stand_below():
    bad = [ROW._replace(error=1e-3, message=f"bad {k}") for k in range(3)]
    good = ROW._replace(id="c5-w")
    assert table(*bad, ROW, good) == [
        "c4-delta         classic        autodiff                           1.0e-03 "
        "<= 1e-12          4  FAILED 3 of 4",
        "c5-w             classic        autodiff                           2.0e-13 "
        "<= 1e-12          1  equal",
        "1 of 2 verdicts pass.",
        "bad 0",
        "and 2 more failures",
    ]
    assert table(bad[0])[-2:] == ["0 of 1 verdicts pass.", "bad 0"]


def test_ten_failures_are_shown_where_no_number_is_said():
    bad = [ROW._replace(error=1.0, message=f"bad {k}") for k in range(11)]
    assert Report(bad).format().splitlines()[3:] == [
        *(f"bad {k}" for k in range(10)),
        "and 1 more failures",
    ]


def test_the_rows_stand_by_rule_then_equation_then_oracle():
    """The classic rule's own formulas in the place of those that they replace."""
    rows = [
        ("gate-f", "both", "formulas"),
        ("gate-df", "both", "formulas"),
        ("c1-delta", "exact", "autodiff"),
        ("c1-delta", "exact", "paths"),
        ("c1-epsilon", "exact", "autodiff"),
        ("c3-delta-classic", "classic", "paths"),
        ("c3-epsilon", "classic", "paths"),
        ("c5-w", "leak-only", "paths"),
    ]
    outcomes = [Outcome(*row, 0.0, 1.0, False, "") for row in rows]
    mixed = [outcomes[k] for k in (7, 4, 6, 1, 0, 3, 5, 2, 4)]
    verdicts = Report(mixed).verdicts
    assert [verdict[:3] for verdict in verdicts] == rows
    assert [len(verdict.outcomes) for verdict in verdicts] == [1, 1, 1, 1, 2, 1, 1, 1]


def every_equation():
    """An outcome that passed for each equation and rule."""
    due = [(id, "both") for id in formulas.IDS]
    for rule in ("exact", "classic"):
        due += [(comparison.equation_under(id, rule), rule) for id in comparison.IDS]
    return [ROW._replace(id=id, rule=rule) for id, rule in due]


def test_a_pass_needs_every_equation_under_both_rules_and_no_failure():
    whole = every_equation()
    assert len(whole) == len(formulas.IDS) + 2 * len(comparison.IDS)
    assert Report(whole).ok
    assert Report([*whole, ROW._replace(id="c5-w", rule="leak-only")]).ok
    assert not any(Report(whole[:k] + whole[k + 1 :]).ok for k in range(len(whole)))
    assert not Report([*whole, ROW._replace(error=1.0)]).ok


@pytest.fixture
def asked(monkeypatch):
    """The trials say what they were asked for in place of doing it."""
    for name in ("by_losses", "by_ablations", "by_blocks"):
        monkeypatch.setattr(further_trials, name, lambda *args, name=name: (name, *args))
    monkeypatch.setattr(trials, "by_numbers", lambda problem: ("by_numbers", problem))
    monkeypatch.setattr(trials, "by_formulas", lambda: ("by_formulas",))
    monkeypatch.setattr(trials, "by_symbols", lambda *args: ("by_symbols", *args))


@pytest.mark.usefixtures("asked")
def test_the_trials_are_named_after_their_networks():
    names = [name for name, _ in report.trials_of(0, rounds=2)]
    assert names[:2] == ["formulas", "polynomials"]
    for k, gate in enumerate(("soft", "linear")):
        some = names[2 + ROUND * k :][:ROUND]
        assert some[:3] == [
            f"{what}, {gate} gate" for what in ("other losses", "ablations", "many samples")
        ]
        assert [name.split(", (")[0] for name in some[3:]] == [
            f"{curve}, {gate} gate"
            for curve in (kind.__name__ for kind in SURROGATES.values())
            for gate in ("exponential", "linear", "soft")
        ]
    assert names[5] == "Rectangle, exponential gate, (2, 3, 2), T = 4"
    assert names[6] == "Rectangle, linear gate, (3, 2, 2, 1), T = 3"
    assert names[5 + ROUND] == "Rectangle, exponential gate, (3, 2, 2, 1), T = 3"


@pytest.mark.usefixtures("asked")
def test_five_rounds_see_every_shape_of_every_neuron():
    names = [name for name, _ in report.trials_of(0, rounds=5)]
    start = "Rectangle, exponential gate, "
    assert [name.removeprefix(start) for name in names if name.startswith(start)] == [
        *("(2, 3, 2), T = 4", "(3, 2, 2, 1), T = 3", "(2, 1), T = 2"),
        *("(2, 2, 2), T = 1", "(1, 2), T = 4"),
    ]


@pytest.mark.usefixtures("asked")
def test_a_gate_of_the_further_trials_comes_again_when_all_had_their_turn():
    names = [name for name, _ in report.trials_of(0, rounds=13)]
    turns = [name for name in names if name.startswith("ablations")]
    assert turns[12] == turns[0] == "ablations, soft gate"


def same(got, expected):
    """Two networks with their inputs are equal, number by number."""
    assert got.neuron == expected.neuron
    for a, b in zip(
        (got.spikes, got.targets, *got.params.W[1:], *got.params.b[1:]),
        (expected.spikes, expected.targets, *expected.params.W[1:], *expected.params.b[1:]),
        strict=True,
    ):
        assert np.array_equal(a, b)


@pytest.mark.usefixtures("asked")
def test_the_seed_and_the_round_decide_what_is_drawn():
    work, rng = dict(report.trials_of(5, rounds=2)), np.random.default_rng(5)
    assert work["formulas"] == ("by_formulas",)
    assert work["polynomials"] == ("by_symbols", (2, 2, 2), 3)
    first, second = trials.NEURONS[-1], trials.NEURONS[-2]
    for k, neuron in enumerate((first, second)):
        name, problem = work[f"other losses, {neuron.gate} gate"]
        assert name == "by_losses"
        same(problem, trials.draw(np.random.default_rng([5, k]), (2, 1, 2), 3, neuron, S=3))
        name, problem = work[f"ablations, {neuron.gate} gate"]
        assert name == "by_ablations"
        same(problem, trials.draw(np.random.default_rng([5, k]), (2, 3, 2), 4, neuron))
        name, drawn, of = work[f"many samples, {neuron.gate} gate"]
        assert (name, of) == ("by_blocks", neuron)
        assert drawn.bit_generator.state == np.random.default_rng([5, k]).bit_generator.state
    numbers = [problem for name, (_, *problem) in report.trials_of(5, 2) if ", T = " in name]
    for k, ((problem,), neuron) in enumerate(zip(numbers, 2 * trials.NEURONS, strict=True)):
        which = k % len(trials.NEURONS) + k // len(trials.NEURONS)
        same(problem, trials.draw(rng, *trials.SHAPES[which % len(trials.SHAPES)], neuron))


@pytest.mark.usefixtures("asked")
def test_three_rounds_from_the_seed_0_where_nothing_is_said(monkeypatch):
    """As the command does."""
    work = report.trials_of()
    assert len(work) == 2 + 3 * ROUND
    drawn = [some[1] for _, some in work if some[0] == "by_numbers"]
    same(drawn[0], trials.draw(np.random.default_rng(0), *trials.SHAPES[0], trials.NEURONS[0]))
    monkeypatch.setattr(report, "trials_of", lambda *args: [("", [args])])
    assert report.run().outcomes == [(0, 3)]


def test_a_report_holds_what_every_trial_found_and_progress_is_told(monkeypatch):
    good, calls = every_equation(), []
    monkeypatch.setattr(report, "trials_of", lambda *args: [("a", good[:4]), ("b", good[4:])])
    result = report.run(7, 1, progress=lambda *call: calls.append(call))
    assert result.outcomes == good
    assert calls == [(1, 2, "a"), (2, 2, "b")]


def test_the_smallest_seed_is_0():
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        report.trials_of(-1)
