from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training.data import sources
from stbp_edu.training.data.catalogue import FASHION, FILES, MNIST, SOURCES
from tests.folders import put


@pytest.mark.parametrize("packed", [False, True])
def test_a_given_folder_is_read(installed, raw, tmp_path: Path, packed: bool) -> None:
    data = sources.load("mnist", put(tmp_path / "mine", raw, packed))
    assert data.train_images.shape == (20, 4, 5)
    assert data.test_labels.tolist() == list(range(10))
    expected = np.frombuffer(raw["train-images-idx3-ubyte"], np.uint8, offset=16)
    np.testing.assert_array_equal(data.train_images.ravel(), expected)
    assert not (tmp_path / "cache").exists()


def test_the_cache_is_taken_without_asking_anybody(installed, raw, tmp_path: Path) -> None:
    put(tmp_path / "cache" / "stbp_edu" / "mnist", raw)
    said: list[str] = []
    assert len(sources.load("mnist", tell=said.append).train_labels) == 20
    assert said == []


def test_a_cache_that_cannot_be_written_is_told_and_no_obstacle(
    installed, raw, mirror, tmp_path: Path, monkeypatch
) -> None:
    url, _ = mirror
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    said: list[str] = []
    assert len(sources.load("mnist", tell=said.append).train_labels) == 20
    assert sum("could not be kept in" in s and "set XDG_CACHE_HOME" in s for s in said) == 4
    folder = put(tmp_path / "share", raw, packed=True)
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, folders=(str(folder),)))
    assert len(sources.load("mnist").train_labels) == 20


def test_without_a_home_the_words_say_what_to_set(monkeypatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(OSError, match="set XDG_CACHE_HOME, or pass --data"):
        sources.load("mnist")


def test_a_package_archive_is_the_last_resort(installed, raw, monkeypatch) -> None:
    packed = {f"{n}.gz": gzip.compress(d) for n, d in raw.items()}
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, archive=lambda: packed))
    assert len(sources.load("mnist").train_labels) == 20


def test_a_system_package_is_found_where_it_is_installed(
    installed, raw, tmp_path: Path, monkeypatch
) -> None:
    folder = put(tmp_path / "share", raw, packed=True)
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, folders=(str(folder),)))
    said: list[str] = []
    assert len(sources.load("mnist", tell=said.append).train_labels) == 20
    assert said == []


def test_without_a_network_the_words_say_what_to_do(installed, monkeypatch) -> None:
    offline = replace(installed, mirrors=("http://127.0.0.1:9/none",))
    monkeypatch.setitem(SOURCES, "mnist", offline)
    with pytest.raises(FileNotFoundError) as caught:
        sources.load("mnist")
    for words in (
        "Small is not here and could not be fetched",
        "127.0.0.1:9",
        "the package client is not installed",
        "ask for them",
        "--data",
        "stbp-edu train digits",
    ):
        assert words in str(caught.value)


def test_a_folder_that_lacks_a_file_or_holds_another(installed, raw, tmp_path: Path) -> None:
    folder = put(tmp_path / "mine", {k: v for k, v in raw.items() if k != FILES[3]})
    with pytest.raises(FileNotFoundError, match=f"must hold {FILES[3]} or {FILES[3]}.gz"):
        sources.load("mnist", folder)
    put(folder, {FILES[3]: raw[FILES[1]]})
    with pytest.raises(ValueError, match=f"must be Small's {FILES[3]} with SHA-256"):
        sources.load("mnist", folder)


def test_other_classes_are_found(installed, raw, tmp_path: Path, monkeypatch) -> None:
    changed = replace(installed, counts=((4,) * 5, (1,) * 10))
    monkeypatch.setitem(SOURCES, "mnist", changed)
    with pytest.raises(ValueError, match=r"the train labels of Small must count \(4, 4, 4, 4, 4\)"):
        sources.load("mnist", put(tmp_path / "mine", raw))


def test_names_and_digits() -> None:
    with pytest.raises(ValueError, match="dataset must be one of 'digits', 'mnist', 'fashion'"):
        sources.load("cifar")
    with pytest.raises(ValueError, match="data must not be given for the digits"):
        sources.load("digits", Path("x"))
    assert len(sources.load("digits").train_labels) == 1438
    for known in (MNIST, FASHION):
        assert [sum(c) for c in known.counts] == [60000, 10000]
        assert all(len(d) == 64 for d in known.digests)
