"""The losses of Part II, each as it is written out."""

import numpy as np
import pytest

from stbp_edu.forward_pass import Trace
from stbp_edu.losses import (
    CrossEntropy,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from tests.arrows.oracle import LOSSES

ONE_HOT = np.eye(3)[[0, 2]]


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


@pytest.mark.parametrize("name", LOSSES)
def test_the_direct_term_of_a_loss_is_the_slope_of_its_value(name):
    loss, rng = LOSSES[name], np.random.default_rng(0)
    read, y = rng.normal(size=(3, 2, 3)), rng.dirichlet(np.ones(3), 2)
    step = 1e-5 * rng.normal(size=read.shape)
    change = loss.value(read + step, y) - loss.value(read - step, y)
    assert change == pytest.approx(2 * (loss.direct(read, y) * step).sum(), rel=1e-7)
    square = isinstance(loss.fit, Rate | LastSteps | Membrane)
    at_rest = (y**2).sum() / 4 if square else np.log(3)
    assert loss.value(0 * read, y) == pytest.approx(at_rest, rel=1e-13)
