"""The engine: equal to the readable sweep, in any dtype, with and without a workspace."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, Params, Rectangle, backward, cases, forward, network
from stbp_edu.engine import Engine, Workspace, links
from stbp_edu.losses import RATE
from stbp_edu.network import Gradients, Trace
from stbp_edu.rules import ABLATIONS, RULES
from tests.networks import assert_close, make_problem, problems


@given(problem=problems(), rule=st.sampled_from(RULES + ABLATIONS), smooth=st.booleans())
def test_c5_w_c5_b_engine_equals_sweep(problem, rule, smooth):
    spike = problem.neuron.H if smooth else None
    p, neuron = problem.params, problem.neuron
    slow = network.forward(problem.spikes, p, neuron, spike=spike)
    fast = forward(problem.spikes, p, neuron, spike=spike)
    assert_close(fast.U, slow.U, "U")
    assert_close(fast.O, slow.O, "O")
    expected = cases.sweep(slow, problem.targets, p, neuron, rule).gradients
    found = backward(slow, problem.targets, p, neuron, rule)
    assert_close(found.W, expected.W, "dL/dW")
    assert_close(found.b, expected.b, "dL/db")


NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))


def test_blocks_of_samples_do_not_change_the_result(monkeypatch):
    problem = make_problem(2, [5, 7, 3], T=4, S=11, neuron=NEURON)
    whole = backward(problem.trace, problem.targets, problem.params, NEURON)
    monkeypatch.setattr("stbp_edu.engine.recurrence.BLOCK", 14)  # two samples of the hidden layer
    parts = backward(problem.trace, problem.targets, problem.params, NEURON)
    assert_close(parts.W, whole.W, "dL/dW", tol=0)


@pytest.mark.parametrize("rule", RULES + ABLATIONS)
@pytest.mark.parametrize("entries", [1, 14, 35])  # one step, one or two, three or more
def test_stretches_of_steps_do_not_change_the_result(rule, entries, monkeypatch):
    problem = make_problem(2, [5, 7, 3], T=8, S=2, neuron=NEURON)
    args = (problem.trace, problem.targets, problem.params, NEURON, rule)
    whole = backward(*args)
    monkeypatch.setattr("stbp_edu.engine.recurrence.STRETCH", entries)
    assert_close(backward(*args).W, whole.W, "dL/dW", tol=0)
    assert_close(whole.W, cases.sweep(*args).gradients.W, "dL/dW")


@pytest.mark.parametrize("rule", RULES)
def test_errors_too_small_for_float32_are_zero_and_nothing_else_changes(rule):
    """With a leak of 0.1 an error loses a digit a step, and 60 steps lead below 1e-38."""
    neuron = LIF(tau=0.1, v_th=0.6, surrogate=Rectangle(0.5))
    problem = make_problem(1, [5, 40, 3], T=60, S=2, neuron=neuron, dtype=np.float32)
    work = Workspace()
    args = (problem.targets, problem.params, neuron, rule)
    found = backward(problem.trace, *args, workspace=work)
    for name in ("epsilon", "err") if rule == "classic" else ("epsilon",):
        small = np.abs(work.array(name, 1, problem.trace.U[1].shape, np.dtype(np.float32)))
        assert small.max() > 1e-4
        assert not ((small > 0) & (small < 1e-18)).any()
    double = [
        [None, *(a.astype(float) for a in of[1:])] for of in (problem.params.W, problem.params.b)
    ]
    trace = Trace(
        U=[None, *(u.astype(float) for u in problem.trace.U[1:])],
        O=[o.astype(float) for o in problem.trace.O],
    )
    args = (problem.targets.astype(float), Params(*double), neuron, rule)
    swept, work = cases.sweep(trace, *args), Workspace()
    backward(trace, *args, workspace=work)
    kept = work.array("epsilon", 1, trace.U[1].shape, np.dtype(float))
    np.testing.assert_allclose(kept, swept.epsilon[1], rtol=1e-9)  # a double keeps them
    assert ((np.abs(swept.epsilon[1]) > 0) & (np.abs(swept.epsilon[1]) < 1e-38)).any()
    assert_close(found.W, swept.gradients.W, "dL/dW", tol=1e-5)


def test_the_classic_signal_too_small_for_float32_is_zero():
    """Where h is near 1e-30, what the classic rule sends on is smaller still."""
    problem = make_problem(
        1, [5, 40, 3], T=8, S=2, neuron=LIF(0.1, 0.6, Gaussian(1.0)), dtype=np.float32
    )
    trace, work = problem.trace, Workspace()
    trace.U[1][:-1] += 13.0  # only the last step is near the threshold
    assert problem.neuron.h(trace.U[1][:-1]).max(axis=(1, 2)).min() > 1e-34
    args = (problem.targets, problem.params, problem.neuron, "classic")
    backward(trace, *args, workspace=work)
    err = work.array("err", 1, trace.U[1].shape, np.dtype(np.float32))
    assert np.abs(err[-1]).max() > 1e-4
    assert not err[:-1].any()


@pytest.mark.parametrize("sizes", [[5, 7, 3], [5, 3]])
def test_gradients_are_written_to_the_arrays_that_are_given(sizes):
    problem = make_problem(2, sizes, T=4, S=3, neuron=NEURON)
    p, engine = problem.params, Engine(problem.params, NEURON)
    places = Gradients(*([None, *map(np.empty_like, of[1:])] for of in (p.W, p.b)))
    found = engine.gradients(problem.trace, problem.targets, S=3, out=places)
    expected = backward(problem.trace, problem.targets, p, NEURON)
    for name in "Wb":
        got, given = getattr(found, name), getattr(places, name)
        assert all(a is b for a, b in zip(got, given, strict=True))
        assert_close(got, getattr(expected, name), name, tol=0)


def test_the_number_of_samples_that_a_loss_averages_is_told():
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON)
    engine = Engine(problem.params, NEURON)
    three, nine = (
        engine.gradients(problem.trace, problem.targets, S=S).W[1].copy() for S in (3, 9)
    )
    np.testing.assert_allclose(three, 3 * nine, rtol=1e-12)


def test_spikes_between_0_and_1_need_the_gate_itself():
    """On the twin the curved gate is no straight line; an engine that is told so is right."""
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON)
    trace = forward(problem.spikes, problem.params, NEURON, spike=NEURON.H)
    args, engine = (trace, problem.targets), Engine(problem.params, NEURON)
    expected = cases.sweep(*args, problem.params, NEURON).gradients.W
    assert_close(engine.gradients(*args, S=3, binary=False).W, expected, "dL/dW")
    lines = engine.gradients(*args, S=3).W
    assert not np.allclose(lines[1], expected[1], rtol=1e-3)


@pytest.mark.parametrize(("still", "steps"), [(True, 1), (False, 4)])
def test_the_products_of_an_input_that_stays_are_made_once(still, steps, monkeypatch):
    problem, seen = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON), []
    for name, true in (("forward", links.Dense.forward), ("gradient", links.Dense.gradient)):

        def noted(self, *args, name=name, true=true):
            seen.append((name, self.W.shape[1], len(args[0])))
            return true(self, *args)

        monkeypatch.setattr(links.Dense, name, noted)
    spikes = np.broadcast_to(problem.spikes[0], problem.spikes.shape)
    trace = forward(spikes if still else spikes.copy(), problem.params, NEURON)
    backward(trace, problem.targets, problem.params, NEURON)
    assert seen == [
        *(("forward", 5, steps), ("forward", 7, 4)),
        *(("gradient", 7, 4), ("gradient", 5, steps)),
    ]


def test_no_error_of_the_input_is_worked_out_where_nobody_asks():
    problem, asked = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON), set()

    class Noted(Workspace):
        def array(self, name, n, *rest):
            asked.add((name, n))
            return super().array(name, n, *rest)

    args = (problem.trace, problem.targets, problem.params, NEURON)
    backward(*args, workspace=Noted())
    assert {n for name, n in asked if name == "epsilon"} == {1, 2}


def test_one_spike_between_0_and_1_is_enough_to_need_the_gate_itself():
    """In one layer of two, and in one entry of its arrays, whose others are 0 or 1."""
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON)
    for n in (1, 2):
        trace = problem.trace
        trace.O[n][:-1, :, 0] = 0.5
        assert ((trace.O[n] == 0) | (trace.O[n] == 1)).any(axis=2).all()
        args = (trace, problem.targets, problem.params, NEURON)
        assert_close(backward(*args).W, cases.sweep(*args).gradients.W, "dL/dW")


def test_an_engine_is_exact_and_has_the_rate_loss_where_nothing_is_said():
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=NEURON)
    engine = Engine(problem.params, NEURON)
    assert (engine.rule, engine.loss) == ("exact", RATE)
    assert engine.work is not Engine(problem.params, NEURON).work


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


@pytest.mark.parametrize("rule", RULES)
def test_float32_stays_float32_and_close_to_float64(rule):
    problem = make_problem(4, [6, 8, 3], T=5, S=4, neuron=NEURON, dtype=np.float32)
    trace = forward(problem.spikes, problem.params, NEURON)
    found = backward(trace, problem.targets, problem.params, NEURON, rule)
    assert {a.dtype for a in [*trace.U[1:], *trace.O, *found.W[1:], *found.b[1:]]} == {
        np.dtype(np.float32)
    }
    double = make_problem(4, [6, 8, 3], T=5, S=4, neuron=NEURON)
    expected = backward(double.trace, double.targets, double.params, NEURON, rule)
    assert_close(found.W, expected.W, "dL/dW", tol=1e-4)


def test_a_step_at_full_size_fits_in_150_megabytes():
    problem = make_problem(0, [784, 800, 10], T=30, S=100, neuron=NEURON, dtype=np.float32)
    tracemalloc.start()
    work = Workspace()
    trace = forward(problem.spikes, problem.params, NEURON, workspace=work)
    backward(trace, problem.targets, problem.params, NEURON, workspace=work)
    peak = tracemalloc.get_traced_memory()[1] + problem.spikes.nbytes
    tracemalloc.stop()
    assert peak < 150e6


def test_one_step_is_read_where_all_steps_are_the_same_memory():
    every, samples = np.ones((5, 2, 3)), np.broadcast_to(np.ones((5, 1, 3)), (5, 2, 3))
    held = np.broadcast_to(np.arange(6.0).reshape(2, 3), (5, 2, 3))
    assert links.shown(every) is every
    assert links.shown(samples) is samples
    assert links.shown(held).shape == (1, 2, 3)
    np.testing.assert_array_equal(links.shown(held)[0], held[3])
