"""What does not fit together, or has no meaning: the words say what, and what to do.

Values of another kind, shape or size are those of ``test_bad_calls.py``.
"""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, arrows, derive
from stbp_edu.arrows import Loss, Node, Rule, network
from stbp_edu.losses import CrossEntropy, Direct, LastSteps, Membrane
from tests.arrows.oracle import Case

HARD = arrows.hard_reset(LIF())
NET = network("2-1", HARD)


def kept_by(moves, **more):
    """The formulas under a rule that has one row of moves."""
    return arrows.formulas(NET, Rule("mine", {"all": moves}, **more))


NEURONS = [
    (
        lambda: arrows.hard_reset(LIF(gate="soft")),
        r"lif.gate must be .*; use soft_reset\(lif\)",
    ),
]
NETWORKS = [
    (lambda: network("3-2", LIF()), "neuron must be a Neuron, or a list .*; see hard_reset"),
    (lambda: network("2-1", HARD, Loss("mine", "v")), "reads state 'v', which layer 1 does not"),
    (lambda: Loss("mine", fit=Membrane), "loss must be a loss"),
    (lambda: network("28x28-15C5-P5-10", HARD), "pooling by 5 does not"),
    (lambda: network("16-3C2-2", HARD), "needs an image"),
    (lambda: network("2x34x34-3C5-2", HARD), "channels of an image last, as in 34x34x2"),
    (lambda: network("4x4-2C2-P3", HARD), "and end in one"),
    *((lambda part=part: network([part, 1], HARD), "sizes must begin with the input")
      for part in ("0", "1x2x3x4", "2x", "2R")),
    *((lambda part=part: network(["8x8", part], HARD), "must be made of parts")
      for part in ("0", "3C", "3CR", "3R2", "3X")),
]  # fmt: skip
LETTERS = arrows.letters(NET, T=2)
RULES = [
    (lambda: Rule("mine", {"a": {"carry": "b"}}), r"\['carry'\] must be one of 'a', got 'b'"),
    (lambda: Rule("mine", {"a": ["b"]}), r"got \['b'\]; write {'\*': 'a'} to keep everything"),
    (lambda: CrossEntropy(np.True_), "must be of type bool, got numpy.bool_?; pass a bool$"),
    (lambda: Rule("mine", {}), "'mine' has no states; give at least one row of moves"),
    (lambda: kept_by({"readout": None}), "'mine' keeps no word of this"),
    (lambda: arrows.formulas(NET, "clasic"), "rule must be one of 'exact', .* got 'clasic'"),
    (lambda: arrows.truncated(2**40), "K must be <= 1000"),
    (lambda: arrows.words(NET, 2, n=2), "n must be <= 1, got 2; choose an integer from 1 to 1"),
    *((lambda at=at: arrows.paths_from(Node("u", *at), LETTERS), "start must be a node of a net")
      for at in ((0, 0, 0), (2, 0, 0), (1, -1, 0), (1, 2, 0), (1, 0, -1), (1, 0, 1))),
    (lambda: arrows.classify(lambda *run: None), r"return Gradients or \(W, b\), got None"),
]  # fmt: skip
NET2, PARAMS, TRACE, INPUTS, Y = Case("2-2-2", S=2).run()
ELSEWHERE = arrows.draw_params(NET2, np.random.default_rng(9))
CURRENT = network("2-2-2", arrows.with_current(HARD, 0.5))
PART_ONE = stbp_edu.init_params([2, 2], np.random.default_rng(0))
RUN, SLOPE = stbp_edu.forward(np.ones((4, 2, 2)), PART_ONE, LIF()), np.ones((4, 2, 2))


def of_part_one(loss=None, targets=Y):
    """A backward pass of Part I."""
    return arrows.part_one.backward(RUN, targets, PART_ONE, LIF(), "exact", loss)


def online(rule):
    """The online form under a rule."""
    return arrows.online(NET2, PARAMS, INPUTS, Y, rule)


def backward(net, params=PARAMS):
    """The backward pass of a run of another network, or of other parameters."""
    return arrows.backward(net, params, TRACE, Y)


RUNS = [
    (lambda: backward(CURRENT), "state 'i' of layer 1"),
    (lambda: backward(NET2, ELSEWHERE), "must follow"),
    (lambda: online(arrows.in_blocks(2)), "must have no gain limit and no block"),
    (lambda: of_part_one(LastSteps(9)), "LastSteps k must be <= T = 4, got 9"),
    (
        lambda: of_part_one(LastSteps(1), Y[:1]),
        r"targets must have shape \(S, n\[N\]\) = \(2, 2\)",
    ),
    (lambda: of_part_one(Direct(SLOPE, SLOPE), None), "got a direct term of both"),
]


@pytest.mark.parametrize(("call", "message"), [*NEURONS, *NETWORKS, *RULES, *RUNS])
def test_a_wrong_call_is_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_more_words_than_a_list_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr("stbp_edu.arrows.unrolled.MOST_PATHS", 50)
    with pytest.raises(ValueError, match="T = 60 must make at most 50 paths, got 6802"):
        arrows.words(network("1-2-2", HARD), 60)


def test_spikes_close_to_the_threshold_may_have_been_rounded_to_either_side():
    """A genuine trace is not refused for two neurons on different sides of it."""
    net = network("1-1", derive("u = x\no = spike(u - 1)").neuron)
    params = [None, {"W": np.ones((1, 1)), "b": np.zeros(1)}]

    def after(first):
        """The backward pass of a run whose spikes have been turned round."""
        trace = arrows.forward(net, params, np.array([[[first], [1 + 5e-5]]]))
        trace["o"][1] = 1 - trace["o"][1]
        return arrows.backward(net, params, trace, np.ones((2, 1))).gradients[1]["W"]

    assert np.isfinite(after(1 - 5e-5)).all()
    with pytest.raises(ValueError, match="must follow from this network"):
        after(0.5)
