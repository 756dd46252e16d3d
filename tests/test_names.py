"""Names of a text never meet: in the shown program, on arrays, compiled, whatever they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import arrows, derive
from stbp_edu.arrows import Rule, with_gain_limit
from stbp_edu.program.in_loops import installed
from tests.programs import Program

BACKENDS = [
    "numpy",
    pytest.param(
        "compiled",
        marks=[
            pytest.mark.skipif(not installed(), reason="Numba is not installed"),
            pytest.mark.slow,
        ],
    ),
]
NASTY = [
    "u",
    "u_1",
    "u_1_1",
    "u_owes",
    "u_up",
    "o",
    "o_1",
    "o_a_b",
    "u_a_b",
    "a",
    "t",
    "signal_0",
    "signal_u",
    "signal_o",
    "signals",
    "gain",
    "gain_",
    "gain_1",
    "k0",
    "k0_",
    "f0",
    "size",
    "size_",
    "step",
    "steps",
    "sample",
    "neuron",
    "index",
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
    "dtype",
    "array",
    "settled",
    "add_rows",
    "once",
    "forward",
    "backward",
    "v",
    "p",
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
]
RULE_STATES = [
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
]
PLAIN = {name: name for name in "suocv"}
"""The names of the text, of which ``s``, ``u`` and ``o`` are states, and ``c`` is learned."""


def gradients(names, rule, backend="numpy"):
    """Return the gradients of a network whose neuron has these names, by the plain ones."""
    s, u, o, c, v = names.values()
    text = f"{s} = 0.5 * {s} + x\n{u} = {c} * {u} * (1 - {o}) + {s}\n{o} = spike({u} - {v})"
    mine = derive(text, learn=[c], learn_each=[v], **{c: 0.7, v: 0.4})
    net = arrows.network("2-2R-2", mine.neuron)
    rng = np.random.default_rng(0)
    params = arrows.draw_params(net, rng)
    inputs, y = rng.normal(0.4, 0.6, (3, 2, 2)), rng.random((2, 2))
    program = Program(net, rule, backend)
    found = program.gradients(params, program.forward(params, inputs), y)
    plain = {new: old for old, new in names.items()}
    return [{plain.get(k, k): array for k, array in of.items()} for of in found[1:]]


def assert_equal(found, expected):
    for of, wanted in zip(found, expected, strict=True):
        assert of.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_allclose(of[name], array, 1e-12, 1e-14, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("names", "rule"),
    [
        ({"s": "u_1"}, "truncated-1"),
        ({"s": "u_owes"}, "classic"),
        ({"c": "size", "v": "size_"}, "exact"),
        ({"s": "last", "u": "next"}, "exact"),
    ],
)
def test_names_that_once_met_those_of_adjoints_signals_and_loops(names, rule, backend):
    assert_equal(gradients(PLAIN | names, rule, backend), gradients(PLAIN, rule))


@given(
    names=st.lists(st.sampled_from(NASTY), min_size=5, max_size=5, unique=True),
    rule=st.sampled_from([*arrows.RULES, with_gain_limit(0.4)]),
)
def test_names_of_states_and_constants_change_nothing(names, rule):
    nasty = dict(zip(PLAIN, names, strict=True))
    assert_equal(gradients(nasty, rule), gradients(PLAIN, rule))


@given(
    names=st.lists(st.sampled_from(RULE_STATES), min_size=2, max_size=2, unique=True),
    leaves=st.sampled_from(["time", "reset", "weight", "spike"]),
    to=st.sampled_from([None, 0, 1]),
)
def test_names_of_a_rules_states_change_nothing(names, leaves, to):
    def rule(*of):
        back = None if to is None else of[to]
        a, b = of
        return Rule("mine", {a: {leaves: b, "*": a}, b: {"time": back, "*": b}})

    assert_equal(gradients(PLAIN, rule(*names)), gradients(PLAIN, rule("all", "later")))


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
