"""The zip of the site, and the server."""

import http.client
import socket
import threading
import zipfile
from pathlib import Path

import pytest

from tools.site import build, serve


def test_a_busy_port_gives_another_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The next free port is taken, and said; types are right; a missing file is a 404."""
    (tmp_path / "a.mjs").write_text("export {}")
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with serve.server(tmp_path, port) as running:
            assert running.server_port > port
            assert f"port {port} is in use" in capsys.readouterr().out
            threading.Thread(target=running.serve_forever, daemon=True).start()
            connection = http.client.HTTPConnection("127.0.0.1", running.server_port)
            connection.request("GET", "/a.mjs")
            answer = connection.getresponse()
            assert answer.headers["Content-Type"].startswith("text/javascript")
            assert answer.read() == b"export {}"
            connection.request("GET", "/b")
            assert connection.getresponse().status == 404
            connection.close()
            running.shutdown()


def test_the_zip_holds_the_whole_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is in it, with a word on how to open it, and the same site gives the same zip."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text("page")
    monkeypatch.setattr(build, "SITE", tmp_path)
    build.pack()
    first = (tmp_path / "stbp_edu-site.zip").read_bytes()
    build.pack()
    assert (tmp_path / "stbp_edu-site.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "stbp_edu-site.zip") as archive:
        assert archive.namelist() == ["stbp_edu-site/README.txt", "stbp_edu-site/a/index.html"]
