"""Which words a gradient function keeps, from its numbers."""

import pytest

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.arrows import part_one
from stbp_edu.arrows.classifier import different_rules
from stbp_edu.neuron import GATES

pytestmark = pytest.mark.slow  # probes many networks


def by(rule, change=lambda *layers: layers):
    """The gradient function of a rule, perhaps with its gradients changed."""

    def function(*run):
        found = part_one.backward(*run, rule)
        return tuple([None, *change(*of[1:])] for of in (found.W, found.b))

    return function


@pytest.mark.parametrize("rule", arrows.RULES)
def test_every_built_in_rule_is_named_with_every_gate(rule):
    """Where it names others too, they keep the same words there (or forget the same spikes)."""
    for gate in GATES:
        neuron = LIF(0.6, 0.5, Gaussian(0.5), gate)
        net = arrows.network("2-3-2", part_one.from_lif(neuron))
        kept = arrows.words(net, 4, rule)
        same = different_rules(net)
        same = [name for name in same if arrows.words(net, 4, name) == kept]
        if gate != "soft":  # there, the leak forgets nothing
            forgets = arrows.RULES[rule].forgets
            same = [name for name in same if arrows.RULES[name].forgets == forgets]
        verdict = arrows.classify(by(rule), neuron)
        assert sorted(verdict.rules) == sorted(same), (rule, gate, str(verdict))


@pytest.mark.parametrize("twin", [True, False])
def test_an_unknown_rule_counts_the_words_that_it_keeps_once_and_the_others_never(twin):
    mine = arrows.Rule("mine", {"all": {"carry": None, "*": "all"}})
    verdict = arrows.classify(by(mine), twin=twin)
    assert not verdict.rules
    assert verdict.dropped()[0] == ("enter", "carry", "spike", "readout")
    for word, count in verdict.coefficients.items():
        assert count == pytest.approx(float("carry" not in word), abs=1e-4)
    assert verdict.dropped() == sorted(verdict.dropped(), key=lambda w: (len(w), w))


def test_what_is_no_sum_of_words():
    """Of squares no sum can be made; nor where weights are off, and biases are not."""
    off = by("exact", lambda one, two: (one * (1 + 1e-4), two))
    biases = lambda *run: part_one.backward(*run, "exact").b  # noqa: E731
    for wrong in (
        by("exact", lambda one, two: (one**2, two**2)),
        lambda *run: (off(*run)[0], biases(*run)),
    ):
        verdict = arrows.classify(wrong)
        assert verdict == arrows.Verdict((), {})
        assert "no sum of words" in str(verdict)
