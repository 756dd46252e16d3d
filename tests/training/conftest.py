"""Small data and settings that every test of the training can use."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu.training.data import CATALOGUE, Dataset, load_digits
from stbp_edu.training.data.datasets import IdxDataset
from stbp_edu.training.settings import Settings
from tests.idx_files import small_files, sums

NOBODY = "http://127.0.0.1:9/none"  # the discard port: nobody listens


@pytest.fixture(scope="session")
def few():
    """Two hundred digits to learn from, fifty held out."""
    d = load_digits()
    train, held_out = (d.train_images[:200], d.train_labels[:200]), d.test_images[:50]
    return Dataset(*train, held_out, d.test_labels[:50])


@pytest.fixture(scope="session")
def bytes_few(few):
    """The same digits as bytes."""
    train, test = (
        np.round(images * 255).astype(np.uint8)
        for images in (few.train_images, few.test_images)
    )
    return replace(few, train_images=train, test_images=test)


@pytest.fixture
def small():
    return Settings(hidden=(20,), T=4, batch=20, epochs=2)


@pytest.fixture(scope="module")
def raw():
    """Four small IDX files: 20 images to learn from and 10 held out."""
    return small_files()


@pytest.fixture
def install(raw, monkeypatch, tmp_path):
    """A function that puts a data set with these files in MNIST's place, with its own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def put_in_place(url=NOBODY):
        source = IdxDataset("mnist", "Small", url, sums(raw))
        entry = replace(CATALOGUE["mnist"], load=source.load)
        monkeypatch.setitem(CATALOGUE, "mnist", entry)

    return put_in_place
