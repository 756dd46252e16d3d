"""The fast trainer of the experiment on causes makes the updates of the package; its arms."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.parameters import named_arrays
from stbp_edu.training import RECIPES, Epoch, initial_state, train
from stbp_edu.training.data import load_dataset
from stbp_edu.training.trainer import TrainingJob

arms = pytest.importorskip("benchmarks.time.arms")  # needs Numba
cause = pytest.importorskip("benchmarks.time.cause")
pytestmark = pytest.mark.slow  # the loops are compiled first
RULES = ("exact", "classic", "detached-reset", "ottt", "e-prop-reset")
CHANGES = (
    {},
    {"gain_limit": 0.9},
    {"optimiser": "sgd", "lr": 0.1},
    {"beta2": 0.9, "clip_norm": 0.1, "weight_decay": 0.0},
)


def after(run, updates):
    """Return the parameters of a fast run after some updates, by name."""
    left = [updates]
    make_update = run.update

    class EnoughError(Exception):
        pass

    def update(g, lr):
        norm = make_update(g, lr)
        left[0] -= 1
        if not left[0]:
            raise EnoughError
        return norm

    run.update = update
    with pytest.raises(EnoughError):
        run.epoch(0)
    return dict(zip(("W1", "b1", "W2", "b2"), run.views(run.p), strict=True))


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", cause.TASKS)
def test_updates_are_those_of_the_package(task, rule, changes) -> None:
    settings = replace(
        RECIPES[task],
        **{**cause.TASKS[task], "a": 0.3, "v_th": 0.3, **changes},
        rule=rule,
    )
    data = load_dataset(task)
    job = TrainingJob(settings, data, initial_state(settings, data))
    job.begin_epoch(0)
    for k in range(3):
        job.step(k, settings.learning_rate(k / (settings.epochs * job.steps)))
    found, ours = after(arms.FastRun(settings, data), 3), named_arrays(job.state.params)
    for name, array in found.items():
        np.testing.assert_allclose(array, ours[name], atol=2e-5, err_msg=name)
    drawn = named_arrays(initial_state(settings, data).params)
    assert np.abs(found["W2"] - drawn["W2"]).max() > 1e-3


def test_an_epoch_shows_what_the_package_records() -> None:
    """One epoch at a wide surrogate, where roundings have not grown."""
    settings = replace(RECIPES["delayed-xor"], epochs=1, a=0.5, lr=1e-3)
    data = load_dataset("delayed-xor")
    (point,) = arms.FastRun(settings, data).train()
    epoch = next(e for e in train(settings, data) if isinstance(e, Epoch))
    np.testing.assert_allclose(point["norms"], epoch.gradient_norms, rtol=0.02)
    assert point["held_out"] == pytest.approx(epoch.test, abs=0.05)
    np.testing.assert_allclose(point["gains"], epoch.gains_above_1, atol=0.02)


def layer(change, **settings):
    """Return the gains that a run uses for a layer, from its own potentials."""
    data = load_dataset("delayed-xor")
    s = replace(RECIPES["delayed-xor"], a=0.02, T=2, hold=1, read=1, **settings)
    run = arms.FastRun(s, data, arms.Intervention(gains=change))
    rng = np.random.default_rng(0)
    gain = rng.normal(0, 2, (2, 50, 3)).astype(np.float32)
    return gain, run._changed(gain.copy())


def test_a_random_clip_reduces_as_many_gains_by_the_same_factors() -> None:
    gain, held = layer(arms.LEAVE, gain_limit=1.0)
    _, others = layer(arms.HOLD_OTHERS)
    _, turned = layer(arms.TURN)
    np.testing.assert_array_equal(held, gain.clip(-1, 1))
    np.testing.assert_array_equal(turned, np.abs(gain))
    for t in range(2):
        factors = [np.sort((x / gain)[t].ravel()) for x in (held, others)]
        np.testing.assert_allclose(*factors, rtol=1e-5)
    assert not np.allclose(held, others)


def test_a_lower_surrogate_is_lower_in_every_factor() -> None:
    """One step: the gradient of W2 has one h, and that of W1 two."""
    task = {**cause.TASKS["digits"], "T": 1, "v_th": 0.3}
    data, settings = load_dataset("digits"), replace(RECIPES["digits"], **task)
    full, low = (
        arms.FastRun(settings, data, arms.Intervention(height=height))
        for height in (1.0, 0.5)
    )
    gradients = []
    for run in (full, low):
        trace = run.forward(
            run.encode(data.train_images[:20], np.random.default_rng(0))
        )
        targets = run.answers[data.train_labels[:20]]
        gradients.append([g.copy() for g in run.views(run.backward(trace, targets))])
    np.testing.assert_allclose(gradients[1][2], 0.5 * gradients[0][2], rtol=1e-5)
    np.testing.assert_allclose(
        gradients[1][0], 0.25 * gradients[0][0], rtol=1e-4, atol=1e-8
    )
    assert np.abs(gradients[0][0]).max() > 1e-4


def test_every_cell_has_settings_and_a_folder_of_its_own() -> None:
    made = list(cause.cells())
    assert len({cell.name for cell in made}) == len(made)
    for cell in made:
        assert cell.settings(0, 0.01).rule == cell.rule
