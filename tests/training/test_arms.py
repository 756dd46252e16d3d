"""The runs of the experiments on time: the package's gradients, and what each arm changes."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu._support.files import read_json
from stbp_edu.parameters import named_arrays
from stbp_edu.training import RECIPES, initial_state
from stbp_edu.training.data import load_dataset
from stbp_edu.training.trainer import TrainingJob

arms = pytest.importorskip("benchmarks.arms")  # needs Numba
arm_run = pytest.importorskip("benchmarks.arm_run")
pytestmark = pytest.mark.slow  # the loops are compiled first
CHANGES = (
    {},
    {"gain_limit": 0.9},
    {"optimiser": "sgd", "lr": 0.1},
    {"beta2": 0.9, "rule": "classic"},
    {"gradient_sign": True},
    {"hidden": ("16R",)},
)


def a_run(arm="none", task="delayed-xor", **changes):
    changes = {**arms.TASKS[task], **arms.ARMS[arm].settings, **changes}
    settings = replace(RECIPES[task], **changes)
    return arm_run.Run(settings, load_dataset(task), arms.ARMS[arm])


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize("task", ["delayed-xor", "digits-by-rows", "digits"])
def test_updates_are_those_of_the_package(task, changes) -> None:
    """The draws, the gradient and the optimiser, in three updates."""
    arm = "sgd" if "optimiser" in changes else "none"
    if changes.get("gradient_sign"):
        arm = "sign"
    run = a_run(arm, task, **{"a": 0.3, "v_th": 0.3, **changes})
    job = TrainingJob(run.settings, run.data, initial_state(run.settings, run.data))
    job.begin_epoch(0)
    drawn = run.p.copy()
    for k, batch in zip(range(3), run.batches(0), strict=False):
        lr = run.settings.learning_rate(k / (run.settings.epochs * job.steps))
        job.step(k, lr)
        run.update(run.gradient(*batch), lr)
    there = run.flat(named_arrays(job.state.params))
    np.testing.assert_allclose(run.p, there, atol=2e-5)
    assert np.abs(run.p - drawn).max() > 1e-3


@pytest.mark.parametrize("task", ["delayed-xor", "digits"])
def test_without_a_change_the_gains_give_the_gradient_of_the_package(task) -> None:
    run = a_run("none", task, hidden=(16, 8))
    batch = next(run.batches(0))
    trace, targets = run.forward(batch[0], batch[2]), run.answers[batch[1]]
    ours = run.flat(run.with_gains(trace, targets))
    theirs = run.flat(
        named_arrays(run.net.backward(trace, targets, run.params, "exact"))
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("changes", [{"rule": "classic"}, {"hidden": ("16R",)}])
def test_gains_are_changed_only_where_they_are_known(changes) -> None:
    assert a_run(**changes).p.size
    with pytest.raises(ValueError, match="need the exact rule"):
        a_run("absolute gains", **changes)


def test_changes_of_the_gradient() -> None:
    run = a_run()
    rng = np.random.default_rng(0)
    g = (rng.normal(size=run.p.size) * 10 ** rng.uniform(-6, 3, run.p.size)).astype("f")
    after = {
        name: arm.gradient(run, g) for name, arm in arms.ARMS.items() if arm.gradient
    }
    np.testing.assert_array_equal(after["sign"], np.sign(g))
    one = after["sign of layer 1"]
    np.testing.assert_array_equal(one[run.places["W1"]], np.sign(g[run.places["W1"]]))
    np.testing.assert_array_equal(one[run.places["W2"]], g[run.places["W2"]])
    for name in ("unit norm", "clip 0.05"):
        norm = {"unit norm": 1, "clip 0.05": 0.05}[name]
        assert np.linalg.norm(after[name]) == pytest.approx(norm, rel=1e-4)
        assert after[name] @ g > 0.999 * np.linalg.norm(after[name]) * np.linalg.norm(g)
    assert np.linalg.norm(after["sign times norm"]) == pytest.approx(
        float(np.linalg.norm(g)), rel=1e-4
    )
    shuffled = after["sizes shuffled"]
    np.testing.assert_array_equal(np.sign(shuffled), np.sign(g))
    np.testing.assert_array_equal(np.sort(abs(shuffled)), np.sort(abs(g)))
    rows = after["clip neuron 0.1"][run.places["W1"]].reshape(run.shapes["W1"])
    norms = np.linalg.norm(rows, axis=1)
    own = np.linalg.norm(g[run.places["W1"]].reshape(run.shapes["W1"]), axis=1)
    np.testing.assert_allclose(norms, np.minimum(own, 0.1), rtol=1e-4)
    assert abs(after["clip entry 0.01"]).max() == pytest.approx(0.01)


def test_changes_of_the_update() -> None:
    """Each optimiser's steps, from the same gradients of very different sizes."""
    rng = np.random.default_rng(1)
    runs = {name: a_run(name) for name in arms.ARMS}
    n = runs["none"].p.size
    gradients = [(rng.normal(size=n) * 10.0**k).astype("f") for k in (0, 3, -3, 0)]
    before = {name: run.p.copy() for name, run in runs.items()}
    steps = {}
    for g in gradients:
        for name, run in runs.items():
            run.update(g, 0.01)
            steps[name] = (before[name] - run.p) / 0.01
            before[name] = run.p.copy()
    size = {name: np.linalg.norm(step) for name, step in steps.items()}

    def cosine(one, other):
        return steps[one] @ steps[other] / (size[one] * size[other])

    assert size["size of sign"] == pytest.approx(size["sign"], rel=1e-3)
    assert cosine("size of sign", "none") > 0.999
    assert size["direction of sign"] == pytest.approx(size["none"], rel=1e-3)
    assert cosine("direction of sign", "sign") > 0.999
    assert size["warm-up"] == pytest.approx(size["none"] * 4 / 200, rel=1e-2)
    assert size["beta2 0.9"] > size["none"]
    np.testing.assert_allclose(abs(steps["lion"]), 1, rtol=1e-3)
    expected = sum(g * 0.9**k for k, g in enumerate(reversed(gradients)))
    np.testing.assert_allclose(steps["sgd"], expected, rtol=1e-2, atol=1e-2)
    assert size["noise"] > 0.4 * n**0.5


def test_a_memory_that_never_forgets_keeps_updates_small() -> None:
    sizes = {}
    for name in ("beta2 0.9", "amsgrad", "none"):
        run = a_run(name)
        for g in (1.0, *[1e-3] * 150):
            run.update(np.full_like(run.p, g), 0.01)
        sizes[name] = run.moved[-1][0]
    assert sizes["amsgrad"] < sizes["none"] < sizes["beta2 0.9"]


def test_gains_that_an_arm_changes() -> None:
    gain = np.random.default_rng(0).normal(0, 2, (2, 50, 3)).astype(np.float32)
    np.testing.assert_array_equal(a_run("absolute gains").used(gain), np.abs(gain))
    held, drawn = gain.clip(-1, 1), a_run("random gains").used(gain)
    for t in range(2):
        factors = [np.sort((x / gain)[t].ravel()) for x in (held, drawn)]
        np.testing.assert_allclose(*factors, rtol=1e-5)
    assert not np.allclose(held, drawn)


def test_a_lower_surrogate_is_lower_in_every_factor() -> None:
    """One step: the gradient of W2 has one h, and that of W1 two."""
    found = {}
    for name in ("none", "lower surrogate"):
        run = a_run(name, "digits", T=1, v_th=0.3)
        batch = next(run.batches(0))
        g = run.gradient(*batch[:2], np.random.default_rng(0))
        found[name] = [g[run.places[p]] for p in ("W2", "W1")]
    low, full = found["lower surrogate"], found["none"]
    np.testing.assert_allclose(low[0], 0.3 * full[0], rtol=1e-4)
    np.testing.assert_allclose(low[1], 0.09 * full[1], rtol=1e-3, atol=1e-8)
    assert np.abs(full[1]).max() > 1e-4


def test_a_cell_becomes_a_row_once(tmp_path, monkeypatch, capsys) -> None:
    """Its learning rate is the best on validation data, and the grid goes on at an edge."""
    best = {0.003: 0.6, 0.01: 0.7, 0.03: 0.8, 0.09: 0.5}
    made = []

    def run(cell, seed, lr, held_out="test"):
        made.append((seed, lr, held_out))
        return {"accuracy": best[lr], "size": [0.1] * 3, "frozen": [0.2] * 3}

    monkeypatch.setattr(arms.Cell, "run", run)
    words = ["delayed-xor", "exact", "sign", "T=19", "--seeds", "0:2"]
    words += ["--out", str(tmp_path / "record.json")]
    assert arms.main(words) == 0
    (row,) = read_json(tmp_path / "record.json")["rows"]
    assert (row["changes"], row["lr"], row["fixed"]) == ({"T": 19}, 0.03, False)
    assert (row["accuracy"], row["seeds"]) == ([0.8, 0.8], "0:2")
    assert made[-2:] == [(0, 0.03, "test"), (1, 0.03, "test")]
    assert {seed for seed, _, part in made if part == "validation"} == {
        *range(3000, 3003)
    }
    before = len(made)
    assert arms.main(words) == 0
    assert len(made) == before
    assert arms.main([*words, "--lr", "0.01"]) == 0
    assert len(read_json(tmp_path / "record.json")["rows"]) == 2
    assert "above 0.95: 0 of 2" in capsys.readouterr().out


def test_gradients_of_two_batches_are_compared_at_the_same_weights(monkeypatch) -> None:
    monkeypatch.setattr(arms, "MOMENTS", (0, 1))
    monkeypatch.setattr(arms, "PAIRS", 2)
    found = list(arms.cosines(0))
    assert [(row["rule"], row["updates"]) for row in found[:4:3]] == [
        ("exact", 0),
        ("detached-reset", 0),
    ]
    assert len(found) == 8
    for row in found:
        assert -1 <= row["cosine"] <= 1
        assert row["tail"] >= 1
    one = np.array([3.0, 4.0])
    assert arms.cosine(one, 2 * one) == pytest.approx(1)
    assert arms.cosine(one, 0 * one) == 0


def test_every_prediction_names_a_cell() -> None:
    plan = [*arms.planned(arms.PREDICTIONS)]
    assert plan
    for cell, lr, seeds in plan:
        assert cell.settings(0, lr or 0.01).rule == cell.rule
        assert 0 < len(seeds) <= len(arms.SEEDS)
        assert cell.arm in arms.ARMS
