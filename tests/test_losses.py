"""Every loss, under every gate: equal to autodiff, to differences and to paths; bad input named."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import stbp_edu
from stbp_edu import LIF, Gaussian, Trace, arrows, backward, cases, forward, network
from stbp_edu.losses import (
    RATE,
    CrossEntropy,
    Direct,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.neuron import GATES, HARD_GATES
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.verify import autodiff, comparison, finite_difference
from stbp_edu.verify.formulas import loss_value
from tests.networks import assert_close, make_problem, problems

pytestmark = pytest.mark.slow  # every loss against every oracle

EACH = (Rate(), LastSteps(2), CrossEntropy(), CrossEntropy(True), StepCrossEntropy())
EACH += (Membrane(), Membrane(2), Membrane(None))
NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))
each_loss = pytest.mark.parametrize("loss", EACH, ids=repr)


class Hinge:
    """A loss of one's own, with a curve that no other has: softplus of counts, and potentials."""

    def value(self, trace, targets):
        z = targets - trace.O[-1].sum(axis=0)
        return float(np.log1p(np.exp(z)).sum() + (trace.U[-1] ** 3).sum() / 3)

    def direct(self, trace, targets):
        z = targets - trace.O[-1].sum(axis=0)
        return Direct(np.broadcast_to(-1 / (1 + np.exp(-z)), trace.O[-1].shape), u=trace.U[-1] ** 2)


@st.composite
def with_a_loss(draw, **bounds):
    """Any problem with a loss that can read it, and real numbers for its input or spikes."""
    problem = draw(problems(**bounds))
    T = len(problem.spikes)
    choices = [Rate(), LastSteps(T // 2 + 1), *(Membrane(k) for k in (1, T // 2 + 1, None))]
    if problem.targets.shape[1] > 1:
        choices += [CrossEntropy(), CrossEntropy(counts=True), StepCrossEntropy()]
    loss = draw(st.sampled_from(choices))
    targets = problem.targets / problem.targets.sum(axis=1, keepdims=True)
    spikes = problem.spikes * 2.0 - 0.75 if draw(st.booleans()) else problem.spikes
    return problem._replace(targets=targets, spikes=spikes), loss


def swept(trace, targets, params, neuron, *rest, **options):
    """Return what the sweep does, which has no soft reset; of that, the engine's gradients."""
    run = backward if neuron.gate == "soft" else cases.sweep
    return run(trace, targets, params, neuron, *rest, **options)


def passes(problem, smooth):
    """The spike function, and the two forward passes."""
    spike = problem.neuron.H if smooth else None
    args = (problem.spikes, problem.params, problem.neuron)
    return spike, network.forward(*args, spike=spike), forward(*args, spike=spike)


@given(case=with_a_loss(), smooth=st.booleans())
def test_c1_delta_c3_delta_of_any_loss_equal_autodiff(case, smooth):
    problem, loss = case
    spike, slow, fast = passes(problem, smooth)
    expected = autodiff.derivatives(*problem, spike=spike, loss=loss)
    rest = (problem.targets, problem.params, problem.neuron)
    assert not comparison.failures(swept(slow, *rest, loss=loss), expected)
    assert not comparison.failures(backward(fast, *rest, loss=loss), expected)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("loss", [Rate(), Membrane(2), Hinge()], ids=lambda x: type(x).__name__)
def test_def_delta_and_def_epsilon_of_any_loss_on_the_twin(gate, loss):
    neuron = LIF(tau=0.5, v_th=0.5, surrogate=Gaussian(1.0), gate=gate)
    problem = make_problem(7, [2, 2, 2], T=3, S=2, neuron=neuron)
    problem = problem._replace(targets=problem.targets / problem.targets.sum(axis=1)[:, None])
    trace = network.forward(*problem[::2], neuron, spike=neuron.H)
    measured = finite_difference.derivatives(*problem, loss=loss)
    got = swept(trace, *problem[1:], loss=loss)
    assert not comparison.failures(got, measured, comparison.DIFFERENCES)
    assert not comparison.failures(
        backward(trace, *problem[1:], loss=loss), measured, comparison.DIFFERENCES
    )


@each_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_value_equals_its_formula_and_everything_keeps_its_dtype(loss, dtype):
    problem = make_problem(3, [4, 5, 3], T=4, S=5, neuron=NEURON, dtype=dtype)
    targets = np.eye(3, dtype=dtype)[[0, 1, 2, 0, 1]]
    outputs = list(zip(problem.trace.O[-1], problem.trace.U[-1], strict=True))
    expected = loss_value(loss, outputs, targets)
    assert stbp_edu.loss(problem.trace, targets, loss) == pytest.approx(float(expected), rel=1e-5)
    direct = loss.direct(problem.trace, targets)
    assert {a.dtype for a in direct if a is not None} == {np.dtype(dtype)}
    found = backward(problem.trace, targets, problem.params, NEURON, loss=loss)
    assert {a.dtype for a in [*found.W[1:], *found.b[1:]]} == {np.dtype(dtype)}


@pytest.mark.parametrize("rule", RULES + ABLATIONS)
@each_loss
def test_a_direct_term_stands_for_its_loss(loss, rule):
    problem = make_problem(3, [4, 5, 3], T=4, S=3, neuron=NEURON)
    targets, rest = np.eye(3), (problem.params, NEURON, rule)
    direct = loss.direct(problem.trace, targets)
    term = direct if direct.u is not None else np.array(direct.o)
    for run in (cases.sweep, backward):
        named = run(problem.trace, targets, *rest, loss)
        given_ = run(problem.trace, None, *rest, term)
        named, given_ = (getattr(a, "gradients", a) for a in (named, given_))
        assert_close(given_.W, named.W, "dL/dW", tol=1e-15)


def test_the_rate_loss_is_the_default_and_the_last_t_steps_are_all():
    problem = make_problem(3, [4, 5, 3], T=4, S=3, neuron=NEURON)
    for run in (swept, backward):
        found = [run(problem.trace, *problem[1:], **k) for k in ({}, {"loss": RATE})]
        last = run(problem.trace, *problem[1:], loss=LastSteps(4))
        default, rate, last = (getattr(a, "gradients", a).W for a in (*found, last))
        assert_close(rate, default, "dL/dW", tol=0)
        assert_close(last, default, "dL/dW", tol=1e-15)


PROBLEM = make_problem(0, [3, 4, 2], T=3, S=5, neuron=NEURON)
TERM = np.zeros((3, 5, 2))


class Wrong:
    """A loss whose direct term is none."""

    def value(self, trace, targets):
        return 0.0

    def direct(self, trace, targets):
        return np.zeros(3)


@pytest.mark.parametrize("run", [cases.sweep, backward], ids=["sweep", "engine"])
@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        ("rate", TypeError, "got str; pass for example stbp_edu.losses.Rate()"),
        (LastSteps(4), ValueError, "LastSteps k must be <= T = 3, got 4; read fewer steps"),
        (TERM[0], ValueError, "it must have 3 axes, not 2"),
        (TERM.astype(np.float32), TypeError, "got float32; convert it with .astype(np.float64)"),
        (Direct(None, TERM[:1]), ValueError, "loss (the direct term dL/du) must have shape"),
        (Direct(TERM, TERM.tolist()), TypeError, "(the direct term dL/du) must be a NumPy array"),
        (Wrong(), TypeError, "the direct term of the loss must be of type Direct, got ndarray"),
    ],
)
def test_a_bad_loss_is_named(run, loss, error, message):
    with pytest.raises(error, match=re.escape(message)):
        run(PROBLEM.trace, PROBLEM.targets, PROBLEM.params, NEURON, loss=loss)


def as_arrows(loss):
    """The same loss in the general model; None where it has none."""
    match loss:
        case LastSteps(k):
            return arrows.last_steps(k)
        case CrossEntropy(counts):
            return None if counts else arrows.cross_entropy_on_rates()
        case StepCrossEntropy():
            return arrows.cross_entropy_per_step()
    return arrows.membrane(loss.k) if isinstance(loss, Membrane) else arrows.rate()


@given(
    case=with_a_loss(max_layers=3, max_steps=6, max_width=4, max_batch=3, gates=HARD_GATES),
    rule=st.sampled_from(RULES + ABLATIONS),
)
def test_the_general_model_says_the_same_of_any_loss_and_rule(case, rule):
    (spikes, Y, P, lif), loss = case
    general = as_arrows(loss)
    assume(general is not None)
    net = arrows.network(P.sizes, arrows.hard_reset(lif), general)
    params = [None, *({"W": P.W[n], "b": P.b[n]} for n in range(1, P.N + 1))]
    run = arrows.forward(net, params, spikes)
    got = arrows.backward(net, params, run, Y, rule).adjoints
    trace = Trace(U=run["u"], O=[spikes, *run["o"][1:]])
    expected = cases.sweep(trace, Y, P, lif, rule, loss)
    assert_close(got["o"], expected.delta, "delta")
    assert_close(got["u"], expected.epsilon, "epsilon")
