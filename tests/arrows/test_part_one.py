"""A rule of Part II on a network of Part I equals the engine, where both know the rule."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, init_params
from stbp_edu.arrows import part_one
from stbp_edu.losses import LOSSES
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
