"""The losses of Part II, and those of Part I that it derives: each as it is written out."""

import numpy as np
import pytest

from stbp_edu.forward_pass import Trace
from stbp_edu.losses import CrossEntropy, LastSteps, Membrane, StepCrossEntropy
from tests.arrows import oracle

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


@pytest.mark.parametrize("name", oracle.LOSSES)
def test_a_loss_has_the_value_of_its_formula(name):
    loss, rng = oracle.LOSSES[name], np.random.default_rng(0)
    read, y = rng.normal(size=(3, 2, 3)), rng.dirichlet(np.ones(3), 2)
    assert loss.value(read, y) == pytest.approx(oracle.loss(name, read, y), rel=1e-13)
