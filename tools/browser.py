"""Find Chromium for the browser tests, or bring Debian's where that is possible.

Run as ``python -m tools.browser``: exits with a sentence where no browser can be had and CI is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Return the path of a Chromium: $CHROMIUM, or the first on the path."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    return next((path for path in found if path), None)


def install() -> None:
    """Install Debian's package, where apt and root are at hand."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", "-qq", *command], check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Make sure that there is a browser."""
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
