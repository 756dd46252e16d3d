"""Data sets: the digits, those by name, files in folders and downloads, and their checksums."""

import gzip
import hashlib
from importlib import resources

import numpy as np
import pytest

from stbp_edu.training import split
from stbp_edu.training.data import digits, load_dataset, load_digits, validation
from stbp_edu.training.data.datasets import NAMES
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


@pytest.fixture
def served(raw, tmp_path):
    """A folder that stands for the web."""
    return put(tmp_path / "web", raw, packed=True)


def test_files_are_downloaded_once_and_kept_unpacked(install, raw, served, tmp_path):
    install(url=served.as_uri())
    assert len(load_dataset("mnist").test_labels) == 10
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == raw
    install()  # nobody serves them now
    assert len(load_dataset("mnist").test_labels) == 10


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (gzip.compress(b"another file"), "with SHA-256"),
        (gzip.compress(bytes(1000))[:20], "must be a whole gzip file"),
        (b"<html>not here</html>", "with SHA-256"),
    ],
    ids=["another file", "cut short", "not packed"],
)
def test_another_file_is_refused_and_not_kept(sent, words, install, served, tmp_path):
    install(url=served.as_uri())
    (served / f"{NAMES[2]}.gz").write_bytes(sent)
    with pytest.raises(FileNotFoundError, match=words):
        load_dataset("mnist")
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert sorted(path.name for path in cache.iterdir()) == sorted(NAMES[:2])


def test_without_a_network_the_error_says_what_to_do(install):
    install()
    with pytest.raises(FileNotFoundError, match=r"Small is not in .* --data.* digits"):
        load_dataset("mnist")
