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


@pytest.mark.parametrize(
    "arm",
    [arms.Arm(step=arms.Run.adam), arms.Arm(passes=arms.OtherGains)],
    ids=["own Adam", "own gains"],
)
def test_what_an_arm_writes_out_is_what_the_package_does(arm, monkeypatch):
    monkeypatch.setitem(arms.ARMS, "written out", arm)
    np.testing.assert_allclose(moved("written out"), moved("none"), atol=2e-5)


def test_changes_of_the_gradient():
    line = {"task": "delayed-xor", "rule": "exact", "arm": "none"}
    run, rng = arms.run_of(line, 0, 0.01), np.random.default_rng(0)
    g = {
        name: (rng.normal(size=p.shape) * 10 ** rng.uniform(-6, 3, p.shape)).astype("f")
        for name, p in run.state.params.arrays().items()
    }

    def after(name):
        found = {key: one.copy() for key, one in g.items()}
        arms.ARMS[name].gradient(run, found)
        return found

    flat, length = run.flat(g), np.linalg.norm(run.flat(g))
    one = after("sign of layer 1")
    np.testing.assert_array_equal(one["W1"], np.sign(g["W1"]))
    np.testing.assert_array_equal(one["W2"], g["W2"])
    unit = run.flat(after("unit norm"))
    assert np.linalg.norm(unit) == pytest.approx(1, rel=1e-4)
    assert unit @ flat > 0.999 * length
    shuffled = run.flat(after("sizes shuffled"))
    np.testing.assert_array_equal(np.sign(shuffled), np.sign(flat))
    np.testing.assert_array_equal(np.sort(abs(shuffled)), np.sort(abs(flat)))
    assert abs(run.flat(after("clip entry 0.01"))).max() == pytest.approx(0.01)
