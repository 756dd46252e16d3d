"""A limit on the gain from step to step: in the engine, in Part II, and what it promises."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.cases import ABLATIONS, CASE_RULES
from stbp_edu.losses import Rate
from stbp_edu.neuron import GATES
from tests.arrows.oracle import error
from tests.networks import assert_close, fast_backward, make_problem, problems
from tests.programs import Program

STEEP = LIF(tau=0.9, v_th=1.0, surrogate=Gaussian(0.02), gate="linear")
limits = st.sampled_from([0.3, 1.0, 2.5])
SMALL = {"max_layers": 2, "max_steps": 6, "max_width": 4, "max_batch": 3}


def arrays(found):
    return [None, *found.W[1:], *found.b[1:]]


@given(
    problem=problems(**SMALL), limit=limits, rule=st.sampled_from(["exact", "classic"])
)
def test_gain_limit_and_gain_bound_of_every_neuron_and_step(problem, limit, rule):
    """What a rule hands on, ε or err, follows from it one step later by the gain that is held."""
    trace, neuron = problem.trace, problem.neuron
    local = arrows.part_one.as_local(trace, problem.targets, problem.params, neuron)
    lam, N = (
        arrows.lambdas(local, arrows.with_gain_limit(limit, rule)),
        problem.params.N,
    )
    err = [
        {},
        *(one["u", {"exact": "all", "classic": "owes"}[rule]] for one in lam[1:]),
    ]
    for n in range(1, N + 1):
        u, o = trace.U[n], trace.O[n]
        above = local.direct if n == N else err[n + 1] @ problem.params.W[n + 1]
        own = above * neuron.h(u)
        bound = limit * np.abs(err[n][1:]) + np.abs(own[:-1])
        assert (np.abs(err[n][:-1]) <= bound * (1 + 1e-12)).all()
        if neuron.gate != "soft":
            carried = neuron.f(o) if rule == "exact" else 0
            gain = np.clip(carried + u * neuron.df(o) * neuron.h(u), -limit, limit)
            np.testing.assert_allclose(
                err[n][:-1], own[:-1] + gain[:-1] * err[n][1:], atol=1e-12
            )


@pytest.mark.parametrize(("gate", "rule"), [*product(GATES, CASE_RULES + ABLATIONS)])
def test_a_limit_holds_the_same_gains_in_both_parts_and_1e6_changes_no_bit(gate, rule):
    neuron = LIF(tau=0.9, v_th=1.0, surrogate=Gaussian(0.02), gate=gate)
    problem = make_problem(0, [4, 6, 3], T=8, S=3, neuron=neuron)
    run = (problem.trace, problem.targets, problem.params, neuron, rule)
    free = arrays(fast_backward(*run))
    assert_close(arrays(fast_backward(*run, gain_limit=1e6)), free, "gradient", 0)
    held = arrays(fast_backward(*run, gain_limit=0.05))
    assert (rule == "spatial-only") == all(
        np.array_equal(*x) for x in zip(held, free, strict=True)
    )
    for limit in (0.05, 0.5):
        rules = arrows.with_gain_limit(limit, rule), Rate()
        expected = arrays(arrows.part_one.backward(*run[:-1], *rules))
        held = arrays(fast_backward(*run, gain_limit=limit))
        assert_close(held, expected, "gradient", 1e-12)


HARD = arrows.hard_reset(STEEP)
ADAPTIVE = arrows.with_adaptation(HARD, 0.5, 0.9)
TOGETHER = {  # the first of each pair of keys is of the one state, the second of the other
    "classic": (HARD, "classic", ("u", "free"), ("u", "owes"), False),
    "a current": (
        arrows.with_current(HARD, 0.9),
        "exact",
        ("i", "all"),
        ("u", "all"),
        False,
    ),
    "adaptation": (ADAPTIVE, "exact", ("a", "all"), ("u", "all"), True),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_states_that_feed_each_other_are_held_together_and_others_apart(name):
    """A decay of 0.9 is left as it is beside a gain of -2; an adaptation's loop is one block."""
    neuron, rule, one, other, together = TOGETHER[name]
    net = arrows.network("3-5-2", neuron)
    params, rng = (
        arrows.draw_params(net, np.random.default_rng(1)),
        np.random.default_rng(2),
    )
    trace = arrows.forward(net, params, 3 * rng.random((8, 4, 3)))
    targets = np.eye(2)[[0, 1, 0, 1]]
    local = arrows.local_derivatives(net, params, trace, targets)
    limited = arrows.with_gain_limit(1.0, rule)
    held = local.held(1, limited)
    assert all(((x > 0) & (x <= 1)).all() for x in held.values())
    assert (held[other] < 1).any()
    assert (
        np.array_equal(held[one], held[other]) if together else (held[one] == 1).all()
    )
    program = Program(net, limited, "numpy")
    found = program.gradients(params, trace, targets)
    expected = arrows.backward(net, params, trace, targets, limited).gradients
    assert error(found, expected) < 1e-12
