"""Files from mirrors: what is damaged or something else is never taken for good."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from stbp_edu.training.data import sources
from stbp_edu.training.data.catalogue import FILES, SOURCES
from tests.folders import put


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


def test_two_that_fetch_at_once_fetch_once(installed, mirror, monkeypatch) -> None:
    """The second waits for the lock, and finds what the first has fetched."""
    url, handler = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: sources.load("mnist"), range(2)))
    assert [len(d.train_labels) for d in found] == [20, 20]
    assert len(handler.asked) == 4
