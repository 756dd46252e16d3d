"""Every loss, under every gate: equal to autodiff, to differences and to paths; bad input named."""

import re
from types import SimpleNamespace

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
from stbp_edu.losses.reading import checked, direct_term
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
    args = (problem.trace, *problem[1:])
    for run in (cases.sweep, backward):
        default, rate, last = (
            run(*args, **k) for k in ({}, {"loss": RATE}, {"loss": LastSteps(4)})
        )
        default, rate, last = (getattr(a, "gradients", a).W for a in (default, rate, last))
        assert_close(rate, default, "dL/dW", tol=0)
        assert_close(last, default, "dL/dW", tol=1e-15)


def test_step_cross_entropy_is_another_at_each_step_and_of_one_step_that_of_rates():
    problem = make_problem(3, [4, 5, 3], T=1, S=3, neuron=NEURON)
    values = [loss.value(problem.trace, np.eye(3)) for loss in (CrossEntropy(), StepCrossEntropy())]
    assert values[0] == pytest.approx(values[1], rel=1e-14)


def test_a_cross_entropy_of_two_thousand_counts_has_its_value_and_a_slope_that_sums_to_0():
    """Though e^2000 is no float, and though the probabilities of a sample sum to 1 but nearly."""
    o, y = np.zeros((2000, 2, 2)), np.array([[0.0, 1.0], [1.0, 0.0]])
    o[:, 0, 0] = 1  # the first neuron always spikes for the first sample, nothing for the second
    trace, loss = Trace([None, o], [o, o]), CrossEntropy(counts=True)
    assert loss.value(trace, y) == pytest.approx((2000 + np.log(2)) / 2, rel=1e-14)
    slopes = loss.direct(trace, y * np.array([[1 + 5e-6], [1 - 5e-6]])).o
    np.testing.assert_allclose(slopes[0], [[0.5, -0.5], [-0.25, 0.25]], rtol=1e-5)
    np.testing.assert_allclose(slopes.sum(axis=-1), 0, atol=1e-15)


def test_a_membrane_loss_reaches_the_layers_below_under_both_rules():
    """The classic rule drops what is carried; a potential that the loss reads is not carried."""
    problem = make_problem(3, [4, 5, 3], T=1, S=3, neuron=NEURON)
    exact, classic = (
        backward(problem.trace, *problem[1:], rule, Membrane()).W[1] for rule in RULES
    )
    assert np.abs(exact).max() > 0
    np.testing.assert_array_equal(exact, classic)


PROBLEM = make_problem(0, [3, 4, 2], T=3, S=5, neuron=NEURON)
ONE_HOT = np.eye(2)[[0, 1, 1, 0, 1]]
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
        (None, TypeError, "loss must be a loss, or a direct term (T, S, n[N]), with a method"),
        (0.5, TypeError, "got float; pass for example stbp_edu.losses.Rate()"),
        ("rate", TypeError, "got str; pass for example stbp_edu.losses.Rate()"),
        (Rate, TypeError, "got the class Rate; pass for example stbp_edu.losses.Rate()"),
        (LastSteps(4), ValueError, "LastSteps k must be <= T = 3, got 4; read fewer steps"),
        (Membrane(4), ValueError, "Membrane k must be <= T = 3, got 4; read fewer steps"),
        (TERM[:2], ValueError, "loss (the direct term dL/do) must have shape (T, S, n[N])"),
        (TERM[0], ValueError, "it must have 3 axes, not 2"),
        (TERM.astype(int), TypeError, "loss (the direct term dL/do) must be float64"),
        (TERM.astype(np.float32), TypeError, "got float32; convert it with .astype(np.float64)"),
        (TERM * np.nan, ValueError, "loss (the direct term dL/do) must be finite"),
        (Direct(None, TERM[:1]), ValueError, "loss (the direct term dL/du) must have shape"),
        (Direct(TERM, TERM.tolist()), TypeError, "(the direct term dL/du) must be a NumPy array"),
        (Direct(None), ValueError, "must hold dL/do or dL/du, got None; give an array"),
        (Wrong(), TypeError, "the direct term of the loss must be of type Direct, got ndarray"),
        (SimpleNamespace(direct=3), TypeError, "with a method direct, got SimpleNamespace"),
    ],
)
def test_a_bad_loss_is_named(run, loss, error, message):
    with pytest.raises(error, match=re.escape(message)):
        run(PROBLEM.trace, ONE_HOT, PROBLEM.params, NEURON, loss=loss)


@pytest.mark.parametrize("run", [cases.sweep, backward], ids=["sweep", "engine"])
@pytest.mark.parametrize("loss", [CrossEntropy(), StepCrossEntropy()], ids=repr)
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (2 * ONE_HOT, "got row 0 with the sum 2 and the least entry 0; pass one-hot rows"),
        (0 * ONE_HOT, "got row 0 with the sum 0"),
        (ONE_HOT - [[0.5, -0.5]], "got row 1 with the sum 1 and the least entry -0.5"),
    ],
)
def test_targets_that_are_no_probabilities_are_named(run, loss, targets, message):
    with pytest.raises(ValueError, match=f"targets must be probabilities for .*{message}"):
        run(PROBLEM.trace, targets, PROBLEM.params, NEURON, loss=loss)


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


def test_a_cross_entropy_of_one_neuron_is_refused():
    problem = make_problem(0, [3, 1], T=2, S=2, neuron=NEURON)
    with pytest.raises(ValueError, match=r"targets must have n\[N\] >= 2 columns"):
        stbp_edu.loss(problem.trace, np.ones((2, 1)), CrossEntropy())


@each_loss
def test_the_direct_term_of_our_losses_averages_over_the_samples_of_all_shards(loss):
    """So they are handed on whole: the samples of one shard do not say how many there are."""
    found = direct_term(checked(loss, PROBLEM.trace, ONE_HOT), PROBLEM.trace, ONE_HOT, S=100)
    whole = loss.direct(PROBLEM.trace, ONE_HOT)
    for name in ("o", "u"):
        term, wanted = getattr(found, name), getattr(whole, name)
        assert (term is None) == (wanted is None)
        if term is not None:
            assert_close(term * 100 / len(ONE_HOT), wanted, f"dL/d{name}")
