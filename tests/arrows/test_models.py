"""What the sizes of a network say, the arrows that leave each layer, and its parameters."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF
from stbp_edu.arrows import (
    AveragePool,
    Flatten,
    Link,
    Loss,
    Network,
    Patches,
    State,
    draw_params,
    forward,
    hard_reset,
    membrane,
    network,
    rate,
    soft_reset,
    with_current,
)
from stbp_edu.arrows.models import Layer
from stbp_edu.arrows.parameters import check_params

HARD = hard_reset(LIF(0.6, 0.5))
LEARNING = soft_reset(LIF(0.3, 0.5), learn_leak=True)


def test_sizes_name_pools_convolutions_recurrent_and_dense_layers():
    net = network("12x9x2-P3-P1-4C2-6R-2", HARD)
    first, second, third = net.layers[1:]
    assert net.layers[0] is None
    assert (net.N, net.shape, net.loss) == (3, (2, 12, 9), rate())
    assert first.link == Link((AveragePool(3), AveragePool(1), Patches(2)), (2, 12, 9), 4)
    assert second.link == Link((Flatten(),), (4, 3, 2), 6)
    assert third.link == Link((Flatten(),), (6,), 2)
    assert second.recurrent == Link((Flatten(),), (6,), 6, "R")
    assert first.recurrent is third.recurrent is None
    assert [net.shape_of(n) for n in range(4)] == [(2, 12, 9), (4, 3, 2), (6,), (2,)]
    assert [layer.shapes for layer in net.layers[1:]] == [
        {"W": (4, 2, 2, 2), "b": (4,)},
        {"W": (6, 24), "b": (6,), "R": (6, 6)},
        {"W": (2, 6), "b": (2,)},
    ]


def test_sizes_may_be_a_list_of_numbers_or_parts():
    assert network([3, 2, 1], HARD) == network("3-2-1", HARD)
    assert network(["4x4", "2C2", 3], HARD) == network("4x4-2C2-3", HARD)


@pytest.mark.parametrize(
    ("part", "shape"),
    [("784", (784,)), ("1", (1,)), ("28x30", (1, 28, 30)), ("34x30x2", (2, 34, 30))],
)
def test_the_input_is_a_row_or_an_image(part, shape):
    assert network(f"{part}-1", HARD).shape == shape


@pytest.mark.parametrize("part", ["0", "28x0", "0x2", "1x2x3x4", "2x", "x2", "", "2R", "-3"])
def test_an_input_that_is_neither_is_refused(part):
    with pytest.raises(ValueError, match="sizes must begin with the input, 784, 28x28"):
        network([part, 1], HARD)


@pytest.mark.parametrize("part", ["0", "3C", "C3", "3C0", "3CR", "R", "3R2", "03", "3.5", "3 "])
def test_a_layer_that_says_no_size_is_refused(part):
    with pytest.raises(ValueError, match="sizes must be made of parts such as 15C5, P2"):
        network(["8x8", part], HARD)


@pytest.mark.parametrize(("sizes", "count"), [("2", 0), ("4x4-P2", 0), ("4x4-2-P2", 1)])
def test_a_network_ends_in_a_layer_of_neurons(sizes, count):
    with pytest.raises(ValueError, match=rf"must name at least one layer of .* \({count} layers"):
        network(sizes, [HARD] * count)


@pytest.mark.parametrize("count", [1, 3])
def test_there_is_a_neuron_for_each_layer(count):
    with pytest.raises(ValueError, match=rf"\(2 layers, {count} neurons\)"):
        network("2-2-2", [HARD] * count)
    assert [layer.neuron for layer in network("4x4-P2-2-2", [HARD, LEARNING]).layers[1:]] == [
        *(HARD, LEARNING)
    ]


def test_a_parameter_of_the_neuron_is_one_number_for_its_layer():
    assert network("3-2", LEARNING).layers[1].shapes == {"W": (2, 3), "b": (2,), "tau": ()}


def table(net):
    """The arrows of each layer: kind, tail, head, steps, layers, and whether it has a map."""
    return [
        [(a.kind, a.source, a.target, a.step, a.layer, a.link) for a in arrows]
        for arrows in net.arrows
    ]


def test_the_arrows_that_leave_a_layer():
    own = [
        ("spike", "u", "o", 0, 0, None),
        ("carry", "u", "u", 1, 0, None),
        ("reset", "o", "u", 1, 0, None),
    ]
    net = network("2-3R-1", [HARD, with_current(HARD, 0.5)], membrane())
    first, second = net.layers[1:]
    assert table(net) == [
        [],
        [
            ("weight", "o", "i", 0, 1, second.link),
            *own,
            ("recur", "o", "u", 1, 0, first.recurrent),
        ],
        [
            ("readout", "u", "L", 0, 0, None),
            *own,
            ("decay", "i", "i", 1, 0, None),
            ("charge", "i", "u", 0, 0, None),
        ],
    ]


def test_layers_are_none_and_then_at_least_one_that_fits():
    layer, link = Layer(HARD, Link((Flatten(),), (2,), 3)), Link((Flatten(),), (3,), 1)
    assert Network((2,), (None, layer), rate()).N == 1
    for layers in ((), (None,), (layer,), (layer, layer)):
        with pytest.raises(ValueError, match="put None first"):
            Network((2,), layers, rate())
    with pytest.raises(ValueError, match=r"layer 1 reads shape \(2,\), but below it is \(4,\)"):
        Network((4,), (None, layer), rate())
    with pytest.raises(ValueError, match=r"layer 2 reads shape \(2,\), but below it is \(3,\)"):
        Network((2,), (None, layer, layer), rate())
    last = (None, Layer(with_current(HARD, 0.5), layer.link), Layer(HARD, link))
    with pytest.raises(ValueError, match="reads state 'i', which layer 2 does not have"):
        Network((2,), last, Loss("mine", "i"))


def test_drawn_parameters_have_the_shapes_and_the_spread_that_are_said():
    drawn = draw_params(network("9x9-99C3-50R", LEARNING), np.random.default_rng(0), 2.0)
    assert drawn[0] is None
    for n, name, inputs in ((1, "W", 9), (2, "W", 99 * 7 * 7), (2, "R", 50)):
        assert drawn[n][name].std() == pytest.approx(2 / np.sqrt(inputs), rel=0.1)
        assert abs(drawn[n][name].mean()) < 0.2 / np.sqrt(inputs)
    for n, units in ((1, 99), (2, 50)):
        assert np.array_equal(drawn[n]["b"], np.zeros(units))
        assert drawn[n]["tau"] == 0.3
        assert drawn[n]["tau"].shape == ()
    wide = draw_params(network("400-90", HARD), np.random.default_rng(0))[1]["W"]
    assert wide.std() == pytest.approx(1 / 20, rel=0.02)  # a scale of 1 where none is said


def test_parameters_are_drawn_by_a_generator_and_with_a_scale_above_0():
    with pytest.raises(TypeError, match="rng must be"):
        draw_params(network("2-1", HARD), 0)
    with pytest.raises(ValueError, match="scale must be > 0"):
        draw_params(network("2-1", HARD), np.random.default_rng(0), 0.0)


@pytest.mark.parametrize(
    ("layer", "name", "value", "message"),
    [
        (1, "W", np.ones((2, 4)), r"params\[1\]\['W'\] must have shape the shape of this layer's"),
        (2, "b", np.ones(2), r"params\[2\]\['b'\] must have shape"),
        (1, "R", np.ones((3, 2)), r"params\[1\]\['R'\] must have shape"),
        (2, "tau", np.ones(1), r"params\[2\]\['tau'\] must have shape \(\)"),
        (2, "W", np.full((1, 3), np.nan), r"params\[2\]\['W'\] must be finite"),
        (2, "b", None, r"params\[2\] lacks 'b'; give an array of shape \(1,\)"),
    ],
)
def test_each_parameter_is_there_with_its_shape(layer, name, value, message):
    net = network("2-3R-1", LEARNING)
    params = draw_params(net, np.random.default_rng(0))
    check_params(net, params)
    check_params(net, [None, *({**p, "tau": 0.5} for p in params[1:])])  # a number will do
    bad = {k: v for k, v in params[layer].items() if k != name or value is not None}
    if value is not None:
        bad[name] = value
    with pytest.raises(ValueError, match=message):
        check_params(net, [*params[:layer], bad, *params[layer + 1 :]])


@pytest.mark.parametrize("count", [1, 3])
def test_there_are_parameters_for_each_layer(count):
    params = draw_params(network("2-2", HARD), np.random.default_rng(0))
    with pytest.raises(ValueError, match=rf"params must have N \+ 1 = 2 entries, got {count}"):
        check_params(network("2-2", HARD), (params * 2)[:count])


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_run_keeps_the_dtype_of_its_parameters_and_inputs(dtype, twin):
    net = network("2-3R-1", with_current(HARD, 0.5))
    params = [
        None,
        *(
            {name: a.astype(dtype) for name, a in p.items()}
            for p in draw_params(net, np.random.default_rng(0))[1:]
        ),
    ]
    trace = forward(net, params, np.ones((3, 2, 2), dtype), twin=twin)
    assert list(trace) == ["i", "o", "u"]
    assert trace["i"][0] is trace["u"][0] is None
    found = {series[n].dtype for series in trace.values() for n in (1, 2)}
    assert found == {np.dtype(dtype)}


def test_the_states_of_a_run_stand_in_the_order_of_the_alphabet():
    """In every process, whatever the order of a set."""
    many = tuple(State(f"s{k}", "", lambda now, past, x, p: x) for k in range(9, 0, -1))
    net = network("1-1", replace(HARD, states=(*HARD.states, *many)))
    trace = forward(net, draw_params(net, np.random.default_rng(0)), np.ones((1, 1, 1)))
    assert list(trace) == ["o", *(f"s{k}" for k in range(1, 10)), "u"]


def test_a_run_begins_at_rest():
    """At the first step nothing is left of the states before: u is what comes in."""
    net = network("2-3", HARD)
    params = draw_params(net, np.random.default_rng(0))
    params[1]["b"] = np.array([0.1, 0.2, 0.3])
    x = np.array([[[1.0, 2.0]]])
    u = forward(net, params, x)["u"][1][0, 0]
    assert u == pytest.approx(params[1]["W"] @ [1.0, 2.0] + params[1]["b"])


def test_a_spike_comes_at_the_threshold_itself():
    net = network("1-1", hard_reset(LIF(0.5, 0.5)))
    params = [None, {"W": np.ones((1, 1)), "b": np.zeros(1)}]
    x = np.array([0.5 - 1e-12, 0.5, 0.75]).reshape(1, 3, 1)
    assert forward(net, params, x)["o"][1].ravel().tolist() == [0.0, 1.0, 1.0]
