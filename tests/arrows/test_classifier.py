"""Which words a gradient function keeps, from its numbers or its letters."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Gaussian, Gradients
from stbp_edu.arrows import (
    RULES,
    Rule,
    Verdict,
    backward,
    classify,
    classify_letters,
    hard_reset,
    lambdas,
    letters,
    network,
    soft_reset,
    with_adaptation,
    words,
)
from stbp_edu.rules import ABLATIONS
from tests.arrows.oracle import RESETS, Case

pytestmark = pytest.mark.slow  # probes many networks

NET = network("2-2-2", hard_reset(LIF(0.6, 0.5, Gaussian(0.5), "linear")))


def by(rule):
    """The gradient function of a rule on a table of arrows."""
    return lambda net, params, trace, targets: backward(net, params, trace, targets, rule).gradients


@pytest.mark.parametrize("many", [5, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rule", RULES)
def test_every_built_in_rule_is_named_on_random_networks(rule, many):
    """Where it names others too, they keep the same words there (or forget the same spikes)."""
    rng = np.random.default_rng(1)
    for k in range(many):
        case = Case(
            sizes=str(rng.choice(["2-2-2", "3-2-2", "2-3R-2", "2-2-2-1"])),
            reset=RESETS[k % 3],
            current=bool(rng.integers(2)),
            adaptation=bool(rng.integers(2)),
            seed=k,
        )
        verdict = classify(by(rule), case.net, seed=k)
        assert rule in verdict.rules, (rule, case, str(verdict))
        kept = words(case.net, 4, rule)
        for other in verdict.rules:
            assert words(case.net, 4, other) == kept, (rule, other, case)
        same = [name for name in RULES if words(case.net, 4, name) == kept]
        if case.reset != "soft":  # there, the leak forgets nothing
            same = [name for name in same if RULES[name].forgets == RULES[rule].forgets]
        assert sorted(verdict.rules) == sorted(same)


@pytest.mark.parametrize("rule", stbp_edu.rules.RULES + ABLATIONS)
def test_functions_of_part_one(rule):
    for function in (stbp_edu.backward, lambda *a, **k: stbp_edu.cases.sweep(*a, **k).gradients):
        verdict = classify(lambda *a, f=function: f(*a, rule=rule))
        assert verdict.rules == (rule,)
    pair = classify(lambda *a: (lambda g: (g.W, g.b))(stbp_edu.backward(*a, rule=rule)))
    assert str(pair) == f"equals {rule}"


def test_rules_that_keep_the_same_words_are_both_named():
    assert str(classify(by("ottt"), NET)) == (
        "equals ottt = e-prop (they keep the same words here)"
    )
    adapting = network("2-2-2", with_adaptation(soft_reset(LIF(0.6, 0.5)), 0.4, 0.8))
    assert classify(by("ottt"), adapting).rules == ("ottt",)
    assert classify(by("e-prop"), adapting).rules == ("e-prop",)


@pytest.mark.parametrize("twin", [True, False])
def test_the_shortest_word_that_an_unknown_rule_drops(twin):
    mine = Rule("mine", {"all": {"carry": None, "*": "all"}})
    verdict = classify(by(mine), NET, twin=twin)
    assert not verdict.rules
    assert " ".join(verdict.dropped()[0]) == "enter carry spike readout"
    assert all("carry" in word for word in verdict.dropped())
    assert "the shortest that it drops is 'enter carry spike readout'" in str(verdict)


def test_a_word_that_is_counted_double():
    def double(net, *run):
        exact, again = (by(rule)(net, *run) for rule in ("exact", "spatial-only"))
        return [
            None,
            *({k: a[k] + b[k] for k in a} for a, b in zip(exact[1:], again[1:], strict=True)),
        ]

    verdict = classify(double, NET)
    assert {" ".join(w) for w, c in verdict.coefficients.items() if abs(c - 2) < 1e-4} == {
        "enter spike readout",
        "enter spike weight spike readout",
    }
    assert verdict.dropped() == []
    assert "counts twice is 'enter spike readout'" in str(verdict)


def test_a_factor_and_what_is_no_sum_of_words():
    half = classify(
        lambda *a: [None, *({k: v / 2 for k, v in g.items()} for g in by("exact")(*a)[1:])], NET
    )
    assert "counts 0.5 times" in str(half)
    wrong = classify(
        lambda *a: [None, *({k: v**2 for k, v in g.items()} for g in by("exact")(*a)[1:])], NET
    )
    assert "no sum of words" in str(wrong)
    ones = classify(lambda trace, targets, params, neuron: Gradients(params.W, params.b))
    assert "no sum of words" in str(ones)


@pytest.mark.parametrize("rule", RULES)
def test_recursions_in_letters(rule):
    q = RULES[rule].start
    verdict = classify_letters(lambda local: [None, *(x["u", q] for x in lambdas(local, rule)[1:])])
    assert rule in verdict.rules


def typed(local, err_is_classic=False, mistake=1):
    """Part I's recursion as a reader types it: one line a case."""
    f, h = ([None, *(x[k, False] for x in local.factors[1:])] for k in ("carry", "spike"))
    back = [None, *(x["reset", False] for x in local.factors[1:])]
    N, T = local.net.N, len(local.direct)
    delta, eps = [None, *(0 * x for x in f[1:])], [None, *(0 * x for x in f[1:])]
    for t in reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            err = (
                [None, *(d * k for d, k in zip(delta[1:], h[1:], strict=True))]
                if err_is_classic
                else eps
            )
            d = local.direct[t] if n == N else err[n + 1][t] @ local.params[n + 1]["W"]
            e = 0
            if t < T - 1:
                d = d + mistake * err[n][t + 1] * back[n][t]
                e = eps[n][t + 1] * f[n][t]
            delta[n][t] = d
            eps[n][t] = d * h[n][t] + e
    return eps


def test_a_typed_recursion_is_classified():
    assert classify_letters(typed).rules == ("exact",)
    assert classify_letters(lambda local: typed(local, True)).rules == ("classic",)
    assert classify_letters(lambda local: typed(local, mistake=0)).rules == ("detached-reset",)
    turned = classify_letters(lambda local: typed(local, mistake=-1))
    assert turned.coefficients["enter", "spike", "reset", "spike", "readout"] == -1
    assert "counts -1 times is 'enter spike reset spike readout'" in str(turned)
    foreign = classify_letters(lambda local: [None, *(e * e for e in typed(local)[1:])])
    assert "no sum of words" in str(foreign)
    assert foreign == Verdict((), {})


def test_a_mistake_in_one_neuron_is_seen():
    def second(local):
        eps = typed(local)
        eps[1][..., 1] += eps[1][..., 1]
        return eps

    assert classify_letters(second) == Verdict((), {})


def test_letters_name_each_node():
    local = letters(NET, T=1)
    assert repr(lambdas(local)[2]["u", "all"][0, 0, 1]) == "1·h(u_{2}^{1,2})·∂L/∂o_{2}^{1,2}"


@pytest.mark.parametrize("rtol", [None, 1e-5])
@pytest.mark.parametrize(("share", "equal"), [(0.9, True), (1.1, False)])
def test_gradients_are_equal_up_to_a_share_of_their_largest_entry(share, equal, rtol):
    """However small the entry that differs is itself; 1e-8 where nothing is said."""

    def near(net, params, trace, targets):
        W = by("exact")(net, params, trace, targets)[1]["W"].copy()
        largest = np.abs(W).max()
        W.flat[np.abs(W).argmin()] += share * (rtol or 1e-8) * largest
        return [None, {"W": W}]

    net = network("2-1", hard_reset(LIF(0.6, 0.5, Gaussian(0.5))))
    verdict = classify(near, net, **({} if rtol is None else {"rtol": rtol}))
    assert ("exact" in verdict.rules) == equal


SMALL = network("2-1", hard_reset(LIF(0.6, 0.5, Gaussian(0.5))))


def shown(rule="exact", net=SMALL, **options):
    """The runs that a function of a rule is shown."""
    seen = []

    def function(net, *run):
        seen.append(run)
        return by(rule)(net, *run)

    classify(function, net, **options)
    return seen


def test_rules_are_compared_on_runs_of_the_twin_of_four_steps_and_two_samples():
    runs = shown()
    assert len(runs) >= 3
    for params, trace, targets in runs:
        assert trace["o"][0].shape == (4, 2, 2)
        assert targets.shape == (2, 1)
        assert 0 < trace["o"][1].min() < trace["o"][1].max() < 1
        assert params[1]["W"].shape == (1, 2)
    assert len({float(params[1]["W"][0, 0]) for params, *_ in runs}) == len(runs)


def test_the_steps_the_spikes_and_the_seed_can_be_chosen():
    for _, trace, _ in shown(T=6, twin=False):
        assert trace["o"][0].shape == (6, 2, 2)
        assert {*np.unique(trace["o"][0])} | {*np.unique(trace["o"][1])} == {0.0, 1.0}
    first, same, other = (shown(**seed)[0][0][1]["W"] for seed in ({}, {"seed": 0}, {"seed": 1}))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_words_are_fitted_on_other_runs_of_three_steps():
    nothing = Rule("mine", {"a": {"carry": None, "*": "a"}})
    assert {len(trace["o"][0]) for _, trace, _ in shown(nothing)[:3]} == {4}
    assert {len(trace["o"][0]) for _, trace, _ in shown(nothing)[4:]} == {3}


def test_a_function_of_part_one_is_called_as_the_packages_backward_is():
    seen = []

    def function(trace, targets, params, neuron):
        seen.append((trace, targets, params, neuron))
        return stbp_edu.backward(trace, targets, params, neuron)

    classify(function)
    for trace, targets, params, neuron in seen:
        assert (params.sizes, targets.shape) == ((2, 3, 2), (2, 2))
        assert neuron == LIF(0.6, 0.5, Gaussian(0.5), "linear")
        assert trace.U[0] is None
        assert [o.shape for o in trace.O] == [(4, 2, 2), (4, 2, 3), (4, 2, 2)]
        np.testing.assert_allclose(trace.O[1], neuron.H(trace.U[1]), rtol=1e-12)


@pytest.mark.parametrize(("net", "widths"), [(None, (1, 2, 2)), (SMALL, (2, 1))])
@pytest.mark.parametrize(("given", "T"), [({}, 4), ({"T": 2}, 2)])
def test_letters_are_those_of_the_network_and_steps_that_are_asked_for(net, widths, given, T):
    seen = []

    def recursion(local):
        seen.append(local)
        return [None, *(x["u", "all"] for x in lambdas(local)[1:])]

    classify_letters(recursion, net, **given)
    (local,) = seen
    assert tuple(local.net.shape_of(n)[0] for n in range(local.net.N + 1)) == widths
    assert local.direct.shape == (T, 1, widths[-1])


def test_a_recursion_of_numbers_that_are_0_drops_every_word():
    nothing = classify_letters(lambda local: [None, np.zeros((2, 1, 1), int)], SMALL, T=2)
    assert nothing.coefficients == {
        ("enter", *word): 0
        for word in (
            ("spike", "readout"),
            ("carry", "spike", "readout"),
            ("spike", "reset", "spike", "readout"),
        )
    }


@pytest.mark.parametrize("wrong", ["b", "later"])
def test_a_rule_is_equalled_by_every_gradient_of_every_run(wrong):
    calls = []

    def function(net, *run):
        calls.append(run)
        (_, found) = by("exact")(net, *run)
        twice = wrong == "b" or len(calls) > 1
        return [None, {**found, "b": found["b"] * (2 if twice else 1)}]

    assert classify(function, SMALL).rules == ()


def test_letters_with_a_sign_are_counted_as_they_stand_and_left_as_they_are():
    """Of the soft reset, whose factor is -V_th."""
    kept = []

    def twice(local):
        epsilon = [None, *(2 * x["u", "all"] for x in lambdas(local)[1:])]
        kept.extend((p, dict(p.terms)) for p in epsilon[1].flat)
        return epsilon

    verdict = classify_letters(twice, network("2-1", soft_reset(LIF())), T=3)
    assert set(verdict.coefficients.values()) == {2}
    assert all(polynomial.terms == terms for polynomial, terms in kept)
