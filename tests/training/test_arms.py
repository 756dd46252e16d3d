"""The arms of the experiments on time: what each changes in the package's trainer."""

import numpy as np
import pytest

arms = pytest.importorskip("benchmarks.arms")  # needs Numba
pytestmark = pytest.mark.slow  # the loops are compiled first
WIDE = {
    "a": 0.3,
    "v_th": 0.3,
    "epochs": 1,
}  # where gradients flow from the first update


def moved(arm):
    """Return how far the first updates of an arm move the parameters."""
    changes = {**WIDE, **({"epochs": 2} if arm == "batch 256" else {})}
    line = {"task": "delayed-xor", "rule": "exact", "arm": arm, "changes": changes}
    run = arms.run_of(line, 0, 0.01)
    before = run.flat(run.state.params.arrays())
    run.begin_epoch(0)
    for k in range(2):
        run.step(k, 0.01)
    return run.flat(run.state.params.arrays()) - before


def test_each_arm_moves_parameters_in_its_own_way():
    plain = moved("none")
    for arm in arms.ARMS:
        found = moved(arm)
        assert np.isfinite(found).all()
        assert np.abs(found).max() > 1e-7
        same = (
            arm == "none" or arm.startswith("limit") or arm in ("eps 0.0001", "amsgrad")
        )
        assert same or np.abs(found - plain).max() > 1e-7, arm


@pytest.mark.parametrize("arm", [{"step": "adam(g)"}, {"gains": {}}])
def test_what_an_arm_writes_out_is_what_the_package_does(arm, monkeypatch):
    monkeypatch.setitem(arms.ARMS, "written out", arm)
    np.testing.assert_allclose(moved("written out"), moved("none"), atol=2e-5)


def test_changes_of_the_gradient():
    run = arms.run_of({"task": "delayed-xor", "rule": "exact", "arm": "none"}, 0, 0.01)
    rng = np.random.default_rng(0)
    g = rng.normal(size=run.layers.size) * 10 ** rng.uniform(-6, 3, run.layers.size)
    g = g.astype(np.float32)
    found = {
        name: run.value(arm["gradient"], g)
        for name, arm in arms.ARMS.items()
        if "gradient" in arm
    }
    wanted = np.where(run.layers == 1, np.sign(g), g)
    np.testing.assert_array_equal(found["sign of layer 1"], wanted)
    assert np.linalg.norm(found["unit norm"]) == pytest.approx(1, rel=1e-4)
    assert found["unit norm"] @ g > 0.999 * np.linalg.norm(g)
    np.testing.assert_array_equal(np.sign(found["sizes shuffled"]), np.sign(g))
    np.testing.assert_array_equal(
        np.sort(abs(found["sizes shuffled"])), np.sort(abs(g))
    )
    assert abs(found["clip entry 0.01"]).max() == pytest.approx(0.01)
    rows = run.parts(found["clip neuron 0.1"])["W1"]
    assert np.linalg.norm(rows, axis=1).max() == pytest.approx(0.1)
