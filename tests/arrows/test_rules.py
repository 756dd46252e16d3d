"""Rules as automata: the recursion against its words, in numbers and in letters."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.losses import LastSteps
from tests.arrows.oracle import RESETS, Case

HARD = arrows.hard_reset(LIF(0.6, 0.5, Gaussian(0.7), "linear"))
SOFT = arrows.soft_reset(LIF(0.6, 0.5))
MODELS = {
    "hard": HARD,
    "soft": SOFT,
    "current": arrows.with_current(SOFT, 0.7),
    "adaptation": arrows.with_adaptation(HARD, 0.5, 0.9),
}


def nodes(local):
    """Every node of a network."""
    for n in range(1, local.net.N + 1):
        for state in local.net.layers[n].neuron.order:
            for t, i in np.ndindex(
                len(local.direct), int(np.prod(local.net.shape_of(n)))
            ):
                yield arrows.Node(state, n=n, t=t, i=i)


def value(lam, node, q, s=0):
    """λ of a node."""
    return lam[node.n][node.kind, q][node.t, s].flat[node.i]


@pytest.mark.parametrize("reset", RESETS)
def test_p2_arrow_an_adjoint_has_one_term_for_each_arrow_that_leaves(reset):
    local = Case(reset=reset, S=1).local()
    lam = arrows.lambdas(local)
    for node in nodes(local):
        heads = [(e.factor, e.target) for e in arrows.edges_from(node, local)]
        terms = [
            f * (1.0 if head.kind == "L" else value(lam, head, "all"))
            for f, head in heads
        ]
        assert terms
        assert value(lam, node, "all") == pytest.approx(
            sum(terms), rel=1e-13, abs=1e-16
        )


WIDE = product(MODELS, ("2-2-2-1", "2-2R-1R"))
SMALL = [pytest.param(*one, 3, marks=pytest.mark.slow) for one in WIDE]


@pytest.mark.parametrize(("model", "sizes", "T"), [*SMALL, ("hard", "4x4-P2-1C1-2", 2)])
def test_p2_rule_is_the_sum_over_the_words_that_a_rule_keeps(model, sizes, T):
    """Every rule: the same polynomial, and as many paths as counted."""
    local = arrows.letters(arrows.network(sizes, MODELS[model]), T)
    for name, rule in arrows.RULES.items():
        lam = arrows.lambdas(local, name)
        for node in nodes(local):
            paths = arrows.paths_from(node, local, name)
            assert value(lam, node, rule.start) == sum(
                (p.contribution for p in paths), 0
            )
            if node.i == 0 and node.t == 0:
                kept, every = len(paths), len(arrows.paths_from(node, local))
                assert arrows.count_paths(local.net, T, name, node) == (
                    kept,
                    every - kept,
                )


@given(
    T=st.integers(1, 4), K=st.integers(1, 5), name=st.sampled_from(sorted(arrows.RULES))
)
def test_words_in_blocks(T, K, name):
    """Paths, words and their number agree; one step a block is spatial, T steps are the rule."""
    net, rule = arrows.network("1-2-1", HARD), arrows.in_blocks(K, name)
    local = arrows.letters(net, T)
    lam = arrows.lambdas(local, rule)
    for node in nodes(local):
        paths = arrows.paths_from(node, local, rule)
        assert value(lam, node, rule.start) == sum((p.contribution for p in paths), 0)
        assert arrows.count_paths(net, T, rule, node)[0] == len(paths)
    kept = arrows.words(net, T, rule)
    assert kept == arrows.words(net, min(T, K), name)
    if K == 1:
        assert kept == arrows.words(net, T, "spatial-only")


TIME = {"carry", "reset", "recur", "decay", "adapt", "relax"}
EVERYTHING = arrows.network("1-1R-1R", arrows.with_current(MODELS["adaptation"], 0.7))


def after(word, kinds):
    """What comes after the first arrow of some kinds; nothing where there is none."""
    return next((word[k + 1 :] for k, kind in enumerate(word) if kind in kinds), ())


def keeps(rule, word):
    """Whether a rule keeps a word, in the words of its description."""
    timed = [kind for kind in word if kind in TIME]
    late = bool(TIME & {*after(word, {"weight"})})
    match rule:
        case "exact":
            return True
        case "classic":  # who came in owes a spike before it may take time
            owing = r"\b(weight|reset|recur|adapt)( charge)* (carry|decay|relax)\b"
            return not re.search(owing, " ".join(word))
        case "detached-reset" | "leak-only":
            return "reset" not in word
        case "detached-spikes":
            return not {"reset", "adapt", "recur"} & {*word}
        case "spatial-only":
            return not timed
        case "ottt":
            still = not TIME & {*after(word, {"spike"})}
            return still and not {"reset", "recur", "adapt"} & {*word}
        case "e-prop":
            return not {"reset", "recur"} & {*word} and not late
        case "e-prop-reset":
            return "recur" not in word and not late
        case "truncated-1":
            return len(timed) <= 1
        case "truncated-2":
            return len(timed) <= 2
    raise LookupError(rule)


DESCRIBED = [
    *("exact", "classic", "detached-reset", "detached-spikes", "leak-only"),
    *("spatial-only", "ottt", "e-prop", "e-prop-reset", "truncated-1", "truncated-2"),
]
"""The rules whose descriptions :func:`keeps` has; one that is added may have its own test."""


@pytest.mark.parametrize("rule", DESCRIBED)
def test_a_rule_keeps_the_words_that_its_description_says(rule):
    """On a network with every kind of arrow that there is."""
    for n in (1, 2):
        every = arrows.words(EVERYTHING, 3, n=n)
        assert arrows.words(EVERYTHING, 3, rule, n) == [
            word for word in every if keeps(rule, word)
        ]
    assert {kind for word in arrows.words(EVERYTHING, 3) for kind in word} == {
        *TIME,
        *("spike", "weight", "readout", "charge", "threshold"),
    }


def test_a_loss_on_the_last_step_is_read_there_alone():
    net, start = (
        arrows.network("1-1", HARD, LastSteps(1)),
        arrows.Node("u", 1, 0, 0),
    )
    last = {("carry", "spike", "readout"), ("spike", "reset", "spike", "readout")}
    assert {*arrows.words(net, 2)} == last
    assert {
        path.word for path in arrows.paths_from(start, arrows.letters(net, 2))
    } == last
    assert arrows.count_paths(net, 2, "exact", start) == (2, 0)
