"""Find and install Chromium, for the browser tests.

``python -m tools.browser`` exits with an error where no browser can be had and CI is set.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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
