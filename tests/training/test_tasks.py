"""Tasks of time: what is asked, and that it can be learned."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.training import RECIPES
from stbp_edu.training.data import load_dataset
from stbp_edu.training.data.recipes import GROUP, delayed_xor
from tests.runs import epochs


def test_delayed_xor_is_the_xor_of_its_cues():
    """Each row lights up one group of inputs: of A's two in the first, of B's in the second."""
    images, labels = delayed_xor(64, np.random.default_rng(7))
    shown = images.reshape(64, 2, 4, GROUP).all(axis=-1)
    assert (shown.sum(axis=2) == 1).all()
    assert not shown[:, 0, 2:].any()
    assert not shown[:, 1, :2].any()
    np.testing.assert_array_equal(labels, shown[:, 0, 1] != shown[:, 1, 3])
    assert set(labels) == {0, 1}


@pytest.mark.slow
def test_the_missing_paths_decide():
    """With a narrow surrogate exact learns delayed XOR, and classic stays at chance."""
    narrow, data = replace(RECIPES["delayed-xor"], a=0.05), load_dataset("delayed-xor")
    found = {
        rule: epochs(replace(narrow, rule=rule), data)[-1].test
        for rule in ("exact", "classic")
    }
    assert found["exact"] > 0.9
    assert found["classic"] < 0.6
