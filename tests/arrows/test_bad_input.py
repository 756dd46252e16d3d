"""What is wrong is named, with what to do."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF
from stbp_edu.arrows import (
    Arrow,
    Enter,
    Flatten,
    Link,
    Loss,
    Network,
    Neuron,
    Node,
    Rule,
    backward,
    classify,
    classify_letters,
    draw_params,
    formulas,
    forward,
    hard_reset,
    in_blocks,
    last_steps,
    letters,
    local_derivatives,
    network,
    part_one,
    paths_from,
    soft_reset,
    truncated,
    with_adaptation,
    with_current,
)
from stbp_edu.losses import Direct, LastSteps, Membrane

HARD = hard_reset(LIF())


def changed(*arrows, **more):
    """The neuron of Part I with other arrows."""
    return Neuron(HARD.states, (*HARD.arrows, *arrows), HARD.distance, HARD.surrogate, **more)


def one(states, params):
    """A factor."""
    return 1.0


def test_an_arrow_without_a_factor():
    with pytest.raises(ValueError, match="'jump' from u to o has no factor; give factor=, the der"):
        Arrow("jump", "u", "o")
    with pytest.raises(ValueError, match="'jump': step must be 0 or 1, got 2"):
        Arrow("jump", "u", "o", one, step=2)


@pytest.mark.parametrize("steps", [{"step": -1}, {"layer": 2}, {"layer": -1}])
def test_an_arrow_that_leads_too_far(steps):
    (name,) = steps
    with pytest.raises(ValueError, match=f"arrow 'jump': {name} must be 0 or 1, got"):
        Arrow("jump", "u", "o", one, **steps)


def test_an_arrow_leaves_its_neuron_by_a_map_or_to_the_loss_and_needs_no_factor_then():
    link = Link((Flatten(),), (2,), 1)
    assert Arrow("weight", "o", "u", layer=1, link=link).leaves
    assert Arrow("readout", "o", "L").leaves
    assert not Arrow("jump", "u", "o", one).leaves
    plain = Arrow("jump", "u", "o", one)
    assert (plain.letters, plain.step, plain.layer, plain.leak) == ("", 0, 0, None)


def test_an_arrow_or_a_parameter_from_nowhere():
    with pytest.raises(ValueError, match="arrow 'jump': state must be one of 'u', 'o', got 'v'"):
        changed(Arrow("jump", "v", "u", one))
    entered = {"tau": Enter("v", one, "", 1.0)}
    with pytest.raises(ValueError, match="learned 'tau': target must be one of 'u', 'o', got 'v'"):
        changed(learned=entered)


def test_the_order_of_a_step_follows_its_arrows():
    assert HARD.order == ("u", "o")
    assert with_current(with_adaptation(HARD, 0.1, 0.2), 0.5).order in (
        *(("i", "a", "u", "o"), ("a", "i", "u", "o")),
        ("i", "u", "a", "o"),
    )
    assert changed(input="o", output="u").state("o").name == "o"
    with pytest.raises(TypeError, match="unexpected keyword argument 'order'"):
        changed(order=("o", "u"))


def test_a_cycle_within_one_step():
    with pytest.raises(ValueError, match=r"form a cycle, [uo] → [uo] → [uo]; .* take a step"):
        changed(Arrow("back", "o", "u", one))


def test_a_state_that_does_not_exist():
    with pytest.raises(ValueError, match="arrow 'jump': state must be one of 'u', 'o', got 'v'"):
        changed(Arrow("jump", "u", "v", one))
    with pytest.raises(ValueError, match="two arrows are called 'carry'"):
        changed(Arrow("carry", "u", "u", one, step=1))
    with pytest.raises(ValueError, match="input must be one of 'u', 'o', got 'i'"):
        changed(input="i")
    with pytest.raises(ValueError, match="output must be one of 'u', 'o', got 's'"):
        changed(output="s")


def test_a_loss_that_reads_a_state_that_does_not_exist():
    with pytest.raises(
        ValueError, match=r"'mine' reads state 'v', which layer 1 does not have; .* u, o"
    ):
        network("2-1", HARD, Loss("mine", "v"))


@pytest.mark.parametrize("fit", [Membrane(), LastSteps(2), None])
def test_a_fit_that_says_itself_what_it_reads(fit):
    with pytest.raises(TypeError, match=r"fit must be Rate\(\) or CrossEntropy\(\), got .*; say"):
        Loss("mine", fit=fit)


def test_a_loss_that_reads_too_many_steps():
    net = network("2-1", HARD, last_steps(5))
    params = draw_params(net, np.random.default_rng(0))
    trace = forward(net, params, np.ones((3, 1, 2)))
    with pytest.raises(ValueError, match="reads the last 5 steps, but there are T = 3; run longer"):
        backward(net, params, trace, np.ones((1, 1)))
    with pytest.raises(ValueError, match="last must be >= 1"):
        last_steps(0)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("28x28-15C5-P5-10", r"layer '10' on shape \(15, 24, 24\): average pooling by 5 does not"),
        ("4x4-3C5-2", r"layer '3C5' .* a kernel of 5 does not fit into an image of 4 × 4"),
        ("16-3C2-2", r"needs an image \(channels, height, width\), got shape \(16,\)"),
        ("2-3X-1", "layer '3X' is not understood; write 300, 300R, 15C5 or P2"),
        ("two-1", "the input 'two' is not understood; write 784, 28x28 or 2x34x34"),
        ("4x4-P2", "must name at least one layer of neurons"),
        ("4x4-2C2-P3", "end in a layer"),
        ("2-0", "layer '0' is not understood"),
    ],
)
def test_shapes_that_do_not_compose(sizes, message):
    with pytest.raises(ValueError, match=message):
        network(sizes, HARD)


def test_layers_that_do_not_fit():
    net, other = network("2-3-1", HARD), network("4-1", HARD)
    with pytest.raises(ValueError, match=r"layer 2 reads shape \(4,\), but below it is \(3,\)"):
        Network((2,), (None, net.layers[1], other.layers[1]), net.loss)
    with pytest.raises(ValueError, match="put None first"):
        Network((2,), net.layers[1:], net.loss)
    with pytest.raises(ValueError, match="2 layers, 1 neurons"):
        network("2-3-1", [HARD])
    with pytest.raises(TypeError, match="must be a Neuron, got 'lif'; see hard_reset"):
        network("2-3", ["lif"])


def test_parameters_inputs_and_targets():
    net = network("2-1", soft_reset(LIF(), learn_leak=True))
    params = draw_params(net, np.random.default_rng(0))
    good = np.ones((3, 1, 2))
    lacking = [None, {k: v for k, v in params[1].items() if k != "tau"}]
    with pytest.raises(ValueError, match=r"params\[1\] lacks 'tau'; give an array of shape \(\)"):
        forward(net, lacking, good)
    with pytest.raises(ValueError, match=r"params\[1\]\['W'\] must have shape .* transpose it\?"):
        forward(net, [None, {**params[1], "W": params[1]["W"].T}], good)
    with pytest.raises(ValueError, match=r"params must have N \+ 1 = 2 entries, got 1"):
        forward(net, [None], good)
    with pytest.raises(ValueError, match=r"inputs must have shape \(T, S, \*\(2,\)\)"):
        forward(net, params, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"targets must have shape \(S, n\[N\]\) = \(1, 1\), got"):
        local_derivatives(net, params, forward(net, params, good), np.ones((2, 1)))
    with pytest.raises(ValueError, match=r"params\[1\] lacks 'tau'"):
        local_derivatives(net, lacking, forward(net, params, good), np.ones((1, 1)))


def test_targets_that_are_not_finite_and_a_scale_that_is_none():
    net = network("2-1", HARD)
    params, run, y = _run(net)
    with pytest.raises(ValueError, match=r"targets must be finite, got nan at index \(0, 0\)"):
        backward(net, params, run, y * np.nan)
    with pytest.raises(ValueError, match="scale must be finite, got nan"):
        draw_params(net, np.random.default_rng(0), np.nan)


def test_a_function_that_gives_no_gradient():
    net = network("2-1", HARD)
    with pytest.raises(ValueError, match="function must return at least one gradient, got none"):
        classify(lambda *run: [None, {}], net)
    with pytest.raises(ValueError, match="function must return at least one gradient, got none"):
        classify(lambda *run: [{"W": np.ones((1, 2))}, {}], net)
    with pytest.raises(ValueError, match="T must be >= 1"):
        classify_letters(lambda local: [None], net, T=0)


def test_a_pass_of_part_one_that_does_not_fit():
    neuron, rng = LIF(), np.random.default_rng(0)
    params = stbp_edu.init_params([3, 2], rng)
    run = stbp_edu.forward(rng.random((4, 2, 3)), params, neuron)
    slope = np.ones((4, 2, 2))
    for targets, loss, message in (
        (np.ones((2, 2)), LastSteps(9), "LastSteps k must be <= T = 4, got 9"),
        (np.ones((1, 2)), LastSteps(1), r"targets must have shape \(S, n\[N\]\) = \(2, 2\)"),
        (None, Direct(slope, slope), "loss must read spikes or potentials, got .* of both"),
    ):
        with pytest.raises(ValueError, match=message):
            part_one.backward(run, targets, params, neuron, "exact", loss)


def test_rules_that_cannot_be():
    with pytest.raises(TypeError, match="rule 'mine': forgets must be of type tuple, got str"):
        Rule("mine", {"a": {"*": "a"}}, forgets="carry")
    unknown = Rule("mine", {"a": {"*": "a"}}, forgets=("carrry",))
    with pytest.raises(ValueError, match=r"rule 'mine': arrow must be one of .*, got 'carrry'"):
        formulas(network("2-1", HARD), unknown)
    with pytest.raises(ValueError, match="in state 'a', 'carry' moves to 'b', which is no state"):
        Rule("mine", {"a": {"carry": "b"}})
    with pytest.raises(ValueError, match="'mine' has no states; give at least one row of moves"):
        Rule("mine", {})
    nothing = Rule("mine", {"a": {"readout": None, "*": "a"}})
    for call in (formulas, lambda net, rule: backward(net, *_run(net), rule)):
        with pytest.raises(ValueError, match="'mine' keeps no word of this network"):
            call(network("2-1", HARD), nothing)
    misspelt = Rule("mine", {"a": {"wieght": None, "*": "a"}})
    with pytest.raises(ValueError, match=r"one of '\*', 'adapt', 'carry', .*, got 'wieght'"):
        formulas(network("2-1", HARD), misspelt)
    with pytest.raises(ValueError, match=r"rule must be one of 'exact', .* got 'clasic'"):
        formulas(network("2-1", HARD), "clasic")
    with pytest.raises(ValueError, match="K must be >= 0"):
        truncated(-1)
    with pytest.raises(ValueError, match="K must be >= 1, got 0"):
        in_blocks(0)
    with pytest.raises(ValueError, match="block must be >= 1, got -2"):
        Rule("mine", {"all": {"*": "all"}}, block=-2)


def _run(net):
    """Parameters, trace and targets."""
    params = draw_params(net, np.random.default_rng(0))
    return params, forward(net, params, np.ones((2, 1, 2))), np.ones((1, 1))


def test_a_node_that_is_not_there():
    local = letters(network("2-1", HARD), T=2)
    assert paths_from(Node("u", 1, 1, 0), local)
    for at in ((0, 0, 0), (2, 0, 0), (1, -1, 0), (1, 2, 0), (1, 0, -1), (1, 0, 1)):
        with pytest.raises(ValueError, match="start "):
            paths_from(Node("u", *at), local)
    for node in (Node("v", 1, 0, 0), Node("L", 1, 0, 0)):
        with pytest.raises(ValueError, match="start "):
            paths_from(node, local)


def test_constants_and_functions():
    with pytest.raises(TypeError, match="alpha must be a real number"):
        with_current(HARD, "0.5")
    with pytest.raises(ValueError, match="rho must be finite"):
        with_adaptation(HARD, 0.5, float("nan"))
    for wrong in (None, "backward"):
        with pytest.raises(TypeError, match="function must be callable"):
            classify(wrong)


@pytest.mark.parametrize("wrong", [lambda W: W.T, lambda W: W * np.nan, lambda W: W * [1, np.nan]])
def test_gradients_that_cannot_be_classified(wrong):
    def function(net, params, trace, targets):
        return [None, {"W": wrong(params[1]["W"])}]

    with pytest.raises(ValueError, match=r"finite gradients .* of layer 1, 'W' has shape \("):
        classify(function, network("2-1", HARD))


def test_a_link_names_what_it_needs():
    with pytest.raises(ValueError, match="needs an image"):
        _ = Link((network("4x4-2C2-1", HARD).layers[1].link.maps[0],), (16,), 2).shape


def test_the_soft_gate_has_a_neuron_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"lif\.gate must be one of .*, got 'soft'; use soft_re"):
        hard_reset(LIF(gate="soft"))
