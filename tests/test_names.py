"""Names of a text never meet: in the shown program, on arrays, compiled, whatever they are."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stbp_edu import arrows, derive
from stbp_edu.arrows import Rule, draw_params, with_gain_limit
from stbp_edu.losses import RATE
from stbp_edu.program.machine_code import installed
from tests.arrows.oracle import by_autodiff, error
from tests.programs import Program

numba = pytest.mark.skipif(not installed(), reason="Numba is not installed")
BACKENDS = ["numpy", pytest.param("compiled", marks=[numba, pytest.mark.slow])]
NASTY = (
    *("u", "u_1", "u_1_1", "u_owes", "u_up", "o", "o_1", "o_a_b", "u_a_b", "a", "t"),
    *("signal_0", "signal_u", "signal_o", "signals", "gain", "gain_", "gain_1"),
    *("k0", "k0_", "f0", "size", "size_", "step", "steps", "sample", "neuron", "index"),
    *(
        "zero",
        "last",
        "next",
        "first",
        "first_",
        "F",
        "F_",
        "np",
        "jit",
        "range",
        "len",
    ),
    *("dtype", "array", "settled", "add_rows", "once", "forward", "backward", "v", "p"),
    *(
        "now_u",
        "A_u",
        "E_u",
        "S_u",
        "G_u",
        "c_u",
        "each_u",
        "at_u",
        "where",
        "int",
        "i",
    ),
)
RULE_STATES = (
    "1",
    "1_",
    "next",
    "last",
    "owes",
    "a b",
    "a_b",
    "a-b",
    "_",
    "é",
    "u",
    "0",
)
TWO = "{s} = 0.5 * {s} + x\n{u} = {c} * {u} * (1 - {o}) + {s}\n{o} = spike({u} - {v})"


def run_of(mine, loss=None, sizes="2-2R-2", seed=0, T=3):
    """A network of a neuron, with what it runs on."""
    neuron = mine.neuron
    net = arrows.network(sizes, neuron, loss or RATE)
    rng = np.random.default_rng(seed)
    params = draw_params(net, rng)
    for p in params[1:]:
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
    shape = T, 2, *net.shape
    return net, params, rng.normal(0.4, 0.6, shape), rng.random((2, net.sizes[-1]))


def assert_all_agree(net, params, inputs, y, rule, backend):
    """A program's gradients are those of the table and, under exact, of autograd on the text."""
    trace = arrows.forward(net, params, inputs)
    program = Program(net, rule, backend)
    found = program.forward(params, inputs)
    for name, n in product(trace, range(net.N + 1)):
        if trace[name][n] is not None:
            assert found[name][n] == pytest.approx(trace[name][n], rel=1e-12, abs=1e-12)
    gradients = program.gradients(params, found, y)
    assert (
        error(gradients, arrows.backward(net, params, trace, y, rule).gradients) < 1e-12
    )
    if rule == "exact":
        assert error(gradients, by_autodiff(net, params, inputs, y)[0]) < 1e-11


COLLIDING = [
    # names of states and constants that once met those of adjoints, signals and loops; the rule
    ({"s": "u_1"}, "truncated-1"),
    ({"s": "u_owes"}, "classic"),
    ({"s": "u_up"}, "ottt"),
    ({"s": "u_up"}, "e-prop"),
    ({"s": "o_1"}, "truncated-1"),
    ({"c": "k0", "v": "k0_"}, "exact"),
    ({"c": "size", "v": "size_"}, "exact"),
    ({"c": "signal_0"}, "truncated-1"),
    ({"s": "last", "u": "next"}, "exact"),
    ({"c": "first", "v": "first_"}, "exact"),
    ({"c": "F", "v": "F_"}, "exact"),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("names", "rule"), COLLIDING)
def test_names_that_once_met(names, rule, backend):
    names = {"s": "s", "u": "u", "o": "o", "c": "c", "v": "v", **names}
    constants = {names["c"]: 0.7, names["v"]: 0.4}
    mine = derive(TWO.format(**names), learn=[names["c"]], **constants)
    assert_all_agree(*run_of(mine), rule, backend)


@st.composite
def nasty(draw):
    """A neuron whose states and constants have nasty names, and a rule whose states do."""
    names = draw(st.lists(st.sampled_from(NASTY), min_size=5, max_size=5, unique=True))
    s, u, o, c, v = names
    learn, each = [], []
    for constant in (c, v):
        [learn, each, []][draw(st.integers(0, 2))].append(constant)
    text = TWO.format(s=s, u=u, o=o, c=c, v=v)
    mine = derive(text, learn=learn, learn_each=each, **{c: 0.7, v: 0.4})
    a, b = draw(
        st.lists(st.sampled_from(RULE_STATES), min_size=2, max_size=2, unique=True)
    )
    moves = {
        a: {draw(st.sampled_from(["time", "reset", "weight", "spike"])): b, "*": a},
        b: {"time": draw(st.sampled_from([None, a, b])), "*": b},
    }
    rule = draw(
        st.sampled_from([Rule("mine", moves), *arrows.RULES, with_gain_limit(0.4)])
    )
    return mine, rule


@given(nasty())
def test_nasty_names_on_arrays(drawn):
    """Against the table, and autograd on the text."""
    mine, rule = drawn
    assert_all_agree(*run_of(mine, sizes="1-1R-1"), rule, "numpy")


@numba
@pytest.mark.slow
@settings(max_examples=2)
@given(nasty())
def test_nasty_names_compiled(drawn):
    mine, rule = drawn
    assert_all_agree(*run_of(mine, sizes="1-1R-1"), rule, "compiled")


def test_a_shown_program_needs_spike_and_h_alone():
    """Also with min, max and abs; and what it returns shares no memory with what it is given."""
    text = "u = tau * max(u, -1) * (1 - o) + abs(x) + min(x, 0.2)\no = spike(u - 0.4)"
    mine = derive(text, tau=0.6)
    space = {"spike": lambda v: (v >= 0) * 1.0, "h": mine.neuron.surrogate.derivative}
    exec(mine.program("spatial-only"), space)
    u, o = space["forward"](np.zeros(3), np.zeros(3), np.array([-1.0, 0.1, 0.9]), 0.6)
    signal = np.ones(3)
    names = space["backward"].__code__.co_varnames[
        : space["backward"].__code__.co_argcount
    ]
    values = {"u": u, "o": o, "x": u, "signal": signal, "tau": 0.6}
    d_o, *_ = space["backward"](*(values.get(name, 0 * u) for name in names))
    d_o += 1
    assert (signal == 1).all()
    space = {}
    exec(derive("u = x").program(), space)
    assert space["forward"](0.0, 2.0) == (2.0,)
