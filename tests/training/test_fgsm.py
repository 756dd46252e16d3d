"""Images moved against the network: the direction is the gradient, and they are harder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, cases
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training import Dataset, Settings, initial_state, train
from stbp_edu.training.model import passes
from stbp_edu.training.settings import FGSM
from tests.networks import make_problem

NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))


@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_c2_delta_reaches_the_input(rule) -> None:
    """Case 2's expression with n = 0, written with indices, on what the sweep gives for layer 1."""
    problem = make_problem(3, [5, 7, 3], T=4, S=6, neuron=NEURON)
    p, trace = problem.params, problem.trace
    settings = Settings(rule, (7,), tau=0.5, v_th=0.6, a=0.5, adversarial=0.1)
    run = passes(p, settings)
    got = run.input_gradient(run.forward(problem.spikes), problem.targets)
    swept = cases.sweep(trace, problem.targets, p, NEURON, rule)
    err = swept.epsilon[1]
    if rule == "classic":
        err = swept.delta[1] * NEURON.h(trace.U[1])
    np.testing.assert_allclose(got, np.einsum("tsi,ij->sj", err, p.W[1]), rtol=1e-12)


@pytest.mark.parametrize("fgsm", FGSM)
def test_the_images_learned_from_are_harder(small, bytes_few, fgsm) -> None:
    """The first step's loss, before anything is learned, on the same images."""
    settings = replace(small, batch=200, epochs=1, T=20, hidden=(60,), init_scale=3.0)

    def first_loss(adversarial: float) -> float:
        s = replace(settings, adversarial=adversarial, fgsm=fgsm)
        return next(e for e in train(s, bytes_few, initial_state(s, bytes_few))).loss

    assert first_loss(0.3) > 1.05 * first_loss(0.0)


def test_only_a_targeted_step_moves_an_image_that_is_answered_perfectly() -> None:
    """One pixel for each class, white, through weights that no grey level of another can outdo."""
    images = np.uint8(255) * np.eye(10, dtype=np.uint8).reshape(10, 2, 5)
    data = Dataset(images, np.arange(10), images, np.arange(10))
    plain = Settings(hidden=(), T=4, batch=10, epochs=1)

    def first_loss(**changes: Any) -> float:
        s = replace(plain, **changes)
        state = initial_state(s, data)
        state.params.W[1][...] = 2 * np.eye(10)
        return next(e for e in train(s, data, state)).loss

    assert first_loss() == 0
    assert first_loss(adversarial=0.3) == 0
    assert first_loss(adversarial=0.3, fgsm="targeted") > 0.1
