"""The soft reset, which the five cases do not know: its gradients, by every rule and loss."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, backward, forward, network
from stbp_edu.arrows import part_one
from stbp_edu.losses import CrossEntropy, LastSteps, Membrane, Rate
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.verify import comparison, paths
from tests.networks import assert_close, make_problem

pytestmark = pytest.mark.slow  # every pass against every oracle

SOFT = LIF(tau=0.5, v_th=1.0, surrogate=Gaussian(0.5), gate="soft")


@pytest.mark.parametrize("run", [network.forward, forward], ids=["steps", "engine"])
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("smooth", [False, True])
def test_carried_is_what_the_forward_pass_carries(run, gate, smooth):
    neuron = LIF(tau=0.5, v_th=0.6, gate=gate)
    problem = make_problem(3, [4, 5], T=6, S=3, neuron=neuron)
    trace = run(problem.spikes, problem.params, neuron, spike=neuron.H if smooth else None)
    x = problem.spikes[1:] @ problem.params.W[1].T + problem.params.b[1]
    expected = neuron.carried(trace.U[1][:-1], trace.O[1][:-1]) + x
    np.testing.assert_allclose(trace.U[1][1:], expected, atol=1e-14)


@pytest.mark.parametrize("rule", ["exact", "classic", "detached-reset", "spatial-only"])
def test_the_engine_keeps_the_paths_of_its_rule(rule):
    problem = make_problem(3, [2, 3, 2], T=4, S=2, neuron=SOFT)
    args = (problem.trace, *problem[1:], rule)
    assert not comparison.failures(backward(*args), paths.derivatives(*args))


@pytest.mark.parametrize("loss", [Rate(), LastSteps(2), Membrane(None), CrossEntropy()], ids=repr)
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_the_engine_equals_the_arrows_under_every_rule_and_in_small_blocks(rule, loss, monkeypatch):
    problem = make_problem(2, [5, 7, 3], T=8, S=6, neuron=SOFT)
    problem = problem._replace(targets=np.eye(3)[[0, 1, 2, 2, 1, 0]])
    args = (problem.trace, *problem[1:], rule, loss)
    expected, whole = part_one.backward(*args), backward(*args)
    assert_close(whole.W, expected.W, "dL/dW")
    assert_close(whole.b, expected.b, "dL/db")
    for name in ("linear_steps.STRETCH", "array_steps.BLOCK"):
        monkeypatch.setattr(f"stbp_edu.engine.{name}", 14)
        assert_close(backward(*args).W, whole.W, "dL/dW", tol=0)
