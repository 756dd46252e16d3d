"""The equations of arrows and other losses: each held against an oracle that does not know it."""

import re

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, cases, forward
from stbp_edu.arrows import (
    Node,
    draw_params,
    edges_from,
    formulas,
    hard_reset,
    lambdas,
    local_derivatives,
    network,
    soft_reset,
)
from stbp_edu.arrows import forward as run_arrows
from stbp_edu.equations import EQUATIONS
from stbp_edu.losses import CrossEntropy, Direct, LastSteps, Membrane, StepCrossEntropy
from stbp_edu.network import Trace
from stbp_edu.verify import autodiff
from tests.networks import make_problem

SOFT = LIF(tau=0.6, v_th=0.7, surrogate=Gaussian(0.5), gate="soft")
HARD = LIF(tau=0.6, v_th=0.7, surrogate=Gaussian(0.5))
ONE_HOT = np.eye(3)[[0, 2]]


def adjoints(neuron, **loss):
    """A network of two layers with the adjoints that autodiff finds."""
    problem = make_problem(5, [4, 5, 3], T=4, S=2, neuron=neuron)._replace(targets=ONE_HOT)
    return problem, autodiff.derivatives(*problem, **loss)


@pytest.mark.parametrize("reset", [hard_reset, soft_reset])
def test_p2_arrow_an_adjoint_has_one_term_for_each_arrow_that_leaves(reset):
    """The arrows as the paths see them, neuron by neuron, against the sweep's arrays."""
    net = network("2-3-2", reset(HARD))
    rng = np.random.default_rng(0)
    params, inputs = draw_params(net, rng, scale=1.5), rng.normal(0.5, 1.0, (4, 1, 2))
    trace = run_arrows(net, params, inputs)
    local = local_derivatives(net, params, trace, np.eye(2)[:1])
    lam = lambdas(local)

    def adjoint(node):
        return 1.0 if node.kind == "L" else lam[node.n][node.kind, "all"][node.t, 0, node.i]

    nodes = [
        Node(kind, n, t, i) for kind in "uo" for n in (1, 2) for t in range(4) for i in range(4 - n)
    ]
    for node in nodes:
        leaving = list(edges_from(node, local))
        total = sum(edge.factor * adjoint(edge.target) for edge in leaving)
        assert len(leaving) >= 1
        assert adjoint(node) == pytest.approx(total, rel=1e-13, abs=1e-16)


def test_p2_soft_u_takes_the_threshold_off():
    problem = make_problem(5, [4, 3], T=5, S=2, neuron=SOFT)
    trace = forward(problem.spikes, problem.params, SOFT)
    U, O = trace.U[1], trace.O[1]
    x = problem.spikes[1:] @ problem.params.W[1].T + problem.params.b[1]
    np.testing.assert_allclose(U[1:], 0.6 * U[:-1] - 0.7 * O[:-1] + x, rtol=1e-12, atol=1e-14)
    assert O[:-1].any()


def test_p2_soft_delta_output_p2_soft_delta_p2_soft_epsilon_hold_for_autodiffs_adjoints():
    problem, found = adjoints(SOFT)
    U, W, delta, epsilon = problem.trace.U, problem.params.W, found.delta, found.epsilon
    direct = cases.vector.c1_delta(ONE_HOT, problem.trace.O[2])
    above = np.einsum("ji,tsj->tsi", W[2], epsilon[2])
    close = {"rtol": 1e-12, "atol": 1e-15}
    np.testing.assert_allclose(delta[2][:-1], direct - 0.7 * epsilon[2][1:], **close)
    np.testing.assert_allclose(delta[1][:-1], above[:-1] - 0.7 * epsilon[1][1:], **close)
    for n in (1, 2):
        expected = SOFT.h(U[n]) * delta[n]
        expected[:-1] += 0.6 * epsilon[n][1:]
        np.testing.assert_allclose(epsilon[n], expected, **close)


@pytest.mark.parametrize(
    "id_", ["p2-soft-delta-output", "p2-soft-delta", "p2-soft-epsilon", "p2-leak"]
)
def test_the_register_says_what_the_table_of_arrows_says(id_):
    """Word for word, but for spaces and for the limits of a sum."""

    def plain(text):
        text = text.replace(r"\sum_{t=1}^{T-1} \sum_i", r"\sum_{t,i}").replace("^n}", "}")
        return re.sub(r"\s|\\,|,N|,n", "", text)

    net = network("2-2-1", soft_reset(SOFT, learn_leak=True))
    derived = {plain(f"{line.left} = {line.right}") for line in formulas(net)}
    assert plain(EQUATIONS[id_].forms["index"]) in derived


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
