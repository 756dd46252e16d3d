"""The server of the built site answers every address, also one that names no file."""

from http.client import HTTPConnection
from threading import Thread

import pytest

from tools.site.serve import server

ADDRESSES = [("/", 200), ("/a.mjs", 200), ("/none", 404), ("/../secret", 404)]


@pytest.mark.parametrize(("address", "status"), ADDRESSES)
def test_every_address_gets_an_answer_from_the_site_alone(address, status, tmp_path):
    (tmp_path / "secret").write_text("not of the site")
    site = tmp_path / "site"
    site.mkdir()
    for name in ("index.html", "page.html", "a.mjs"):
        (site / name).write_text("a page")
    (site / "404.html").write_text("100 % lost")
    with server(site, port=0) as running:
        Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        connection = HTTPConnection("127.0.0.1", running.server_port, timeout=60)
        connection.request("GET", address)
        answer = connection.getresponse()
        assert answer.status == status
        kind = "text/javascript" if address == "/a.mjs" else "text/html"
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.read() == (b"a page" if status == 200 else b"100 % lost")
        connection.close()
        running.shutdown()
