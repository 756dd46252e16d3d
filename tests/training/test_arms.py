"""The passes of the experiment on causes: with nothing changed they are the package's own."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.arrays import tensors
from stbp_edu.training import RECIPES, initial_state
from stbp_edu.training.data import load_dataset
from stbp_edu.training.model import passes
from stbp_edu.training.trainer import TrainingJob

arms = pytest.importorskip("benchmarks.time.arms")  # needs Numba
cause = pytest.importorskip("benchmarks.time.cause")
pytestmark = pytest.mark.slow  # the loops are compiled first
RULES = ("exact", "classic", "detached-reset", "ottt", "e-prop-reset")


def batch(settings, task):
    """Return parameters, a batch of spikes and its targets."""
    data = load_dataset(task)
    state = initial_state(settings, data)
    for layer in state.params.W[1:]:
        layer *= 2  # so that outputs spike
    job = TrainingJob(settings, data, state)
    job.begin_epoch(0)
    images, targets = job._batch(0)
    return state.params, job.encode(images), targets


def both(made, params, settings, spikes, targets):
    """Return the gradients of an arm and of the package, by name."""
    arm, ours = made(params, settings), passes(params, settings)
    found = tensors(arm.gradients(arm.forward(spikes), targets))
    return found, tensors(ours.gradients(ours.forward(spikes), targets))


@pytest.mark.parametrize("limit", [0.0, 0.5])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", ["delayed-xor", "digits"])
def test_an_arm_that_changes_nothing_has_the_gradients_of_the_package(
    task, rule, limit
) -> None:
    changes = (
        {"a": 0.1, "v_th": 0.3, "T": 12}
        if task == "delayed-xor"
        else {**cause.TASKS[task], "hidden": (32,)}
    )
    settings = replace(RECIPES[task], rule=rule, gain_limit=limit, batch=20, **changes)
    params, spikes, targets = batch(settings, task)
    found, ours = both(arms.ArmPasses, params, settings, spikes, targets)
    for name, gradient in found.items():
        scale = np.abs(ours[name]).max()
        np.testing.assert_allclose(
            gradient, ours[name], atol=1e-5 * scale + 1e-9, err_msg=name
        )
    assert np.abs(ours["W2"]).max() > 1e-6


def test_a_lower_surrogate_is_lower_in_every_factor() -> None:
    """One layer, one step: the gradient has one h, and so it is lower by the height."""
    settings = replace(RECIPES["digits"], hidden=(8,), T=1, batch=20, a=0.5)
    params, spikes, targets = batch(settings, "digits")
    low = arms.ArmPasses(params, settings, height=0.3)
    whole = arms.ArmPasses(params, settings)
    trace = whole.forward(spikes)
    lower, full = low.gradients(trace, targets), whole.gradients(trace, targets)
    np.testing.assert_allclose(lower.W[2], 0.3 * full.W[2], rtol=1e-5)
    np.testing.assert_allclose(lower.W[1], 0.09 * full.W[1], rtol=1e-4, atol=1e-9)


def test_a_random_clip_makes_as_many_gains_smaller_as_a_limit_of_1() -> None:
    """ε^1 over ε^2 of a layer is its gain where nothing reaches it at the first step."""
    rng = np.random.default_rng(0)
    settings = replace(RECIPES["delayed-xor"], a=0.02)
    u = rng.normal(1.0, 0.1, (2, 500, 3)).astype(np.float32)
    o = (u >= 1).astype(np.float32)
    delta = np.zeros_like(u)
    delta[1] = 1.0

    def made(**more):
        return arms.ArmPasses(None, replace(settings, **more))._down(delta, u, o)[1]

    free, held = (e[0] / e[1] for e in (made(), made(gain_limit=1.0)))
    drawn = arms.ArmPasses(None, settings, change=arms.HOLD_OTHERS)._down(delta, u, o)[
        1
    ]
    drawn = drawn[0] / drawn[1]
    turned = arms.ArmPasses(None, settings, change=arms.TURN)._down(delta, u, o)[1]
    np.testing.assert_allclose(turned[0] / turned[1], np.abs(free), rtol=1e-4)
    factors = [np.sort((held / free).ravel()), np.sort((drawn / free).ravel())]
    np.testing.assert_allclose(*factors, rtol=1e-3)
    assert 0.1 < np.mean(np.abs(free) > 1) < 0.9
    assert not np.allclose(held, drawn)


def test_every_cell_has_settings_and_a_folder_of_its_own() -> None:
    made = list(cause.cells())
    assert len({cell.name for cell in made}) == len(made)
    for cell in made:
        assert cell.settings(0, 0.01).rule == cell.rule
