"""The fast trainer of the experiment on causes makes the updates of the package; its arms."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu._support.files import read_json, write_json
from stbp_edu.parameters import named_arrays
from stbp_edu.training import RECIPES, Epoch, initial_state, train
from stbp_edu.training.data import load_dataset
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.trainer import TrainingJob

arms = pytest.importorskip("benchmarks.time.arms")  # needs Numba
cause = pytest.importorskip("benchmarks.time.cause")
cause_record = pytest.importorskip("benchmarks.time.cause_record")
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
        sizes = make_update(g, lr)
        left[0] -= 1
        if not left[0]:
            raise EnoughError
        return sizes

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


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_the_size_of_an_update_is_that_of_the_change_in_learning_rates(
    optimiser,
) -> None:
    """Adam's first update moves each parameter by lr, so its size is 1; that of SGD is g's."""
    settings = replace(RECIPES["delayed-xor"], optimiser=optimiser)
    run = arms.FastRun(settings, load_dataset("delayed-xor"))
    before, g = run.p.copy(), np.full_like(run.p, 0.25)
    norm, size = run.update(g, lr=0.5)
    assert norm == pytest.approx(0.25 * len(g) ** 0.5)
    assert size == pytest.approx({"adam": 1.0, "sgd": 0.25}[optimiser], rel=1e-4)
    moved = np.linalg.norm(run.p - before) / (0.5 * len(g) ** 0.5)
    assert size == pytest.approx(moved, rel=1e-4)


def test_an_outlier_keeps_updates_small_for_as_long_as_beta2_remembers() -> None:
    """One gradient a thousand times the others, and the median update of the next fifty."""
    settings = RECIPES["delayed-xor"]
    medians = {}
    for beta2 in (0.999, 0.9):
        run = arms.FastRun(replace(settings, beta2=beta2), load_dataset("delayed-xor"))
        run.update(np.full_like(run.p, 1.0), lr=0.01)
        after_it = [run.update(np.full_like(run.p, 1e-3), lr=0.01) for _ in range(150)]
        medians[beta2] = np.median([size for _, size in after_it[100:]])
    assert medians[0.999] < 0.05
    assert medians[0.9] > 0.5


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


@pytest.mark.parametrize("plan", cause.PLANS)
def test_every_cell_has_settings_and_a_folder_of_its_own(plan) -> None:
    made = list(cause.PLANS[plan]())
    assert len({cell.name for cell in made}) == len(made)
    for cell in made:
        assert cell.settings(0, 0.01).rule == cell.rule


def keep_runs(cell, work, commit, accuracy):
    """Write runs of a cell as if they had been trained."""
    point = {
        "held_out": accuracy, "commonest": 0.5, "hidden": 0.1, "output": 0.1,
        "norms": [1.0] * 5, "updates": [0.2] * 5, "gains": [0.0, 0.0],
    }  # fmt: skip
    for seed in cause.SEEDS:
        found = {
            "commit": commit, "date": "2026-11-30", "machine": {"cores": 2},
            "versions": {"numpy": "2"}, "accuracy": accuracy, "curve": [point],
        }  # fmt: skip
        place = work / cell.name.replace(" ", "-") / "test"
        write_json(place / f"lr={cell.lr:g},seed={seed}.json", found)


def test_a_record_keeps_the_cells_whose_runs_are_gone(tmp_path) -> None:
    """Each with its own commit; a cell that was trained again has its new runs."""
    first, second, third = list(cause.update_cells())[:3]
    for name, cells, commit in (
        ("old", (first, second), "a"),
        ("new", (second, third), "b"),
    ):
        for cell in cells:
            keep_runs(cell, tmp_path / name, commit, {"a": 0.6, "b": 0.9}[commit])
    old = cause_record.record("cause-updates", tmp_path / "old", None)
    new = cause_record.record("cause-updates", tmp_path / "new", old)
    assert [row["commit"] for row in new["rows"]] == ["a", "b", "b"]
    assert [row["runs"][0]["accuracy"] for row in new["rows"]] == [0.6, 0.9, 0.9]
    assert new["commit"] == "a, b"
    assert new["rows"][0] == old["rows"][0]
    with pytest.raises(ValueError, match="runs of one machine"):
        cause_record.record("cause-updates", tmp_path / "new", old | {"machine": {}})
    with pytest.raises(ValueError, match="must hold all runs"):
        cause_record.record("cause-updates", tmp_path / "none", None)


@pytest.mark.parametrize("plan", cause.PLANS)
def test_every_row_of_a_published_record_is_a_cell_of_its_plan(plan) -> None:
    place = measurements_folder() / f"{plan}.json"
    rows = read_json(place)["rows"] if place.exists() else []
    for row in rows:
        assert sum(cause_record.is_of(row, cell) for cell in cause.PLANS[plan]()) == 1
