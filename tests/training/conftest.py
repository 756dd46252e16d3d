"""Small data and settings that every test of the training can use."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training.data import CATALOGUE, Dataset, load_digits
from stbp_edu.training.data.idx import IdxDataset
from stbp_edu.training.settings import Settings
from tests.idx_files import small_files, sums

NOBODY = "http://127.0.0.1:9/none"  # the discard port: nobody listens


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_digits()


@pytest.fixture(scope="session")
def few(digits: Dataset) -> Dataset:
    """Two hundred digits to learn from, fifty held out."""
    train, held_out = ((a[:200] for a in (digits.train_images, digits.train_labels)),
                       (a[:50] for a in (digits.test_images, digits.test_labels)))  # fmt: skip
    return Dataset(*train, *held_out)


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


@pytest.fixture(scope="module")
def raw() -> dict[str, bytes]:
    """Four small IDX files: 20 images to learn from and 10 held out."""
    return small_files()


@pytest.fixture
def install(
    raw: dict[str, bytes], monkeypatch, tmp_path: Path
) -> Callable[..., IdxDataset]:
    """A function that puts a data set with these files in MNIST's place; nobody serves them.

    The cache is a folder of its own.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small = IdxDataset("mnist", "Small", NOBODY, sums(raw))

    def put_in_place(**changes: object) -> IdxDataset:
        source = replace(small, **changes)
        entry = replace(CATALOGUE["mnist"], load=source.load)
        monkeypatch.setitem(CATALOGUE, "mnist", entry)
        return source

    return put_in_place
