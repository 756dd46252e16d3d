"""A limit on the gain from step to step: in the engine, in Part II, and what it promises."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, arrows, backward
from stbp_edu.arrows.gains import norms
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training import RECIPES
from tests.networks import assert_close, make_problem, problems

STEEP = LIF(tau=0.9, v_th=1.0, surrogate=Gaussian(0.02), gate="linear")
limits = st.sampled_from([0.3, 1.0, 2.5])
SMALL = {"max_layers": 2, "max_steps": 6, "max_width": 4, "max_batch": 3}


def arrays(found):
    return [None, *found.W[1:], *found.b[1:]]


@given(problem=problems(**SMALL), limit=limits)
def test_gain_limit_and_gain_bound_of_every_neuron_and_step(problem, limit):
    """ε follows from ε one step later by the gain that is held, and so obeys the bound."""
    trace, neuron = problem.trace, problem.neuron
    local = arrows.part_one.as_local(trace, problem.targets, problem.params, neuron)
    rule = arrows.with_gain_limit(limit, "exact")
    lam, N = arrows.lambdas(local, rule), problem.params.N
    for n in range(1, N + 1):
        epsilon, u, o = lam[n]["u", "all"], trace.U[n], trace.O[n]
        above = local.direct if n == N else lam[n + 1]["u", "all"] @ problem.params.W[n + 1]
        own = above * neuron.h(u)
        bound = limit * np.abs(epsilon[1:]) + np.abs(own[:-1])
        assert (np.abs(epsilon[:-1]) <= bound * (1 + 1e-12)).all()
        if neuron.gate != "soft":
            gain = np.clip(neuron.f(o) + u * neuron.df(o) * neuron.h(u), -limit, limit)
            np.testing.assert_allclose(epsilon[:-1], own[:-1] + gain[:-1] * epsilon[1:], atol=1e-12)


@given(problem=problems(**SMALL), rule=st.sampled_from(RULES + ABLATIONS), limit=limits)
def test_the_engine_and_part_two_hold_the_same_gains(problem, rule, limit):
    run = (problem.trace, problem.targets, problem.params, problem.neuron)
    found = arrows.part_one.backward(*run, arrows.with_gain_limit(limit, rule))
    assert_close(arrays(backward(*run, rule, gain_limit=limit)), arrays(found), "gradient", 1e-11)


@pytest.mark.parametrize(("gate", "rule"), [*product(GATES, RULES + ABLATIONS)])
def test_a_limit_that_no_gain_reaches_changes_no_bit(gate, rule):
    neuron = LIF(tau=0.9, v_th=1.0, surrogate=Gaussian(0.02), gate=gate)
    problem = make_problem(0, [4, 6, 3], T=8, S=3, neuron=neuron)
    run = (problem.trace, problem.targets, problem.params, neuron, rule)
    free = arrays(backward(*run))
    assert_close(arrays(backward(*run, gain_limit=1e6)), free, "gradient", 0)
    held = arrays(backward(*run, gain_limit=0.05))
    assert (rule == "spatial-only") == all(np.array_equal(*x) for x in zip(held, free, strict=True))


@pytest.mark.parametrize(
    ("neuron", "rule", "found"),
    [
        (arrows.hard_reset(STEEP), "classic", {("u", "free"): 0, ("u", "owes"): 1}),
        (
            arrows.with_current(arrows.hard_reset(STEEP), 0.9),
            "exact",
            {("i", "all"): 0, ("u", "all"): 1},
        ),
        (
            arrows.with_adaptation(arrows.hard_reset(STEEP), 0.5, 0.9),
            "exact",
            {("a", "all"): 0, ("u", "all"): 0},
        ),
    ],
    ids=["classic", "current", "adaptation"],
)
def test_states_that_feed_each_other_are_held_together_and_others_apart(neuron, rule, found):
    """A decay of 0.9 is left as it is beside a gain of -2; an adaptation's loop is one block."""
    net = arrows.network("3-5-2", neuron)
    params, rng = arrows.draw_params(net, np.random.default_rng(1)), np.random.default_rng(2)
    trace = arrows.forward(net, params, 3 * rng.random((8, 4, 3)))
    local, limited = arrows.local_derivatives(net, params, trace, np.eye(2)[[0, 1, 0, 1]]), []
    for limit in (1.0, 0.5):
        held = local.held(1, arrows.with_gain_limit(limit, rule))
        assert all(((x > 0) & (x <= 1)).all() for x in held.values())
        limited.append(held)
    kinds = {k: [key for key in found if found[key] == k] for k in found.values()}
    for together in kinds.values():
        first, *rest = (limited[0][key] for key in together)
        assert all(np.array_equal(first, other) for other in rest)
    assert (limited[0][max(found)] < 1).any()
    if len(kinds) > 1:
        assert (limited[0][min(found)] == 1).all()
        assert np.allclose(limited[1][min(found)].max(), 1) or (limited[1][min(found)] < 1).any()


@pytest.mark.parametrize("name", ["digits", "mnist", "fashion"])
def test_no_gain_of_a_recipe_can_exceed_1_so_that_a_limit_changes_no_bit(name):
    """Below the threshold for silent steps, above it for those with a spike."""
    neuron = RECIPES[name].make_neuron()
    u = np.linspace(-50, 50, 200_001)
    o = neuron.g(u)
    gain = neuron.f(o) + u * neuron.df(o) * neuron.h(u)
    assert np.abs(gain).max() < 1
    assert np.abs(u * neuron.df(o) * neuron.h(u)).max() < 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_norm_of_a_block_is_the_most_that_it_can_stretch(size):
    blocks = np.random.default_rng(size).normal(size=(5, size, size))
    np.testing.assert_allclose(norms(blocks), np.linalg.svd(blocks)[1][:, 0], rtol=1e-13)
