"""The general sweep: against autodiff, differences, the five cases and the engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stbp_edu
from stbp_edu import LIF, arrows
from stbp_edu.losses import LOSSES
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS, RULES
from tests.arrows import oracle
from tests.arrows.oracle import cases


@given(case=cases())
def test_exact_equals_autodiff_and_p2_leak_is_the_slope_by_a_learned_leak(case):
    """Every neuron × loss × connection, spikes or twin: gradients, δ and ε to 1e-12."""
    net, params, trace, inputs, y = case.run()
    got = arrows.backward(net, params, trace, y)
    gradients, adjoints = oracle.derivatives(case, params, inputs, y)
    assert oracle.error(got.gradients, gradients) <= 1e-12
    both = oracle.layers(got.adjoints["u"], got.adjoints["o"])
    assert oracle.error(both, oracle.layers(adjoints["u"], adjoints["o"])) <= 1e-12


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_a_pass_of_part_one_has_the_gradients_of_the_engine(gate, rule):
    """Under every loss, and in two parts of the batch that average all of its samples."""
    rng, neuron = np.random.default_rng(3), LIF(tau=0.6, v_th=0.6, gate=gate)
    params, targets = stbp_edu.init_params([4, 5, 3], rng), np.eye(3)[rng.integers(0, 3, 7)]
    run = stbp_edu.forward(rng.random((6, 7, 4)), params, neuron)
    for made in LOSSES.values():
        theirs = stbp_edu.backward(run, targets, params, neuron, rule, made())
        found = [arrows.part_one.backward(run, targets, params, neuron, rule, made())]
        found += [
            arrows.part_one.backward(
                stbp_edu.Trace(
                    [None, *(u[:, some] for u in run.U[1:])], [o[:, some] for o in run.O]
                ),
                *(targets[some], params, neuron, rule, made()),
                S=7,
            )
            for some in (slice(0, 2), slice(2, 7))
        ]
        for n in (1, 2):
            whole, *parts = (one.W[n] for one in found)
            for got in (whole, sum(parts)):
                np.testing.assert_allclose(got, theirs.W[n], rtol=1e-12, atol=1e-15)


@given(case=cases(), K=st.integers(0, 3))
def test_rules_that_stop_gradients_equal_autodiff_that_stops_them(case, K):
    """Detached reset, spatial-only, and at most K arrows through time."""
    net, params, trace, inputs, y = case.run()
    for rule, stop in (("detached-reset", {"reset"}), ("spatial-only", {"time"})):
        expected, _ = oracle.derivatives(case, params, inputs, y, stop=stop)
        assert (
            oracle.error(arrows.backward(net, params, trace, y, rule).gradients, expected) <= 1e-12
        )
    got = arrows.backward(net, params, trace, y, stbp_edu.arrows.truncated(K)).gradients
    assert oracle.error(got, oracle.truncated(case, params, inputs, y, K)) <= 1e-12


@given(case=cases(), K=st.integers(1, 3), rule=st.sampled_from(("exact", "detached-reset")))
def test_blocks_equal_autodiff_that_forgets_at_their_edges(case, K, rule):
    net, params, trace, inputs, y = case.run()
    stop = {"reset"} if rule == "detached-reset" else ()
    edges = range(K, case.T, K)
    expected, _ = oracle.derivatives(case, params, inputs, y, stop=stop, cuts=edges)
    cut = arrows.in_blocks(K, rule)
    assert oracle.error(arrows.backward(net, params, trace, y, cut).gradients, expected) <= 1e-12


def test_layers_may_have_different_neurons():
    """An output that never spikes: a membrane loss on a neuron of its own."""
    lif = LIF(0.5, 0.5)
    neurons = [stbp_edu.arrows.with_current(arrows.hard_reset(lif), 0.5), arrows.soft_reset(lif)]
    net = arrows.network("2-3-1", neurons, stbp_edu.arrows.membrane())
    rng = np.random.default_rng(0)
    params, inputs, y = arrows.draw_params(net, rng), rng.normal(size=(4, 2, 2)), rng.random((2, 1))
    trace = arrows.forward(net, params, inputs, twin=True)
    assert trace["i"][2] is None
    got = arrows.backward(net, params, trace, y).gradients[1]["W"][0, 1]

    def moved(by):
        other = [None, *(dict(p) for p in params[1:])]
        other[1]["W"] = params[1]["W"] + by * np.array([[0, 1], [0, 0], [0, 0]])
        return net.loss.value(arrows.forward(net, other, inputs, twin=True)["u"][2], y)

    assert got == pytest.approx((moved(1e-5) - moved(-1e-5)) / 2e-5, rel=1e-7)


def test_one_step_of_a_recurrent_network_gives_nothing_for_its_weights():
    net = arrows.network("2-2R-1", arrows.hard_reset(LIF()))
    params = arrows.draw_params(net, np.random.default_rng(0))
    trace = arrows.forward(net, params, np.ones((1, 3, 2)))
    found = arrows.backward(net, params, trace, np.ones((3, 1))).gradients[1]
    assert not found["R"].any()
    assert found["W"].any()
