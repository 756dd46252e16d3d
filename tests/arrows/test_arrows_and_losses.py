"""The equations of arrows and other losses: each held against an oracle that does not know it."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, arrows
from stbp_edu.arrows import forward as run_arrows
from stbp_edu.losses import CrossEntropy, Direct, LastSteps, Membrane, StepCrossEntropy
from stbp_edu.network import Trace
from stbp_edu.verify import autodiff
from tests.networks import make_problem

HARD = LIF(tau=0.6, v_th=0.7, surrogate=Gaussian(0.5))
ONE_HOT = np.eye(3)[[0, 2]]


def adjoints(neuron, **loss):
    """A network of two layers with the adjoints that autodiff finds."""
    problem = make_problem(5, [4, 5, 3], T=4, S=2, neuron=neuron)._replace(targets=ONE_HOT)
    return problem, autodiff.derivatives(*problem, **loss)


@pytest.mark.parametrize("reset", [arrows.hard_reset, arrows.soft_reset])
def test_p2_arrow_an_adjoint_has_one_term_for_each_arrow_that_leaves(reset):
    """The arrows as the paths see them, neuron by neuron, against the sweep's arrays."""
    net = arrows.network("2-3-2", reset(HARD))
    rng = np.random.default_rng(0)
    params, inputs = arrows.draw_params(net, rng, scale=1.5), rng.normal(0.5, 1.0, (4, 1, 2))
    trace = run_arrows(net, params, inputs)
    local = arrows.local_derivatives(net, params, trace, np.eye(2)[:1])
    lam = arrows.lambdas(local)

    def adjoint(node):
        return 1.0 if node.kind == "L" else lam[node.n][node.kind, "all"][node.t, 0, node.i]

    nodes = [
        arrows.Node(kind, n, t, i)
        for kind in "uo"
        for n in (1, 2)
        for t in range(4)
        for i in range(4 - n)
    ]
    for node in nodes:
        leaving = list(arrows.edges_from(node, local))
        total = sum(edge.factor * adjoint(edge.target) for edge in leaving)
        assert len(leaving) >= 1
        assert adjoint(node) == pytest.approx(total, rel=1e-13, abs=1e-16)


def softmax(z):
    """p_i = e^z_i / Σ_j e^z_j, sample by sample."""
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def test_p2_loss_last_p2_loss_softmax_p2_loss_entropy_p2_loss_steps_p2_loss_membrane():
    """Each direct term as it is written; that they are slopes holds for any loss."""
    U, O = np.random.default_rng(2).normal(0.5, 1.0, (2, 5, 2, 3))
    trace = Trace(U=[None, U], O=[O, O])
    miss = (ONE_HOT - O[-3:].mean(axis=0)) / (3 * 2)
    for loss, expected in (
        (LastSteps(3), np.stack([0 * miss] * 2 + [-miss] * 3)),
        (CrossEntropy(), np.stack([(softmax(O.mean(axis=0)) - ONE_HOT) / (5 * 2)] * 5)),
        (StepCrossEntropy(), (softmax(O) - ONE_HOT) / (5 * 2)),
    ):
        np.testing.assert_allclose(loss.direct(trace, ONE_HOT).o, expected, rtol=1e-12)
    by_potential = Membrane().direct(trace, ONE_HOT)
    assert by_potential.o is None
    np.testing.assert_allclose(by_potential.u[-1], -(ONE_HOT - U[-1]) / 2, rtol=1e-12)


@pytest.mark.parametrize(
    "loss", [LastSteps(2), CrossEntropy(), StepCrossEntropy(), Membrane(2)], ids=repr
)
def test_p2_loss_delta_p2_loss_epsilon_hold_for_autodiffs_adjoints(loss):
    problem, found = adjoints(HARD, loss=loss)
    trace, delta, epsilon = problem.trace, found.delta[2], found.epsilon[2]
    U, O = trace.U[2], trace.O[2]
    direct = Direct(*(np.zeros_like(O) if a is None else a for a in loss.direct(trace, ONE_HOT)))
    first, later = direct.o[:-1], epsilon[1:]
    by_spike = first + later * U[:-1] * HARD.df(O[:-1])
    by_potential = direct.u[:-1] + delta[:-1] * HARD.h(U[:-1]) + later * HARD.f(O[:-1])
    np.testing.assert_allclose(delta[:-1], by_spike, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(epsilon[:-1], by_potential, rtol=1e-12, atol=1e-15)
