"""Serve the built site as a static host does: with the right types, and text gzipped.

python -m tools.site.serve [--port 8000] [--root site]
"""

import argparse
import gzip
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.site import SITE

TRIES = 20
SUBPATH = "under/a/path"  # the site must not care where it is
PACKED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".xml", ".py", ".wasm"}


class Handler(SimpleHTTPRequestHandler):
    """Serves files; text goes gzipped, as hosts of static pages do."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".py": "text/plain",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        ".whl": "application/octet-stream",
        ".woff2": "font/woff2",
        ".ipynb": "application/x-ipynb+json",
    }

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Serve a file, gzipped if the browser accepts that."""
        path = Path(self.translate_path(self.path))
        packs = "gzip" in self.headers.get("Accept-Encoding", "")
        if packs and path.is_dir() and self.path.split("?")[0].endswith("/"):
            path = path / "index.html"
        if not (packs and path.is_file() and path.suffix in PACKED):
            super().do_GET()
            return
        body = _packed(path, path.stat().st_mtime_ns)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the reader has gone
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Show the site's own page where a file is missing."""
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@lru_cache(maxsize=512)
def _packed(path: Path, _modified: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


def server(root: Path = SITE, port: int = 8000, tries: int = TRIES) -> ThreadingHTTPServer:
    """Return a server on the first free port from ``port`` on; 0 lets the system choose."""

    def handler(*args: object) -> Handler:
        return Handler(*args, directory=str(root))  # type: ignore[arg-type]

    for candidate in range(port, port + max(1, tries)):
        try:
            return ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError:
            print(f"port {candidate} is in use, trying the next one", flush=True)
    raise SystemExit(f"no free port from {port} to {port + tries - 1}; choose one with --port")


@contextmanager
def served(site: Path = SITE, below: str = SUBPATH) -> Iterator[str]:
    """Serve the site below a path on a free port while the block runs; yield its address."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "root", below)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(site.resolve(), target_is_directory=True)
        with server(Path(folder, "root"), port=0, tries=1) as running:
            threading.Thread(target=running.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{running.server_port}/{f'{below}/'.lstrip('/')}"
            running.shutdown()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve the built site.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--root", type=Path, default=SITE)
    options = parser.parse_args()
    if not (options.root / "index.html").is_file():
        raise SystemExit(f"{options.root} holds no site; build it with: python -m tools.site.build")
    with server(options.root, options.port) as running:
        print(
            f"the site is at http://127.0.0.1:{running.server_port}/ (Ctrl+C ends it)", flush=True
        )
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
