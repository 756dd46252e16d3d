"""Which words a gradient function keeps, from its numbers."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Gaussian, Gradients, arrows
from stbp_edu.rules import ABLATIONS
from tests.arrows.oracle import RESETS, Case

pytestmark = pytest.mark.slow  # probes many networks

NET = arrows.network("2-2-2", arrows.hard_reset(LIF(0.6, 0.5, Gaussian(0.5), "linear")))


def by(rule, change=lambda found: found):
    """The gradient function of a rule, perhaps with its gradients changed."""
    return lambda net, *run: change(arrows.backward(net, *run, rule).gradients)


def scaled(*factors):
    """Multiply the gradients of each layer by factors; leave out those without one."""
    return lambda found: [
        None,
        *({k: f * layer[k] for k, f in of.items()} for layer, of in zip(found[1:], factors)),  # noqa: B905
    ]


@pytest.mark.parametrize("rule", arrows.RULES)
def test_every_built_in_rule_is_named_on_random_networks(rule):
    """Where it names others too, they keep the same words there (or forget the same spikes)."""
    rng = np.random.default_rng(1)
    for k in range(4):
        sizes = str(rng.choice(["2-2-2", "3-2-2", "2-3R-2", "2-2-2-1"]))
        current, adaptation = map(bool, rng.integers(0, 2, 2))
        case = Case(sizes, RESETS[k % 3], current, adaptation, seed=k)
        kept = arrows.words(case.net, 4, rule)
        same = [name for name in arrows.RULES if arrows.words(case.net, 4, name) == kept]
        if case.reset != "soft":  # there, the leak forgets nothing
            forgets = arrows.RULES[rule].forgets
            same = [name for name in same if arrows.RULES[name].forgets == forgets]
        verdict = arrows.classify(by(rule), case.net, seed=k)
        assert sorted(verdict.rules) == sorted(same), (rule, case, str(verdict))


@pytest.mark.parametrize("rule", stbp_edu.rules.RULES + ABLATIONS)
def test_functions_of_part_one(rule):
    for function in (stbp_edu.backward, lambda *a, **k: stbp_edu.cases.sweep(*a, **k).gradients):
        assert arrows.classify(lambda *a, f=function: f(*a, rule=rule)).rules == (rule,)
    pair = arrows.classify(lambda *a: (lambda g: (g.W, g.b))(stbp_edu.backward(*a, rule=rule)))
    assert str(pair) == f"equals {rule}"


@pytest.mark.parametrize("twin", [True, False])
def test_an_unknown_rule_counts_the_words_that_it_keeps_once_and_the_others_never(twin):
    mine = arrows.Rule("mine", {"all": {"carry": None, "*": "all"}})
    verdict = arrows.classify(by(mine), NET, twin=twin)
    assert not verdict.rules
    assert verdict.dropped()[0] == ("enter", "carry", "spike", "readout")
    for word, count in verdict.coefficients.items():
        assert count == pytest.approx(float("carry" not in word), abs=1e-4)
    assert verdict.dropped() == sorted(verdict.dropped(), key=lambda w: (len(w), w))


def test_what_is_no_sum_of_words():
    one, off = {"W": 1, "b": 1}, {"W": 1, "b": 1 + 1e-4}
    for change in (
        lambda found: [None, *({k: v**2 for k, v in g.items()} for g in found[1:])],
        scaled(off, one),
    ):
        assert arrows.classify(by("exact", change), NET) == arrows.Verdict((), {})
    ones = arrows.classify(lambda trace, targets, params, neuron: Gradients(params.W, params.b))
    assert "no sum of words" in str(ones)
