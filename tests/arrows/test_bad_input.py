"""What is wrong is named, with what to do."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, derive
from stbp_edu.arrows import (
    Arrow,
    Loss,
    Network,
    Node,
    Rule,
    backward,
    classify,
    count_paths,
    draw_params,
    formulas,
    forward,
    hard_reset,
    in_blocks,
    letters,
    local_derivatives,
    network,
    online,
    part_one,
    paths_from,
    soft_reset,
    truncated,
    with_current,
    with_gain_limit,
    words,
)
from stbp_edu.losses import Direct, LastSteps, Membrane
from tests.arrows.oracle import Case

HARD = hard_reset(LIF())
NET = network("2-1", HARD)
OTHER = network("4-1", HARD)
LAST = LastSteps(1)
EVERY = {"all": {"*": "all"}}


def changed(*arrows, **more):
    """The neuron of Part I with other arrows."""
    return replace(HARD, arrows=(*HARD.arrows, *arrows), **more)


def jump(source="u", target="o", **more):
    """An arrow that no neuron has."""
    return Arrow("jump", source, target, lambda states, params: 1.0, **more)


TABLES = [
    (lambda: Arrow("jump", "u", "o"), "'jump' from u to o has no factor; give factor=, the deriv"),
    (lambda: jump(step=2), "'jump': step must be 0 or 1, got 2"),
    (lambda: jump(layer=-1), "'jump': layer must be 0 or 1, got -1"),
    (lambda: changed(jump("v")), "arrow 'jump': state must be one of 'u', 'o', got 'v'"),
    (lambda: changed(jump("u", "v")), "arrow 'jump': state must be one of 'u', 'o', got 'v'"),
    (lambda: changed(learned={"tau": (jump("tau", "v"),)}), "learned 'tau': target must"),
    (lambda: changed(learned={"rho": (jump("rho", "u"),)}), "learned must be one of 'tau', 'v_th'"),
    (lambda: changed(each=("tau",)), "each must be one of , got 'tau'"),
    (lambda: changed(learned={"tau": ()}), "learned 'tau' must enter a state"),
    (lambda: changed(HARD.arrows[1]), "two arrows are called 'carry'"),
    (lambda: hard_reset(LIF(gate="soft")), r"lif.gate must be one of .*; use soft_reset\(lif\)"),
    (lambda: with_current(LIF(), 2.0), "neuron must be of type Neuron, got LIF"),
]
NETWORKS = [
    (lambda: network("3-2", LIF()), "neuron must be a Neuron, or a list .*; see hard_reset"),
    (lambda: network("3-2", ["lif"]), "neuron must be a Neuron, or a list of one a layer, got"),
    (lambda: network("2-3-1", [HARD]), "2 layers, 1 neurons"),
    (lambda: network("2-1", HARD, "rate"), "loss must be of type Loss, got str"),
    (lambda: network("2-1", HARD, Loss("mine", "v")), "reads state 'v', which layer 1 does not"),
    (
        lambda: Loss("mine", fit=Membrane()),
        r"fit must be Rate\(\) or CrossEntropy\(\), got .*; say",
    ),
    (lambda: network("28x28-15C5-P5-10", HARD), "pooling by 5 does not"),
    (lambda: network("4x4-3C5-2", HARD), "a kernel of 5 does not fit into an image of 4 × 4"),
    (lambda: network("16-3C2-2", HARD), "needs an image"),
    (lambda: network("2x34x34-3C5-2", HARD), "channels of an image last, as in 34x34x2"),
    (lambda: network("4x4-P2", HARD), "must name at least one layer of neurons"),
    (lambda: network("4x4-2C2-P3", HARD), "end in a layer"),
    (
        lambda: Network((2,), (None, NET.layers[1], OTHER.layers[1]), NET.loss),
        "layer 2 reads",
    ),
    (lambda: Network((4,), NET.layers, NET.loss), r"layer 1 reads shape \(2,\), but below it is"),
    (lambda: Network((2,), NET.layers[1:], NET.loss), "put None first"),
]
RULES = [
    (
        lambda: Rule("mine", EVERY, forgets="carry"),
        "a rule: forgets must be tuple, got 'carry'; see Rule",
    ),
    (
        lambda: Rule("mine", {"a": {"carry": "b"}}),
        "in state 'a', 'carry' moves to 'b', which is",
    ),
    (lambda: Rule("mine", {}), "'mine' has no states; give at least one row of moves"),
    (lambda: Rule("mine", EVERY, block=-2), "block must be >= 1, got -2"),
    (lambda: formulas(NET, Rule("mine", EVERY, forgets=("carrry",))), "arrow must be .*'carrry'"),
    (lambda: formulas(NET, Rule("mine", {"a": {"wieght": None}})), "arrow must be .*'wieght'"),
    (lambda: formulas(NET, Rule("mine", {"a": {"readout": None}})), "'mine' keeps no word of this"),
    (lambda: formulas(NET, "clasic"), "rule must be one of 'exact', .* got 'clasic'"),
    (lambda: truncated(2**40), "K must be <= 1000"),
]
LETTERS = letters(NET, T=2)
GRAPHS = [
    *((lambda at=at: paths_from(Node("u", *at), LETTERS), "start must be a node of a network")
      for at in ((0, 0, 0), (2, 0, 0), (1, -1, 0), (1, 2, 0), (1, 0, -1), (1, 0, 1))),
    (lambda: paths_from(Node("v", 1, 0, 0), LETTERS), "start kind must be one of"),
    (lambda: count_paths(NET, 2, "exact", Node("u", 1, -1, 0)), "start must be a node"),
    (lambda: words(NET, 2, n=2), "n must be a layer from 1 to 1, got 2"),
    (lambda: classify(lambda *run: None), r"function must return Gradients or \(W, b\), got None"),
    (lambda: classify(lambda *run: None, NET), "function must return a list of N . 1 dictionaries"),
    (lambda: classify(lambda *run: [None, {}], NET), "function must return at least one gradient"),
]  # fmt: skip


SHAPES = [
    *((lambda part=part: network([part, 1], HARD), "sizes must begin with the input")
      for part in ("0", "1x2x3x4", "2x", "2R")),
    *((lambda part=part: network(["8x8", part], HARD), "parts such as 15C5, P2")
      for part in ("0", "3C", "3CR", "3R2", "3X")),
]  # fmt: skip
NET2, PARAMS, TRACE, INPUTS, Y = Case("2-2-2", S=3).run()
Y = np.ones((3, 2))
TARGETS = [Y[:1], Y[0], Y.tolist(), Y * np.nan, np.ma.masked_array(Y, mask=True), Y.astype(complex)]
OTHER_PARAMS = draw_params(NET2, np.random.default_rng(9))
CURRENT = network("2-2-2", with_current(HARD, 0.5))
RUNS = [
    *((lambda y=y: backward(NET2, PARAMS, TRACE, y), "targets must") for y in TARGETS),
    *((lambda y=y: online(NET2, PARAMS, INPUTS, y, "ottt"), "targets must") for y in TARGETS),
    (lambda: forward(NET2, PARAMS, INPUTS[0]), r"inputs must have shape \(T, S, \*\(2,\)\)"),
    (lambda: backward(CURRENT, PARAMS, TRACE, Y), "state 'i' of layer 1"),
    (lambda: backward(network("2-2-2", HARD), PARAMS, TRACE, Y), "must follow from this net"),
    (lambda: backward(NET2, OTHER_PARAMS, TRACE, Y), "must follow"),
    (lambda: local_derivatives(network("2-2", HARD), PARAMS[:2], TRACE, Y), "trace must have"),
    (lambda: online(NET2, PARAMS, INPUTS * np.nan, Y), r"inputs\[0\] must be finite"),
    (lambda: online(NET2, PARAMS, INPUTS[..., :1], Y), r"inputs\[0\] must have shape"),
    (lambda: online(NET2, PARAMS, INPUTS, Y, in_blocks(2)), "must have no gain limit and no block"),
    (lambda: online(NET2, PARAMS, INPUTS, Y, with_gain_limit(1, "ottt")), "no gain limit"),
]
LIF_, RNG = LIF(), np.random.default_rng(0)
P1 = stbp_edu.init_params([3, 2], RNG)
RUN1, SLOPE, Y1 = stbp_edu.forward(RNG.random((4, 2, 3)), P1, LIF_), np.ones((4, 2, 2)), Y[:2]


def of_part_one(targets=Y1, lif=LIF_, loss=LAST, **more):
    """A backward pass of Part I."""
    return part_one.backward(RUN1, targets, P1, lif, "exact", loss, **more)


PART_ONE = [
    (lambda: of_part_one(loss=LastSteps(9)), "LastSteps k must be <= T = 4, got 9"),
    (lambda: of_part_one(Y1[:1]), r"targets must have shape \(S, n\[N\]\) = \(2, 2\)"),
    (lambda: of_part_one(None, loss=Direct(SLOPE, SLOPE)), "got a direct term of both"),
    (lambda: of_part_one(lif="neuron"), "neuron must be of type LIF"),
    (lambda: of_part_one(S=0), "S must be >= 1, got 0"),
]
EVERY_CALL = [*TABLES, *NETWORKS, *RULES, *GRAPHS, *SHAPES, *RUNS, *PART_ONE]


@pytest.mark.parametrize(("call", "message"), EVERY_CALL)
def test_a_wrong_call_is_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_more_words_than_a_list_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr("stbp_edu.arrows.paths.MOST_PATHS", 50)
    with pytest.raises(ValueError, match="T = 60 must give at most 50 words"):
        words(network("1-2-2", HARD), 60)


@pytest.mark.parametrize(
    ("n", "name", "value", "message"),
    [
        (1, "W", np.ones((2, 4)), r"params\[1\]\['W'\] must have shape"),
        (2, "b", np.ones(2), r"params\[2\]\['b'\] must have shape"),
        (1, "R", np.ones((3, 2)), r"params\[1\]\['R'\] must have shape"),
        (2, "tau", np.ones(1), r"params\[2\]\['tau'\] must have shape \(\)"),
        (2, "W", np.full((1, 3), np.nan), r"params\[2\]\['W'\] must be finite"),
        (2, "b", None, r"params\[2\] lacks 'b'; give an array of shape \(1,\)"),
    ],
)
def test_each_parameter_is_there_with_its_shape(n, name, value, message):
    net = network("2-3R-1", soft_reset(LIF(), learn_leak=True))
    params = draw_params(net, np.random.default_rng(0))
    inputs, y = np.ones((3, 1, 2)), np.ones((1, 1))
    trace = forward(net, [None, *({**p, "tau": 0.5} for p in params[1:])], inputs)  # a number, too
    bad = [None, *map(dict, params[1:])]
    bad[n][name] = value
    if value is None:
        del bad[n][name]
    for call in (partial(forward, inputs=inputs), partial(backward, trace=trace, targets=y)):
        with pytest.raises(ValueError, match=message):
            call(net=net, params=bad)
        for count in (1, 4):
            with pytest.raises(ValueError, match=rf"N \+ 1 = 3 entries, got {count}"):
                call(net=net, params=(params * 2)[:count])


def test_spikes_close_to_the_threshold_may_have_been_rounded_to_either_side() -> None:
    """A genuine trace is not refused for two neurons on different sides of it."""
    net = network("1-1", derive("u = x\no = spike(u - 1)").neuron)
    params = [None, {"W": np.ones((1, 1)), "b": np.zeros(1)}]
    trace = forward(net, params, np.array([[[1 - 5e-5], [1 + 5e-5]]]))
    assert np.isfinite(backward(net, params, trace, np.ones((2, 1))).gradients[1]["W"]).all()
    trace["o"][1] = 1 - trace["o"][1]  # rounded the other way
    backward(net, params, trace, np.ones((2, 1)))
    far = forward(net, params, np.array([[[0.5], [1 + 5e-5]]]))
    far["o"][1] = 1 - far["o"][1]
    with pytest.raises(ValueError, match="must follow from this network"):
        backward(net, params, far, np.ones((2, 1)))
