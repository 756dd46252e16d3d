"""Small data and settings that every test of the training can use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.training.datasets import Dataset, load_digits
from stbp_edu.training.settings import Settings


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_digits()


@pytest.fixture(scope="session")
def few(digits: Dataset) -> Dataset:
    """Two hundred digits to learn from, fifty held out."""
    return Dataset(
        digits.train_images[:200],
        digits.train_labels[:200],
        digits.test_images[:50],
        digits.test_labels[:50],
    )


@pytest.fixture(scope="session")
def bytes_few(few: Dataset) -> Dataset:
    """The same digits as bytes."""
    return replace(
        few,
        train_images=np.round(few.train_images * 255).astype(np.uint8),
        test_images=np.round(few.test_images * 255).astype(np.uint8),
    )


@pytest.fixture
def small() -> Settings:
    return Settings(hidden=(20,), T=4, batch=20, epochs=2)
