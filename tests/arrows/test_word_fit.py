"""How often a gradient function counts each word, on a network whose words can be listed."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, Rectangle
from stbp_edu.arrows import backward, classify, hard_reset, network, words
from stbp_edu.arrows.classifier import fit_words, random_run

NET = network("2-1-2", hard_reset(LIF(0.6, 0.5, Gaussian(0.5), "linear")))
OF_2 = {("enter", *word) for word in words(NET, 3, n=2)}
OF_1 = {("enter", *word) for word in words(NET, 3, n=1)}


def fitted(function, net=NET, twin=True, seed=0):
    """The words and how often each is counted, to four digits."""
    found = fit_words(function, net, twin, np.random.default_rng(seed))
    return {word: round(count, 4) for word, count in found.items()}


def by(rule, factors=({"W": 1, "b": 1}, {"W": 1, "b": 1})):
    """The gradient function of a rule; parameters without a factor are left out."""

    def function(net, params, trace, targets):
        found = backward(net, params, trace, targets, rule).gradients
        layers = zip(found[1:], factors, strict=True)
        return [None, *({k: f * layer[k] for k, f in of.items()} for layer, of in layers)]

    return function


def test_a_run_has_two_samples_a_bias_for_each_neuron_and_targets_between_0_and_1():
    params, trace, targets = random_run(NET, 5, True, np.random.default_rng(0))
    assert trace["u"][1].shape == (5, 2, 1)
    assert trace["o"][0].shape == (5, 2, 2)
    assert targets.shape == (2, 2)
    assert all(p["b"].all() for p in params[1:])
    assert 0 < trace["o"][1].min() < trace["o"][1].max() < 1  # the smooth twin
    inputs = trace["o"][0]
    assert 0 <= inputs.min() < inputs.max() < 1
    assert not np.array_equal(inputs, np.round(inputs))


def test_a_run_of_spikes_has_spikes_as_its_input():
    _, trace, _ = random_run(NET, 9, False, np.random.default_rng(0))
    assert set(np.unique(trace["o"][0])) == {0.0, 1.0}
    assert set(np.unique(trace["o"][2])) <= {0.0, 1.0}


def test_the_weights_and_biases_of_a_run_are_drawn_with_these_sizes():
    wide = network("400-90", hard_reset(LIF()))
    params, *_ = random_run(wide, 1, True, np.random.default_rng(0))
    assert params[1]["W"].std() == pytest.approx(1.5 / 20, rel=0.02)
    assert params[1]["b"].mean() == pytest.approx(0.2, abs=0.1)
    assert params[1]["b"].std() == pytest.approx(0.3, rel=0.2)


def test_the_exact_rule_counts_every_word_once():
    assert fitted(by("exact")) == dict.fromkeys(OF_1 | OF_2, 1.0)


def test_a_rule_counts_the_words_that_it_keeps_once_and_the_others_never():
    kept = {("enter", *word) for n in (1, 2) for word in words(NET, 3, "classic", n)}
    counts = fitted(by("classic"))
    assert counts.keys() == OF_1 | OF_2
    assert {word for word, count in counts.items() if count == 1} == kept
    assert {count for word, count in counts.items() if word not in kept} == {0.0}


def test_a_layer_has_its_own_factor():
    counts = fitted(by("exact", ({"W": 1, "b": 1}, {"W": 3, "b": 3})))
    assert {counts[word] for word in OF_2} == {3.0}
    assert {counts[word] for word in OF_1 - OF_2} == {1.0}


@pytest.mark.parametrize("layer", [0, 1])
def test_a_weight_and_a_bias_that_disagree_fit_no_word(layer):
    factors = [{"W": 1, "b": 1}, {"W": 1, "b": 1}]
    factors[layer] = {"W": 1, "b": 1 + 1e-4}
    assert fitted(by("exact", factors)) == {}


@pytest.mark.parametrize("only", ["W", "b"])
def test_parameters_and_layers_that_are_left_out_are_not_compared(only):
    counts = fitted(by("exact", ({}, {only: 2})))
    assert counts == dict.fromkeys(OF_2, 2.0)
    verdict = classify(by("exact", ({only: 2}, {})), NET)
    assert "counts twice is 'enter spike weight spike readout'" in str(verdict)


def test_words_that_contribute_nothing_are_left_out():
    """With the linear gate a spike of 1 lets nothing through: where all spike, no carry counts."""
    always = network("1-1", hard_reset(LIF(0.6, -9.0, Gaussian(50.0), "linear")))
    counts = fitted(by("exact", ({"W": 1, "b": 1},)), always, twin=False)
    assert counts.keys() == {("enter", *word) for word in words(always, 3) if "carry" not in word}


def test_where_no_word_contributes_nothing_but_0_is_a_sum_of_words():
    """The window of h is so narrow that no potential falls into it."""
    blind = network("2-1", hard_reset(LIF(surrogate=Rectangle(1e-9))))
    verdict = classify(lambda *_: [None, {"W": np.ones((1, 2))}], blind)
    assert "no sum of words gives its gradients" in str(verdict)
    assert fitted(by("exact", ({"W": 1, "b": 1},)), blind) == {}


def test_a_fit_is_judged_by_the_size_of_the_gradients():
    assert fitted(by("exact", ({"W": 1e-9, "b": 2e-9}, {"W": 1e-9, "b": 2e-9}))) == {}


def test_recurrent_weights_alone_tell_no_word():
    again = network("2-2R", hard_reset(LIF(0.6, 0.5, Gaussian(0.5))))
    assert fitted(by("exact", ({"R": 2},)), again) == {}
