"""Every loss, under every gate: equal to autodiff, to differences and to paths; bad input named."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, Trace, arrows, backward, cases, forward, network
from stbp_edu.losses import (
    CrossEntropy,
    Direct,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.neuron import HARD_GATES
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.verify import autodiff, comparison
from tests.networks import assert_close, make_problem, problems

pytestmark = pytest.mark.slow  # every loss against every oracle

NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))


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
            return None if counts else arrows.Loss("mine", fit=loss)
        case StepCrossEntropy():
            return arrows.Loss("mine", fit=CrossEntropy(), per_step=True)
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
