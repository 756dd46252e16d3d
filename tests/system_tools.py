"""The programs that tests need beside Python."""

import os
import shutil

import pytest


def needed(name: str, package: str) -> str:
    """Return the path of a program; without it skip the test, or fail where CI is set."""
    if path := shutil.which(name):
        return path
    message = f"{name} is missing: on Debian, apt-get install {package}"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
