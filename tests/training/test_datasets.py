"""Data sets: the digits, those by name, folders with files that are damaged, and the catalogue."""

import hashlib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training import split
from stbp_edu.training.data import (
    digits,
    load_dataset,
    load_digits,
    validation,
)
from stbp_edu.training.data.idx import NAMES
from tests.idx_files import put

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_digits_are_the_digits_and_credited() -> None:
    images, labels = digits()
    grey = np.round(images * 16).astype(np.uint8)
    np.testing.assert_array_equal(grey / 16, images)
    assert np.bincount(labels).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]
    assert hashlib.sha256(grey.tobytes() + labels.tobytes()).hexdigest() == SHA256
    words = (resources.files("stbp_edu.training") / "data" / "CREDITS.md").read_text(
        "utf-8"
    )
    for needed in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert needed in words


def test_no_image_is_in_two_parts() -> None:
    assert (
        load_digits().fingerprint() == load_dataset("digits").fingerprint()
    )  # each time
    images, labels = np.arange(60, dtype=np.uint8).reshape(60, 1, 1), np.arange(60) % 3
    data = split(images, labels, np.random.default_rng(0))
    assert np.bincount(data.test_labels).tolist() == [4, 4, 4]  # a fifth of each class
    inner = validation(data, 0.25)
    parts = [inner.train_images, inner.test_images, data.test_images]
    assert sorted(np.concatenate(parts).ravel()) == list(range(60))
    np.testing.assert_array_equal(inner.test_images.ravel() % 3, inner.test_labels)


@pytest.mark.parametrize(
    ("where", "packed"),
    [("a given folder", False), ("a given folder", True), ("the cache", False)],
)
def test_files_are_read_where_they_are(
    install, raw, tmp_path: Path, where, packed
) -> None:
    cache, folder = tmp_path / "cache" / "stbp_edu" / "mnist", tmp_path / "mine"
    put(cache if where == "the cache" else folder, raw, packed)
    install()
    data = load_dataset("mnist", folder if where == "a given folder" else None)
    assert data.test_labels.tolist() == list(range(10))
    expected = np.frombuffer(raw["train-images-idx3-ubyte"], np.uint8, offset=16)
    np.testing.assert_array_equal(data.train_images.ravel(), expected)
    assert cache.exists() == (where == "the cache")


def test_a_folder_that_lacks_a_file_or_holds_another(
    install, raw, tmp_path: Path
) -> None:
    install()
    folder = put(tmp_path / "mine", {k: v for k, v in raw.items() if k != NAMES[3]})
    with pytest.raises(
        FileNotFoundError, match=f"must hold {NAMES[3]} or {NAMES[3]}.gz"
    ):
        load_dataset("mnist", folder)
    put(folder, {NAMES[3]: raw[NAMES[1]]})
    with pytest.raises(ValueError, match=f"must be Small's {NAMES[3]} with SHA-256"):
        load_dataset("mnist", folder)
