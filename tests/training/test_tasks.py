"""Tasks of time: what is asked, and that it can be learned."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.training import RECIPES
from stbp_edu.training.data import load_dataset
from stbp_edu.training.data.recipes import GROUP, delayed_xor
from tests.runs import epochs


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _cues(images: np.ndarray) -> np.ndarray:
    """Return which groups of inputs each row lights up, (n, rows, groups)."""
    return images.reshape(*images.shape[:2], -1, GROUP).all(axis=-1)


def test_delayed_xor_is_the_xor_of_its_cues(rng) -> None:
    images, labels = delayed_xor(64, rng)
    shown = _cues(images)
    assert (
        shown.sum(axis=2) == 1
    ).all()  # one group a row, A's in the first and B's in the second
    assert not shown[:, 0, 2:].any()
    assert not shown[:, 1, :2].any()
    np.testing.assert_array_equal(labels, shown[:, 0, 1] != shown[:, 1, 3])
    assert set(labels) == {0, 1}


@pytest.mark.slow
def test_the_missing_paths_decide() -> None:
    """With a narrow surrogate exact learns delayed XOR, and classic stays at chance."""
    narrow, data = replace(RECIPES["delayed-xor"], a=0.05), load_dataset("delayed-xor")
    exact, classic = (
        epochs(replace(narrow, rule=r), data)[-1].test for r in ("exact", "classic")
    )
    assert exact > 0.9
    assert classic < 0.6
