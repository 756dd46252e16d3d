"""Serve the built site as a static host does: with the right types, and its own page for errors.

python -m tools.site.serve [--port 8000]
"""

import argparse
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.site import SITE


class Handler(SimpleHTTPRequestHandler):
    """Serves files, and does not depend on what this machine says of their types."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Send the site's own page where a file is missing."""
        page = Path(self.directory) / "404.html"
        if code == HTTPStatus.NOT_FOUND and page.is_file():
            self.error_message_format = page.read_text(encoding="utf-8").replace(
                "%", "%%"
            )
        super().send_error(code, message, explain)


def server(root: Path = SITE, port: int = 8000) -> ThreadingHTTPServer:
    """Return a server of a folder; port 0 lets the system choose."""
    handler = partial(Handler, directory=str(root))
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve the built site.")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if not (SITE / "index.html").is_file():
        raise SystemExit(
            f"{SITE} holds no site; build it with: python -m tools.site.build"
        )
    try:
        running = server(SITE, options.port)
    except OSError as error:
        raise SystemExit(f"{error}; choose another port with --port") from error
    with running:
        where = f"http://127.0.0.1:{running.server_port}/"
        print(f"the site is at {where} (Ctrl+C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            running.serve_forever()


if __name__ == "__main__":
    main()
