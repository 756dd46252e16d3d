"""What the engine offers beside the sweep's results, which test_properties holds it to."""

import tracemalloc

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, backward, cases, forward
from stbp_edu.engine import Engine, Workspace
from stbp_edu.rules import RULES
from tests.networks import assert_close, make_problem

NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))


def test_spikes_between_0_and_1_need_the_gate_itself():
    """On the twin the curved gate is no straight line; an engine that is told so is right."""
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON)
    trace = forward(problem.spikes, problem.params, NEURON, spike=NEURON.H)
    args, engine = (trace, problem.targets), Engine(problem.params, NEURON)
    expected = cases.sweep(*args, problem.params, NEURON).gradients.W
    assert_close(engine.gradients(*args, binary=False).W, expected, "dL/dW")
    lines = engine.gradients(*args).W
    assert not np.allclose(lines[1], expected[1], rtol=1e-3)


def test_one_spike_between_0_and_1_is_enough_to_need_the_gate_itself():
    """In one layer of two, and in one entry of its arrays, whose others are 0 or 1."""
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON)
    for n in (1, 2):
        trace = problem.trace
        trace.O[n][:-1, :, 0] = 0.5
        assert ((trace.O[n] == 0) | (trace.O[n] == 1)).any(axis=2).all()
        args = (trace, problem.targets, problem.params, NEURON)
        assert_close(backward(*args).W, cases.sweep(*args).gradients.W, "dL/dW")


def test_a_curve_of_ones_own_is_used():
    class Half(Gaussian):
        def derivative(self, v):
            return super().derivative(v) / 2

    neuron = LIF(tau=0.5, v_th=0.6, surrogate=Half(0.5))
    problem = make_problem(2, [5, 7, 3], T=4, S=2, neuron=neuron)
    args = (problem.trace, problem.targets, problem.params, neuron)
    assert_close(backward(*args).W, cases.sweep(*args).gradients.W, "dL/dW")


@pytest.mark.parametrize("rule", RULES)
def test_a_workspace_is_used_again_and_gives_the_same_bits(rule):
    work = Workspace()
    for T, S in ((4, 3), (4, 3), (6, 2)):
        problem = make_problem(T + S, [5, 7, 3], T, S, NEURON)
        fresh = forward(problem.spikes, problem.params, NEURON)
        kept = forward(problem.spikes, problem.params, NEURON, workspace=work)
        assert_close(kept.U, fresh.U, "U", tol=0)
        again = forward(problem.spikes, problem.params, NEURON, workspace=work)
        assert again.U[1].ctypes.data == kept.U[1].ctypes.data
        args = (fresh, problem.targets, problem.params, NEURON, rule)
        assert_close(backward(*args, workspace=work).W, backward(*args).W, "dL/dW", tol=0)


@pytest.mark.slow  # a second
def test_a_step_at_full_size_fits_in_150_megabytes():
    problem = make_problem(0, [784, 800, 10], T=30, S=100, neuron=NEURON, dtype=np.float32)
    tracemalloc.start()
    work = Workspace()
    trace = forward(problem.spikes, problem.params, NEURON, workspace=work)
    backward(trace, problem.targets, problem.params, NEURON, workspace=work)
    peak = tracemalloc.get_traced_memory()[1] + problem.spikes.nbytes
    tracemalloc.stop()
    assert peak < 150e6
