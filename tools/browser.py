"""Find, install and launch Chromium, for the browser tests and the measurements.

``python -m tools.browser`` exits with an error where no browser can be had and CI is set.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def find() -> str | None:
    """Return the path of a Chromium: $CHROMIUM, or the first on the path."""
    paths = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    return next((path for path in paths if path), None)


def install() -> None:
    """Install Debian's Chromium, if apt-get is there and we are root."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", "-qq", *command], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def launched() -> "Iterator[Browser]":
    """Run Chromium while the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def main() -> int:
    """Install Chromium if it is missing, and return the exit status."""
    if find() is None:
        install()
    path = find()
    if path:
        print(f"browser: {path}")
        return 0
    print("browser: no Chromium found; install one or set CHROMIUM=/path/to/it", file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
