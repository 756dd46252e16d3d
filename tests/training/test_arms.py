"""The arms of the experiments on time: what each changes in the package's trainer."""

import numpy as np
import pytest

from benchmarks import arms

pytestmark = pytest.mark.slow  # the loops are compiled first
LINE = {"task": "delayed-xor", "rule": "exact"}
WIDE = {"a": 0.3, "v_th": 0.3, "epochs": 2}  # gradients flow from the first update
ALIKE = {"none", "eps 0.0001", "amsgrad"} | {k for k in arms.ARMS if "limit" in k}


def moved(arm):
    """Return how far the first updates of an arm move the parameters."""
    run = arms.run_of({**LINE, "arm": arm, "changes": WIDE}, 0, 0.01)
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
        assert arm in ALIKE or np.abs(found - plain).max() > 1e-7, arm
