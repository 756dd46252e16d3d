"""The equations of arrows and other losses: each held against an oracle that does not know it."""

import re

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, cases, forward
from stbp_edu.arrows import (
    Node,
    backward,
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


@pytest.mark.parametrize("reset", [hard_reset, soft_reset])
def test_p2_leak_is_the_slope_by_the_leak_of_one_layer(reset):
    net = network("3-4-2", reset(HARD, learn_leak=True))
    rng = np.random.default_rng(1)
    params, inputs = draw_params(net, rng, scale=1.5), rng.normal(0.5, 1.0, (5, 3, 3))
    targets = rng.random((3, 2))

    def value(by, n):
        moved = [None, *(dict(p) for p in params[1:])]
        moved[n]["tau"] = params[n]["tau"] + by
        run = run_arrows(net, moved, inputs, twin=True)
        return net.loss.value(run["o"][2], targets)

    found = backward(net, params, run_arrows(net, params, inputs, twin=True), targets).gradients
    for n in (1, 2):
        slope = (value(1e-5, n) - value(-1e-5, n)) / 2e-5
        assert found[n]["tau"] == pytest.approx(slope, rel=1e-7)
        assert abs(slope) > 1e-3


def slopes(loss, trace, name):
    """The direct term by central differences of the loss, one output at a time."""
    series = {"U": trace.U[-1], "O": trace.O[-1]}
    result, d = np.zeros_like(series[name]), 1e-5
    for at in np.ndindex(result.shape):
        values = []
        for by in (d, -d):
            moved = {k: a.copy() for k, a in series.items()}
            moved[name][at] += by
            moved_trace = Trace(U=[None, moved["U"]], O=[moved["O"], moved["O"]])
            values.append(loss.value(moved_trace, ONE_HOT))
        result[at] = (values[0] - values[1]) / (2 * d)
    return result


def outputs():
    """Output potentials and spikes of five steps."""
    rng = np.random.default_rng(2)
    U, O = rng.normal(0.5, 1.0, (2, 5, 2, 3))
    return Trace(U=[None, U], O=[O, O])


@pytest.mark.parametrize("k", [1, 3, 5])
def test_p2_loss_last_is_the_slope_by_each_output_spike(k):
    trace, loss = outputs(), LastSteps(k)
    direct = loss.direct(trace, ONE_HOT).o
    np.testing.assert_allclose(direct, slopes(loss, trace, "O"), atol=1e-9)
    miss = ONE_HOT - trace.O[-1][-k:].mean(axis=0)
    np.testing.assert_allclose(direct[-k:], [-miss / (k * 2)] * k, rtol=1e-12)
    assert not direct[:-k].any()


def test_p2_loss_softmax_p2_loss_entropy_is_the_slope_by_each_output_spike():
    trace, loss = outputs(), CrossEntropy()
    direct = loss.direct(trace, ONE_HOT).o
    np.testing.assert_allclose(direct, slopes(loss, trace, "O"), atol=1e-9)
    powers = np.exp(trace.O[-1].mean(axis=0))
    p = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(direct[3], (p - ONE_HOT) / (5 * 2), rtol=1e-12)


def test_p2_loss_steps_is_the_slope_by_each_output_spike():
    trace, loss = outputs(), StepCrossEntropy()
    direct = loss.direct(trace, ONE_HOT).o
    np.testing.assert_allclose(direct, slopes(loss, trace, "O"), atol=1e-9)
    powers = np.exp(trace.O[-1])
    p = powers / powers.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(direct, (p - ONE_HOT) / (5 * 2), rtol=1e-12)


def test_p2_loss_membrane_is_the_slope_by_the_last_potential_and_no_spike_is_read():
    trace, loss = outputs(), Membrane()
    direct = loss.direct(trace, ONE_HOT)
    np.testing.assert_allclose(direct.u, slopes(loss, trace, "U"), atol=1e-9)
    np.testing.assert_allclose(direct.u[-1], -(ONE_HOT - trace.U[-1][-1]) / 2, rtol=1e-12)
    assert direct.o is None
    assert not slopes(loss, trace, "O").any()


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
