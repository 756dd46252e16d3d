"""Every loss, under every gate, equals autodiff; bad ones are named."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, cases, forward_pass
from stbp_edu.losses import (
    CrossEntropy,
    Direct,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.verify import autodiff
from tests.networks import failures, fast_backward, fast_forward, make_problem, problems


@st.composite
def with_a_loss(draw):
    """Any problem with a loss that can read it, and real numbers for its input or spikes."""
    problem = draw(problems())
    T = len(problem.spikes)
    choices = [
        Rate(),
        LastSteps(T // 2 + 1),
        *(Membrane(k) for k in (1, T // 2 + 1, None)),
    ]
    if problem.targets.shape[1] > 1:
        choices += [CrossEntropy(), CrossEntropy(counts=True), StepCrossEntropy()]
    targets = problem.targets / problem.targets.sum(axis=1, keepdims=True)
    spikes = problem.spikes * 2.0 - 0.75 if draw(st.booleans()) else problem.spikes
    return problem._replace(targets=targets, spikes=spikes), draw(
        st.sampled_from(choices)
    )


@given(case=with_a_loss(), smooth=st.booleans())
def test_c1_c2_c3_c4_c5_p2_loss_delta_p2_loss_epsilon_of_any_loss_equal_autodiff(
    case, smooth
):
    """N 1-4, T 1-30, widths 1-20, batch 1-8, every surrogate and gate: error <= 1e-12."""
    (spikes, *rest), loss = case
    _, params, neuron = rest
    spike = neuron.H if smooth else None
    expected = autodiff.derivatives(spikes, *rest, spike=spike, loss=loss)
    slow = forward_pass.forward(spikes, params, neuron, spike=spike)
    if neuron.gate != "soft":
        assert not failures(cases.sweep(slow, *rest, loss=loss), expected)
    fast = fast_forward(spikes, params, neuron, twin=smooth)
    assert not failures(fast_backward(fast, *rest, loss=loss), expected)


PROBLEM = make_problem(
    0, [3, 4, 2], T=3, S=5, neuron=LIF(0.5, 0.6, surrogate=Gaussian(0.5))
)
TERM = np.zeros((3, 5, 2))


class Wrong:
    """A loss whose direct term is none."""

    def value(self, trace, targets):
        return 0.0

    def direct(self, trace, targets):
        return np.zeros(3)


@pytest.mark.parametrize("run", [cases.sweep, fast_backward], ids=["sweep", "engine"])
@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (3, "got int; pass for example stbp_edu.losses.Rate()"),
        (LastSteps(4), "LastSteps k must be <= T = 3, got 4; read fewer steps"),
        (TERM[0], "it must have 3 axes, not 2"),
        (TERM.astype(np.float32), "got float32; convert it with .astype(np.float64)"),
        (Direct(None, TERM[:1]), "loss (the direct term dL/du) must have shape"),
        (Direct(TERM, TERM.tolist()), "(the direct term dL/du) must be a NumPy array"),
        (
            Wrong(),
            "the direct term of the loss must be of type Direct, got numpy.ndarray",
        ),
    ],
)
def test_a_bad_loss_is_named(run, loss, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        run(PROBLEM.trace, *PROBLEM[1:], loss=loss)
