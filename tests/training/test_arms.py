"""The runs of the experiments on time: the package's gradients, and what each arm changes."""

from dataclasses import replace

import numpy as np
import pytest

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
