"""Data sets in IDX files: downloads and their checksums."""

import gzip
import http.server
import threading
from collections.abc import Iterator

import pytest

from stbp_edu.training.data import load_dataset
from stbp_edu.training.data.idx import NAMES
from tests.training.conftest import NOBODY


class Server(http.server.BaseHTTPRequestHandler):
    """Serves ``files`` and notes the names that are asked for."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.asked.append(name)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.files[name])))
        self.end_headers()
        self.wfile.write(self.files[name])

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(raw: dict[str, bytes]) -> Iterator[tuple[str, type[Server]]]:
    packed = {f"{name}.gz": gzip.compress(data) for name, data in raw.items()}
    handler = type("Handler", (Server,), {"files": packed, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/data", handler
        serving.shutdown()
        thread.join()


def test_files_are_downloaded_once_and_kept_unpacked(
    install, raw, server, tmp_path
) -> None:
    url, handler = server
    install(url=url)
    for _ in range(2):
        assert len(load_dataset("mnist").test_labels) == 10
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == raw
    assert handler.asked == [f"{name}.gz" for name in NAMES]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (gzip.compress(b"another file"), "with SHA-256"),
        (gzip.compress(bytes(1000))[:20], "must be a whole gzip file"),
        (b"<html>not here</html>", "with SHA-256"),
    ],
    ids=["another file", "cut short", "not packed"],
)
def test_another_file_is_refused_and_not_kept(
    sent, words, install, server, tmp_path
) -> None:
    url, handler = server
    install(url=url)
    handler.files[f"{NAMES[2]}.gz"] = sent
    with pytest.raises(FileNotFoundError, match=words):
        load_dataset("mnist")
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert sorted(path.name for path in cache.iterdir()) == sorted(NAMES[:2])


def test_without_a_network_the_error_says_what_to_do(install, tmp_path) -> None:
    install()
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("mnist")
    expected = ("Small is not in", NOBODY, "--data", "stbp-edu train digits")
    assert [words for words in expected if words not in str(caught.value)] == []
