from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training.data import (
    Dataset,
    digits,
    load_dataset,
    load_digits,
    split,
    validation,
)
from stbp_edu.training.data.sources import NAMES, SOURCES
from tests.idx_files import put

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_digits_are_the_digits() -> None:
    images, labels = digits()
    grey = np.round(images * 16).astype(np.uint8)
    np.testing.assert_array_equal(grey / 16, images)
    assert images.shape == (1797, 8, 8)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert hashlib.sha256(grey.tobytes() + labels.tobytes()).hexdigest() == SHA256


def test_the_digits_are_credited() -> None:
    words = (resources.files("stbp_edu.training") / "data" / "CREDITS.md").read_text("utf-8")
    for needed in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert needed in words


def test_a_fifth_of_each_class_is_held_out_the_same_each_time() -> None:
    data, again = load_digits(), load_digits()
    np.testing.assert_array_equal(data.test_images, again.test_images)
    whole = np.bincount(digits()[1])
    np.testing.assert_array_equal(np.bincount(data.test_labels), np.round(whole / 5))
    np.testing.assert_array_equal(
        np.bincount(data.train_labels) + np.bincount(data.test_labels), whole
    )
    assert data.shape == (8, 8)


def test_no_image_is_in_both_parts() -> None:
    images, labels = np.arange(60.0).reshape(60, 1, 1), np.arange(60) % 3
    data = split(images, labels, np.random.default_rng(0))
    train, test = set(data.train_images.ravel()), set(data.test_images.ravel())
    assert not train & test
    assert len(train | test) == 60
    np.testing.assert_array_equal(data.test_images.ravel() % 3, data.test_labels)


def test_validation_takes_nothing_from_the_test_images() -> None:
    data = load_digits()
    inner = validation(data)
    held = {i.tobytes() for i in data.test_images}
    outside = {i.tobytes() for i in data.train_images}
    assert {i.tobytes() for i in inner.test_images} <= outside
    assert len(inner.train_labels) + len(inner.test_labels) == len(data.train_labels)
    assert len({i.tobytes() for i in inner.train_images} & held) <= len(outside & held)


def test_bad_input_is_named() -> None:
    images, labels, rng = np.zeros((10, 2, 2)), np.zeros(10, int), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"fraction must be in \(0, 1\), got 1.0"):
        split(images, labels, rng, fraction=1.0)
    with pytest.raises(ValueError, match="train_labels must be integers from 0, got float64"):
        Dataset(images, labels * 1.0, images, labels)
    with pytest.raises(ValueError, match="train_labels must be integers from 0, got int64 from -1"):
        Dataset(images, labels - 1, images, labels)
    with pytest.raises(
        ValueError, match=r"test_images must be of the size .*\(2, 2\), got \(2, 3\)"
    ):
        Dataset(images, labels, np.zeros((10, 2, 3)), labels)
    with pytest.raises(ValueError, match="test_images must have shape"):
        split(images[:2], labels[:2], rng, fraction=0.2)
    with pytest.raises(ValueError, match=r"train_labels \(n,\), got \(10, 2, 2\) and \(9,\)"):
        Dataset(images, labels[:9], images, labels)


@pytest.mark.parametrize("packed", [False, True])
def test_a_given_folder_is_read(installed, raw, tmp_path: Path, packed: bool) -> None:
    data = load_dataset("mnist", put(tmp_path / "mine", raw, packed))
    assert data.train_images.shape == (20, 4, 5)
    assert data.test_labels.tolist() == list(range(10))
    expected = np.frombuffer(raw["train-images-idx3-ubyte"], np.uint8, offset=16)
    np.testing.assert_array_equal(data.train_images.ravel(), expected)
    assert not (tmp_path / "cache").exists()


def test_the_cache_is_taken_without_asking_anybody(installed, raw, tmp_path: Path) -> None:
    put(tmp_path / "cache" / "stbp_edu" / "mnist", raw)
    said: list[str] = []
    assert len(load_dataset("mnist", tell=said.append).train_labels) == 20
    assert said == []


def test_a_system_package_is_found_where_it_is_installed(
    installed, raw, tmp_path: Path, monkeypatch
) -> None:
    folder = put(tmp_path / "share", raw, packed=True)
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, folders=(str(folder),)))
    said: list[str] = []
    assert len(load_dataset("mnist", tell=said.append).train_labels) == 20
    assert said == []


def test_a_folder_that_lacks_a_file_or_holds_another(installed, raw, tmp_path: Path) -> None:
    folder = put(tmp_path / "mine", {k: v for k, v in raw.items() if k != NAMES[3]})
    with pytest.raises(FileNotFoundError, match=f"must hold {NAMES[3]} or {NAMES[3]}.gz"):
        load_dataset("mnist", folder)
    put(folder, {NAMES[3]: raw[NAMES[1]]})
    with pytest.raises(ValueError, match=f"must be Small's {NAMES[3]} with SHA-256"):
        load_dataset("mnist", folder)


def test_without_a_home_the_words_say_what_to_set(monkeypatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(OSError, match="set XDG_CACHE_HOME, or pass --data"):
        load_dataset("mnist")


def test_names_and_digits() -> None:
    with pytest.raises(ValueError, match="dataset must be one of 'digits', 'digits-by-rows'"):
        load_dataset("cifar")
    with pytest.raises(ValueError, match="data must not be given for digits"):
        load_dataset("digits", Path("x"))
    assert len(load_dataset("digits").train_labels) == 1438
    for source in SOURCES.values():
        sizes = [16 + 60_000 * 28**2, 8 + 60_000, 16 + 10_000 * 28**2, 8 + 10_000]
        assert [file.size for file in source.files] == sizes
        assert all(len(file.sha256) == 64 for file in source.files)
