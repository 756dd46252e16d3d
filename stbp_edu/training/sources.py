"""Where each data set comes from: a given folder, the cache, mirrors, and package archives.

Whatever the source, a file counts only if its SHA-256 is the known one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stbp_edu import checks
from stbp_edu.training import idx
from stbp_edu.training.catalogue import FILES, PARTS, SOURCES, Source
from stbp_edu.training.datasets import Dataset, load_digits
from stbp_edu.training.download import Tell, UnavailableError, fetch
from stbp_edu.training.files import write_whole


def load(name: str, folder: Path | None = None, tell: Tell = lambda _: None) -> Dataset:
    """Return a data set: ``"digits"``, ``"mnist"`` or ``"fashion"``.

    Args:
        name: which one.
        folder: where its four IDX files are, packed or not; the digits need none.
        tell: is called with a sentence whenever something is fetched.

    Raises:
        ValueError: if a file is damaged or another, or the name is unknown.
        FileNotFoundError: if the folder lacks a file, or no source can be reached.
    """
    checks.choice("dataset", name, ("digits", *SOURCES))
    if name == "digits":
        if folder is not None:
            raise ValueError(
                f"data must not be given for the digits, which come inside the package, got "
                f"{str(folder)!r}; leave it out"
            )
        return load_digits()
    source = SOURCES[name]
    if folder is not None:
        return build(source, from_folder(source, folder))
    return build(source, gather(source, cache_folder() / name, tell))


def cache_folder() -> Path:
    """Return the folder of this package in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "stbp_edu"


def from_folder(source: Source, folder: Path) -> dict[str, bytes]:
    """Return the four files of a folder, checked."""
    found = {}
    for file in FILES:
        data = idx.read(folder, file)
        if data is None:
            raise FileNotFoundError(
                f"{folder} must hold {file} or {file}.gz for {source.title}, and does not; "
                f"the four files are {', '.join(FILES)}"
            )
        found[file] = checked(source, file, data, str(folder / file))
    return found


def checked(source: Source, file: str, data: bytes, place: str) -> bytes:
    """Return the data if its SHA-256 is the known one."""
    want = source.digests[FILES.index(file)]
    if (got := hashlib.sha256(data).hexdigest()) != want:
        raise ValueError(
            f"{place} must be {source.title}'s {file} with SHA-256 {want}, got {got} "
            f"({len(data)} bytes unpacked); it is damaged or another file: fetch it again"
        )
    return data


def gather(source: Source, cache: Path, tell: Tell) -> dict[str, bytes]:
    """Return the four files, from the cache or from the first source that has them."""
    reasons: list[str] = []
    found: dict[str, bytes] = {}
    for origin in (_cached, _installed, _mirrored, _archived):
        for file, data, place in origin(source, cache, set(FILES) - set(found), reasons, tell):
            try:
                found[file] = checked(source, file, data, place)
            except ValueError as error:
                reasons.append(str(error))
                continue
            if origin is not _cached:
                write_whole(cache / file, lambda out, data=data: out.write(data))  # type: ignore[misc]
        if len(found) == len(FILES):
            return found
    raise FileNotFoundError(
        f"{source.title} is not here and could not be fetched:\n  "
        + "\n  ".join(reasons)
        + f"\nWith a network, try again. Or get the files elsewhere ({source.hint}) and pass "
        "their folder with --data. The digits need no network: stbp-edu train digits"
    )


Found = Iterator[tuple[str, bytes, str]]


def _cached(source: Source, cache: Path, files: set[str], reasons: list[str], tell: Tell) -> Found:
    """Yield what the cache has."""
    for file in sorted(files):
        if (data := idx.read(cache, file)) is not None:
            yield file, data, str(cache / file)


def _installed(s: Source, cache: Path, files: set[str], reasons: list[str], tell: Tell) -> Found:
    """Yield what a system package has put on this machine."""
    for folder in map(Path, s.folders):
        for file in sorted(files):
            if (data := idx.read(folder, file)) is not None:
                yield file, data, str(folder / file)


def _mirrored(s: Source, cache: Path, files: set[str], reasons: list[str], tell: Tell) -> Found:
    """Yield what the mirrors send; a mirror that fails once is not asked again."""
    left = set(files)
    for mirror in s.mirrors:
        for file in sorted(left):
            part = cache / f"{file}.gz.part"
            tell(f"{s.title}: fetching {file} from {mirror}")
            try:
                data = idx.unpack(fetch(f"{mirror}/{file}.gz", part), f"{mirror}/{file}.gz")
            except UnavailableError as error:
                reasons.append(str(error))
                break
            except ValueError as error:
                reasons.append(str(error))
                part.unlink(missing_ok=True)
                continue
            part.unlink(missing_ok=True)
            yield file, data, f"{mirror}/{file}.gz"
            left.discard(file)


def _archived(s: Source, cache: Path, files: set[str], reasons: list[str], tell: Tell) -> Found:
    """Yield what a package archive holds."""
    tell(f"{s.title}: fetching it through the package client ({s.hint})")
    try:
        members = s.archive()
    except UnavailableError as error:
        reasons.append(str(error))
        return
    for name, data in members.items():
        if (file := name.removesuffix(".gz")) in files:
            yield file, idx.unpack(data, name), name


def build(source: Source, files: dict[str, bytes]) -> Dataset:
    """Parse the four files and check the classes."""
    arrays = []
    for part, counts in zip(PARTS, source.counts, strict=True):
        images = idx.parse(files[f"{part}-images-idx3-ubyte"], f"{part} images", 3)
        labels = idx.parse(files[f"{part}-labels-idx1-ubyte"], f"{part} labels", 1)
        if (got := tuple(np.bincount(labels, minlength=len(counts)).tolist())) != counts:
            raise ValueError(
                f"the {part} labels of {source.title} must count {counts} for each class, got "
                f"{got}; this is another data set: check the folder"
            )
        arrays += [images, labels]
    return Dataset(*arrays)
