from __future__ import annotations

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training import sources
from stbp_edu.training.catalogue import FASHION, FILES, MNIST, SOURCES, Source
from stbp_edu.training.download import UnavailableError


@pytest.fixture
def source(raw: dict[str, bytes]) -> Source:
    """A source of these files, with no place to fetch them from."""

    def nowhere() -> dict[str, bytes]:
        raise UnavailableError("the package client is not installed")

    return Source(
        title="Small",
        digests=tuple(hashlib.sha256(raw[f]).hexdigest() for f in FILES),
        counts=((2,) * 10, (1,) * 10),
        folders=(),
        mirrors=(),
        archive=nowhere,
        hint="ask for them",
    )


@pytest.fixture
def installed(source: Source, monkeypatch, tmp_path: Path) -> Source:
    """The same under the name mnist, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(SOURCES, "mnist", source)
    return source


def put(folder: Path, files: dict[str, bytes], packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)
    return folder


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


def test_mirrors_fill_the_cache(installed, raw, mirror, tmp_path: Path, monkeypatch) -> None:
    url, handler = mirror
    broken = "http://127.0.0.1:9/none"  # the discard port: nobody listens
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(broken, url)))
    said: list[str] = []
    assert len(sources.load("mnist", tell=said.append).test_labels) == 10
    assert sum(broken in s for s in said) == 1  # a mirror that fails is not asked again
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw
    asked = len(handler.asked)
    sources.load("mnist")
    assert len(handler.asked) == asked == 4


def test_rubbish_is_never_taken_for_good(installed, raw, mirror, tmp_path, monkeypatch) -> None:
    """A mirror with another file, a half part of yesterday, a damaged cache: all found out."""
    url, handler = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    cache = put(tmp_path / "cache" / "stbp_edu" / "mnist", {FILES[0]: raw[FILES[0]][:-1] + b"x"})
    (cache / f"{FILES[1]}.gz.part").write_bytes(b"not what the mirror has")
    good = dict(handler.files)
    handler.files[f"{FILES[2]}.gz"] = gzip.compress(b"another file")
    handler.files[f"{FILES[3]}.gz"] = good[f"{FILES[3]}.gz"][:30]
    with pytest.raises(FileNotFoundError) as caught:
        sources.load("mnist")
    text = str(caught.value)
    assert f"must be Small's {FILES[0]} with SHA-256 {installed.digests[0]}" in text
    assert f"must be Small's {FILES[2]}" in text
    assert f"{FILES[3]}.gz must be a whole gzip file" in text
    assert {p.name for p in cache.iterdir()} <= {FILES[0], FILES[1]}
    handler.files.update(good)
    assert len(sources.load("mnist").train_labels) == 20
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw


def test_a_mirror_with_another_file_is_passed_over(
    installed, raw, mirror, tmp_path: Path, monkeypatch
) -> None:
    """The first mirror sends a page of HTML for one file, and a cut gzip file for another."""
    url, handler = mirror
    stale = f"{url}/stale"
    for name in raw:
        handler.files[f"stale/{name}.gz"] = handler.files[f"{name}.gz"]
    handler.files[f"stale/{FILES[0]}.gz"] = b"<html>please sign in</html>"
    handler.files[f"stale/{FILES[1]}.gz"] = handler.files[f"{FILES[1]}.gz"][:30]
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(stale, url)))
    assert len(sources.load("mnist").train_labels) == 20
    paths = [asked[0] for asked in handler.asked]
    assert len(paths) == 6  # four from the first, and the two from the second


def test_a_part_of_something_else_is_fetched_again_at_once(
    installed, raw, mirror, tmp_path: Path, monkeypatch
) -> None:
    url, _ = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    cache = put(tmp_path / "cache" / "stbp_edu" / "mnist", {})
    (cache / f"{FILES[0]}.gz.part").write_bytes(b"not what the mirror has")
    (cache / f"{FILES[1]}.gz.part").write_bytes(b"longer than the file " * 1000)  # 416
    assert len(sources.load("mnist").train_labels) == 20
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw


@pytest.mark.parametrize("where", ["cache", "system package", "archive"])
def test_a_damaged_copy_blocks_nobody(
    installed, raw, mirror, tmp_path: Path, monkeypatch, where: str
) -> None:
    """A gzip file that is cut short, in one place; the mirror has the right one."""
    url, _ = mirror
    cut = {f"{FILES[0]}.gz": gzip.compress(raw[FILES[0]])[:30]}
    bad = put(tmp_path / "share", cut)
    changed = replace(installed, mirrors=(url,))
    if where == "cache":
        put(tmp_path / "cache" / "stbp_edu" / "mnist", cut)
    elif where == "system package":
        changed = replace(changed, folders=(str(bad),))
    else:
        changed = replace(changed, mirrors=("http://127.0.0.1:9/none",), archive=lambda: cut)
    monkeypatch.setitem(SOURCES, "mnist", changed)
    if where == "archive":
        with pytest.raises(FileNotFoundError, match=r"must be a whole gzip file"):
            sources.load("mnist")
    else:
        assert len(sources.load("mnist").train_labels) == 20


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


def test_two_that_fetch_at_once_fetch_once(installed, mirror, monkeypatch) -> None:
    """The second waits for the lock, and finds what the first has fetched."""
    url, handler = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: sources.load("mnist"), range(2)))
    assert [len(d.train_labels) for d in found] == [20, 20]
    assert len(handler.asked) == 4


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
