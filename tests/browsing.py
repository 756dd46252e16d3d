"""Find and launch Chromium, and serve the built site, for the browser tests."""

import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from tools.site import SITE
from tools.site.serve import server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
GATE = Path(tempfile.gettempdir(), f"go-on-{os.getpid()}")  # a pipe: see reader.go_on
SUBPATH = "under/a/path"  # the site must not care where it is
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def script(name):
    """Return what a test asks a page, from the file of this name."""
    return (Path(__file__).parent / "site" / f"{name}.js").read_text(encoding="utf-8")


def find():
    """Return the path of a Chromium: $CHROMIUM, or the first on the path."""
    paths = (
        shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name
    )
    return next((path for path in paths if path), None)


@contextmanager
def launched():
    """Run Chromium while the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(site=SITE, below=SUBPATH):
    """Serve the site below a path on a free port while the block runs; yield its address."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "root", below)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(site.resolve(), target_is_directory=True)
        if below:  # else the root is the site itself
            Path(folder, "root", "go-on").symlink_to(GATE)
        with server(Path(folder, "root"), port=0) as running:
            threading.Thread(target=running.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{running.server_port}/{f'{below}/'.lstrip('/')}"
            running.shutdown()
