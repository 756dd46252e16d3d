"""A rule of Part II on a network of Part I equals the engine, where both know the rule."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, init_params
from stbp_edu.arrows import part_one
from stbp_edu.losses import LOSSES, RATE, Membrane
from stbp_edu.rules import ABLATIONS, RULES


def _run(gate: str) -> tuple:
    rng = np.random.default_rng(3)
    neuron, params = LIF(tau=0.6, v_th=0.6, gate=gate), init_params([4, 5, 3], rng)
    trace = stbp_edu.forward(rng.random((6, 7, 4)), params, neuron)
    return trace, np.eye(3)[rng.integers(0, 3, 7)], params, neuron


@pytest.mark.parametrize("gate", ["exponential", "linear", "soft"])
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_it_equals_the_engine(gate, rule):
    trace, targets, params, neuron = _run(gate)
    for made in LOSSES.values():
        ours = part_one.backward(trace, targets, params, neuron, rule, made())
        theirs = stbp_edu.backward(trace, targets, params, neuron, rule, made())
        for n in (1, 2):
            np.testing.assert_allclose(ours.W[n], theirs.W[n], rtol=1e-12, atol=1e-16)
            np.testing.assert_allclose(ours.b[n], theirs.b[n], rtol=1e-12, atol=1e-16)


def test_some_samples_of_a_larger_batch():
    trace, targets, params, neuron = _run("linear")
    few = stbp_edu.Trace(U=[None, *(u[:, :2] for u in trace.U[1:])], O=[o[:, :2] for o in trace.O])
    rest = stbp_edu.Trace(U=[None, *(u[:, 2:] for u in trace.U[1:])], O=[o[:, 2:] for o in trace.O])
    parts = [
        part_one.backward(run, some, params, neuron, "ottt", S=7)
        for run, some in ((few, targets[:2]), (rest, targets[2:]))
    ]
    whole = part_one.backward(trace, targets, params, neuron, "ottt")
    np.testing.assert_allclose(parts[0].W[1] + parts[1].W[1], whole.W[1], atol=1e-16)


def test_the_samples_that_a_loss_averages_are_at_least_one():
    trace, targets, params, neuron = _run("linear")
    one = part_one.backward(trace, targets, params, neuron, "exact", S=1)
    every = part_one.backward(trace, targets, params, neuron, "exact")
    np.testing.assert_allclose(one.W[1], 7 * every.W[1], rtol=1e-12)
    with pytest.raises(ValueError, match="S must be >= 1, got 0"):
        part_one.backward(trace, targets, params, neuron, "exact", S=0)


@pytest.mark.parametrize(("loss", "state"), [(RATE, "o"), (Membrane(2), "u")])
def test_the_factors_of_a_pass_are_those_of_its_loss(loss, state):
    trace, targets, params, neuron = _run("linear")
    local = part_one.as_local(trace, targets, params, neuron, loss)
    assert (local.net.loss.state, local.net.shape, local.net.N) == (state, (4,), 2)
    term = loss.direct(trace, targets)
    assert np.array_equal(local.direct, getattr(term, state))
    assert local.params[2]["W"] is params.W[2]
    np.testing.assert_allclose(local.factors[1]["spike", False], neuron.h(trace.U[1]), rtol=1e-12)
    usual = part_one.as_local(trace, targets, params, neuron)
    assert np.array_equal(usual.direct, RATE.direct(trace, targets).o)


def test_parameters_of_one_part_are_those_of_the_other():
    *_, params, _ = _run("linear")
    there = part_one.by_layer(params)
    assert there[0] is None
    back = part_one.by_name(there)
    assert back["W"][0] is back["b"][0] is None
    for n in (1, 2):
        assert there[n].keys() == {"W", "b"}
        assert back["W"][n] is there[n]["W"] is params.W[n]
        assert back["b"][n] is there[n]["b"] is params.b[n]
