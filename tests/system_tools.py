"""The programs that the tests need beside Python, and where they come from.

``python -m tests.system_tools`` installs the missing ones, where apt-get can. It exits with
an error if one is still missing and CI is set.
"""

import os
import shutil
import subprocess
import sys

import pytest

PACKAGES = {"coqc": "coq", "chromium": "chromium"}
"""By program, Debian's package that has it."""


def missing() -> list[str]:
    """Return the names of the programs that are not on the path."""
    return [name for name in PACKAGES if find(name) is None]


def find(name: str) -> str | None:
    """Return the path of a program; a browser may have another name."""
    if name != "chromium":
        return shutil.which(name)
    from tests import browsing

    return browsing.find()


def needed(name: str) -> str:
    """Return the path of a program; without it skip the test, or fail where CI is set."""
    path = find(name)
    if path is not None:
        return path
    message = f"{name} is missing: on Debian, apt-get install {PACKAGES[name]}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def install(names: list[str]) -> None:
    """Install programs as Debian's packages, if apt-get is there and we are root."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    apt_get = ["apt-get", "-qq"]
    packages = [PACKAGES[name] for name in names]
    silent = subprocess.DEVNULL
    subprocess.run([*apt_get, "update"], check=True, stdout=silent)
    subprocess.run(
        [*apt_get, "install", "-y", "--no-install-recommends", *packages],
        check=True,
        stdout=silent,
    )


def main() -> int:
    """Install what is missing, and return the exit status."""
    if missing():
        install(missing())
    for name in missing():
        print(f"missing: {name} (Debian's package {PACKAGES[name]})", file=sys.stderr)
    if missing():
        return 1 if os.environ.get("CI") else 0
    print("found:", ", ".join(PACKAGES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
