"""Random neurons from their lines, and their proof."""

import os

import pytest

from tests.derive.texts import derived


def seeds(few, all_of_them):
    """Return a few seeds for the quick loop, and others marked slow: all in the weekly workflow."""
    if os.environ.get("STBP_EXAMPLES", "quick") in ("quick", "more"):
        all_of_them //= 10
    rest = [pytest.param(k, marks=pytest.mark.slow) for k in range(few, all_of_them)]
    return pytest.mark.parametrize("seed", [*range(few), *rest])


@seeds(3, 100)
def test_the_proof_holds(seed):
    # every constant learned: factors and gradients by differences, every rule by its paths
    proof = derived(seed).prove()
    assert not proof.faults, str(proof)
    assert all(row.difference <= row.allowed for row in proof.rows), str(proof)
