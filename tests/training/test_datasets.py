"""Data sets: the digits, those by name, folders with files that are damaged, and the catalogue."""

import hashlib
from importlib import resources

import numpy as np
import pytest

from stbp_edu.training import split
from stbp_edu.training.data import digits, load_dataset, load_digits, validation
from stbp_edu.training.data.idx import NAMES
from tests.idx_files import put

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_digits_are_the_digits_and_credited():
    images, labels = digits()
    grey = np.round(images * 16).astype(np.uint8)
    np.testing.assert_array_equal(grey / 16, images)
    assert hashlib.sha256(grey.tobytes() + labels.tobytes()).hexdigest() == SHA256
    words = (resources.files("stbp_edu.training") / "data" / "CREDITS.md").read_text()
    assert all(w in words for w in ("Alpaydin", "10.24432/C50P49", "CC BY 4.0"))


def test_no_image_is_in_two_parts():
    assert load_digits().fingerprint() == load_dataset("digits").fingerprint()
    images, labels = np.arange(60, dtype=np.uint8).reshape(60, 1, 1), np.arange(60) % 3
    data = split(images, labels, np.random.default_rng(0))
    assert np.bincount(data.test_labels).tolist() == [4, 4, 4]  # a fifth of each class
    inner = validation(data, 0.25)
    parts = [inner.train_images, inner.test_images, data.test_images]
    assert sorted(np.concatenate(parts).ravel()) == list(range(60))
    np.testing.assert_array_equal(inner.test_images.ravel() % 3, inner.test_labels)


@pytest.mark.parametrize("packed", [False, True])
def test_files_are_read_where_they_are(install, raw, tmp_path, packed):
    install()
    folder = put(tmp_path / "mine", raw, packed)
    data = load_dataset("mnist", folder)
    assert data.test_labels.tolist() == list(range(10))
    expected = np.frombuffer(raw["train-images-idx3-ubyte"], np.uint8, offset=16)
    np.testing.assert_array_equal(data.train_images.ravel(), expected)
    assert not (tmp_path / "cache").exists()
    for path in folder.glob(f"{NAMES[3]}*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=f"must hold {NAMES[3]} or {NAMES[3]}"):
        load_dataset("mnist", folder)
    put(folder, {NAMES[3]: raw[NAMES[1]]})
    with pytest.raises(ValueError, match=f"must be Small's {NAMES[3]} with SHA-256"):
        load_dataset("mnist", folder)
