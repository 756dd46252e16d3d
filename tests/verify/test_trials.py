"""One network against every oracle: what is compared, under which name, and how near it must be."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Rectangle, cases
from stbp_edu.network import forward
from stbp_edu.surrogates import SURROGATES, Triangle
from stbp_edu.verify import formulas, trials
from stbp_edu.verify.comparison import DIFFERENCES, ROUNDING, Comparison
from stbp_edu.verify.trials import GAP, Outcome

SMALL = (1, 1), 3


def test_a_drawn_network_has_the_shape_that_is_asked_for():
    spikes, targets, params, neuron = trials.draw(
        np.random.default_rng(0), (40, 30, 20), 5, LIF(), S=6
    )
    assert spikes.shape == (5, 6, 40)
    assert targets.shape == (6, 20)
    assert params.sizes == (40, 30, 20)
    assert neuron == LIF()
    for n in (1, 2):
        for drawn, most in ((params.W[n], 1.5), (params.b[n], 0.5)):
            assert np.abs(drawn).max() == pytest.approx(most, rel=0.15)
            assert np.abs(drawn).max() <= most
            assert drawn.min() < -most / 2
    for drawn in (spikes, targets):
        assert 0 <= drawn.min() < 0.05
        assert 0.95 < drawn.max() <= 1


def test_a_drawn_network_has_two_samples_where_no_number_is_said():
    assert trials.draw(np.random.default_rng(0), (2, 1), 1, LIF()).targets.shape == (2, 1)


def test_every_case_and_every_edge_of_the_grid_is_among_the_shapes():
    seen = {
        cases.case_at(t, n, T, len(sizes) - 1)
        for sizes, T in trials.SHAPES
        for t in range(T)
        for n in range(1, len(sizes))
    }
    assert seen == {1, 2, 3, 4}
    edges = {(min(len(sizes) - 1, 3), min(T, 3)) for sizes, T in trials.SHAPES}
    assert {(1, 2), (1, 3), (2, 1), (2, 3), (3, 3)} <= edges


def test_each_surrogate_meets_each_gate_and_none_has_a_width_of_one():
    kinds = [(type(neuron.surrogate), neuron.gate) for neuron in trials.NEURONS]
    assert kinds == [
        (kind, gate) for kind in SURROGATES.values() for gate in ("exponential", "linear", "soft")
    ]
    assert all(neuron.surrogate.a != 1 for neuron in trials.NEURONS)


def test_h_is_seldom_0_on_these_networks():
    """Where it is, a wrong path shows nothing."""
    none = {curve: [] for curve in SURROGATES.values()}
    for neuron, seed, (sizes, T) in product(trials.NEURONS, range(5), trials.SHAPES):
        net = trials.draw(np.random.default_rng(seed), sizes, T, neuron)
        for spike in (neuron.g, neuron.H):
            run = forward(net.spikes, net.params, neuron, spike=spike)
            none[type(neuron.surrogate)] += [u for U in run.U[1:] for u in neuron.h(U).ravel() == 0]
    assert all(np.mean(zero) < 0.08 for zero in none.values())


def counted(neuron):
    """How often each (id, rule, oracle, limit, gap) is compared on one neuron and three steps."""
    problem = trials.draw(np.random.default_rng(2), *SMALL, neuron)
    outcomes = list(trials.by_numbers(problem))
    assert all(outcome.ok for outcome in outcomes)
    assert len({o.message for o in outcomes if "form, " in o.message}) > 50
    return Counter((o.id, o.rule, o.oracle, o.limit, o.gap) for o in outcomes)


EXACT = {"c1-delta": 2, "c1-epsilon": 2, "c3-delta": 4, "c3-epsilon": 4, "c5-b": 3, "c5-w": 3}
"""Of two forms at t = 3 and at t = 1 and 2; of three forms. So often each oracle is asked once."""
KEPT = {"c3-delta-classic" if id == "c3-delta" else id: k for id, k in EXACT.items()}
WHERE_EXACT = {"c1-delta": 2, "c1-epsilon": 2, "c3-delta-classic": 2, "c3-epsilon": 2}
ELSEWHERE = {"c3-delta-classic": 2, "c3-epsilon": 2, "c5-b": 3, "c5-w": 3}


@pytest.mark.parametrize(("surrogate", "gaps"), [(Gaussian(0.8), True), (Rectangle(4.0), False)])
def test_every_form_meets_every_oracle_under_both_rules(surrogate, gaps):
    expected = Counter({("loss", "both", "formulas", 1e-12, False): 2})  # the twin, and spikes
    for oracle, limit, passes in (
        ("paths", 1e-12, 2),
        ("autodiff", 1e-12, 2),
        ("differences", 1e-6, 1),  # of the twin alone
    ):
        for id, k in EXACT.items():
            expected[id, "exact", oracle, limit, False] = passes * k
        if oracle == "paths":
            for id, k in KEPT.items():
                expected[id, "classic", "paths that it keeps", limit, False] = passes * k
            continue
        for id, k in WHERE_EXACT.items():
            expected[id, "classic", f"{oracle}, where it is exact", limit, False] = passes * k
        for id, k in ELSEWHERE.items() if gaps else ():
            expected[id, "classic", f"{oracle}, where it is not", 1e-8, True] = k
    assert counted(LIF(0.5, 0.5, surrogate, "linear")) == expected


def test_the_triangle_shows_no_gap_either():
    assert not any(gap for *_, gap in counted(LIF(0.5, 0.5, Triangle(0.25), "soft")))


def test_the_twin_is_run_and_then_the_spikes(monkeypatch):
    seen, neuron = [], LIF(0.5, 0.5, Gaussian(0.8))
    monkeypatch.setattr(trials, "all_forms", lambda *args: seen.append(args[-2:]) or {})
    problem = trials.draw(np.random.default_rng(2), *SMALL, neuron)
    assert len(list(trials.by_numbers(problem))) == 2  # the losses
    assert seen == [(rule, spike) for spike in (neuron.H, None) for rule in ("exact", "classic")]


def test_the_loss_is_that_of_the_last_layer():
    problem = trials.draw(np.random.default_rng(2), (1, 3, 2), 2, LIF())
    assert next(trials.by_numbers(problem)).ok


def test_a_message_names_form_rule_oracle_and_place():
    one = Comparison("c5-b", None, 2, np.array([1.0, 3.0]), np.array([1.0, 2.0]), scale=4.0)
    outcome = trials.outcome_of(one, "exact", "autodiff", ROUNDING, "vector")
    assert outcome._replace(message="") == Outcome(
        "c5-b", "exact", "autodiff", 0.25, 1e-12, False, ""
    )
    assert outcome.message == (
        "vector form, exact rule, against autodiff: c5-b (case 5: the gradient of layer n = 2), "
        "i = 1: got 3.0, expected 2.0, relative error 2.5e-01 > 1e-12"
    )
    assert not outcome.ok


@pytest.mark.parametrize(("got", "ok"), [(0.5, False), (0.5 + 1e-6, True)])
def test_a_gap_is_expected_to_be_seen_entry_by_entry(got, ok):
    """By 1e-8 and more, whatever the size of what was summed."""
    one = Comparison("c5-b", None, 1, np.array([got]), np.array([0.5]), scale=1e9)
    outcome = trials.outcome_of(one, "classic", "autodiff", GAP, "vector")
    assert (outcome.limit, outcome.gap, outcome.ok) == (1e-8, True, ok)
    assert outcome.error == pytest.approx((got - 0.5) / 0.501, rel=1e-6)
    assert not trials.outcome_of(one, "classic", "autodiff", DIFFERENCES, "vector").gap


def test_a_formulas_error_is_relative_to_the_largest_value():
    got, expected = np.array([1.0, -4.0, 0.5]), np.array([1.0, -8.0, 0.5])
    outcome = trials.by_formula("h1", " with a = 2", got, expected)
    assert outcome == Outcome(
        *("h1", "both", "formulas", 0.5, 1e-12, False),
        "h1 with a = 2 against its formula: relative error 5.0e-01 > 1e-12",
    )


def test_every_curve_is_compared_with_its_formula(monkeypatch):
    one = np.ones(1)
    curves = [formulas.Curve("h1", "a = 2", one, one), formulas.Curve("h2", "a = 3", one, 2 * one)]
    monkeypatch.setattr(formulas, "curves", lambda: iter(curves))
    first, second = trials.by_formulas()
    assert (first.id, first.error, second.id, second.error) == ("h1", 0.0, "h2", 0.5)
    assert "with a = 3 against" in second.message


@pytest.mark.parametrize(
    ("rule", "delta"), [("exact", "c3-delta"), ("classic", "c3-delta-classic")]
)
def test_every_node_has_a_proof_by_polynomials(rule, delta):
    oracle = "polynomials" if rule == "exact" else "polynomials: gap = dropped paths"
    outcomes = [o for o in trials.by_symbols((1, 2), 3) if o.rule == rule]
    assert [o.id for o in outcomes] == [
        *["c1-delta", "c1-epsilon"] * 2,
        *[delta, "c3-epsilon"] * 4,
        *["c5-b"] * 2,
        *["c5-w"] * 2,
    ]
    for o in outcomes:
        assert o[2:6] == (oracle, 0.0, 0.0, False)


def test_a_polynomial_that_differs_is_a_failure_and_is_shown(monkeypatch):
    monkeypatch.setattr(cases.scalar, "c1_epsilon", lambda delta, h: delta)
    bad = [o for o in trials.by_symbols((1, 1), 1) if not o.ok and o.id == "c1-epsilon"]
    assert [(o.rule, o.error) for o in bad] == [("exact", 1.0)]
    assert "scalar form, exact rule, c1-epsilon at Node(kind='u', n=1, t=0" in bad[0].message
    assert "got - expected = " in bad[0].message


@pytest.mark.parametrize(
    ("error", "gap", "ok"),
    [
        (0.5, False, True),
        (1.0, False, True),
        (1.5, False, False),
        (0.5, True, False),
        (1.0, True, False),
        (1.5, True, True),
        (np.nan, False, False),
        (np.nan, True, False),
    ],
)
def test_an_error_up_to_the_limit_is_none_and_a_gap_is_larger(error, gap, ok):
    assert Outcome("h1", "both", "formulas", error, 1.0, gap, "").ok == ok
