"""The losses written once more, on numbers that fit on paper."""

import math

import autograd
import numpy as np
import pytest

from stbp_edu.losses import CrossEntropy, Direct, LastSteps, Membrane, Rate, StepCrossEntropy
from stbp_edu.verify.loss_values import loss_value

RNG = np.random.default_rng(1)
SPIKES, POTENTIALS = RNG.random((3, 4, 2)), RNG.normal(size=(3, 4, 2))
TARGETS = RNG.dirichlet([1, 1], 4)
OUTPUTS = list(zip(SPIKES, POTENTIALS, strict=True))
SLOPES = np.arange(24.0).reshape(3, 4, 2)


def mean(steps):
    """The mean over steps of (S, n[N])."""
    return [[sum(z[s, i] for z in steps) / len(steps) for i in (0, 1)] for s in range(4)]


def squares(z):
    """Σ_s ||y_s - z_s||² / (2 S)."""
    return sum((TARGETS[s, i] - z[s][i]) ** 2 for s in range(4) for i in (0, 1)) / 8


def cross_entropy(z):
    """-Σ_s Σ_i y_i log p_i / S, with p the softmax of z_s."""
    total = 0.0
    for s in range(4):
        powers = [math.exp(value) for value in z[s]]
        total -= sum(TARGETS[s, i] * math.log(powers[i] / sum(powers)) for i in (0, 1))
    return total / 4


def linear(states):
    """Σ d · state, with the slopes 0, 1, 2, ... in the order of step, sample, neuron."""
    return sum(k * x for k, x in enumerate(states.ravel()))


COUNTS = [[3 * rate for rate in row] for row in mean(SPIKES)]
VALUES = [
    (Rate(), squares(mean(SPIKES))),
    (LastSteps(1), squares(SPIKES[2])),
    (LastSteps(2), squares(mean(SPIKES[1:]))),
    (Membrane(1), squares(POTENTIALS[2])),
    (Membrane(2), squares(mean(POTENTIALS[1:]))),
    (Membrane(None), squares(mean(POTENTIALS))),
    (CrossEntropy(), cross_entropy(mean(SPIKES))),
    (CrossEntropy(counts=True), cross_entropy(COUNTS)),
    (StepCrossEntropy(), sum(map(cross_entropy, SPIKES)) / 3),
    (Direct(SLOPES), linear(SPIKES)),
    (Direct(None, SLOPES), linear(POTENTIALS)),
    (Direct(SLOPES, SLOPES), linear(SPIKES) + linear(POTENTIALS)),
    (SLOPES, linear(SPIKES)),
]


@pytest.mark.parametrize(("loss", "value"), VALUES, ids=lambda value: repr(value)[:30])
def test_each_loss_has_the_value_that_its_formula_gives(loss, value):
    assert float(loss_value(loss, OUTPUTS, TARGETS)) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(("loss", "value"), VALUES, ids=lambda value: repr(value)[:30])
def test_autograd_sees_through_each_loss(loss, value):
    """Along one direction of all spikes and potentials, against a difference."""

    def along(x):
        outputs = [(o + x * (0.3 + u), u + x * (0.7 - o)) for o, u in OUTPUTS]
        return loss_value(loss, outputs, TARGETS, autograd.numpy)

    assert float(along(0.0)) == pytest.approx(value, rel=1e-14)
    slope = (along(1e-4) - along(-1e-4)) / 2e-4
    assert autograd.grad(along)(0.0) == pytest.approx(float(slope), rel=1e-6)


def test_slopes_of_fewer_steps_are_no_direct_term():
    with pytest.raises(ValueError, match="zip"):
        loss_value(SLOPES[:2], OUTPUTS, TARGETS)


class Own:
    """A loss of one's own: the last potential's sum, by the first target, plus all spikes."""

    def value(self, trace, targets):
        """Return its value."""
        assert trace.U[0] is None
        assert len(trace.U) == len(trace.O) == 2
        return trace.U[-1][-1].sum() * targets[0, 0] + trace.O[-1].sum()


def test_a_loss_of_ones_own_is_asked_for_its_value_and_not_within_autograd():
    expected = POTENTIALS[2].sum() * TARGETS[0, 0] + SPIKES.sum()
    assert loss_value(Own(), OUTPUTS, TARGETS) == pytest.approx(expected)
    with pytest.raises(TypeError, match=r"loss must be one of stbp_edu\.losses for automatic"):
        loss_value(Own(), OUTPUTS, TARGETS, autograd.numpy)
