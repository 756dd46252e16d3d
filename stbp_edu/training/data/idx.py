"""Data sets in four IDX files, as MNIST is: read from a folder, or fetched once.

An IDX file of bytes has four bytes of magic, the shape as big-endian integers, and the bytes. Each
file is known by the SHA-256 of its unpacked content, wherever it comes from.
"""

import gzip
import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.files import write_whole
from stbp_edu.training.data.datasets import Dataset, cache_folder

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of MNIST, and of each data set in its form."""
GZIP = b"\x1f\x8b"  # the first bytes of a gzip file
PATIENCE = 60  # seconds for an answer from the web


@dataclass(frozen=True)
class IdxDataset:
    """A data set in four IDX files.

    Attributes:
        name: its folder in the cache.
        title: its name in prose.
        url: the web folder of the packed files, each named as the unpacked one with ``.gz``.
        sha256: the checksums of the unpacked files, in the order of :data:`NAMES`.
    """

    name: str
    title: str
    url: str
    sha256: Sequence[str]

    def load(self, folder: Path | None) -> Dataset:
        """Return the data set from a folder, or from the cache, after downloading missing files.

        Raises:
            FileNotFoundError: if the folder lacks a file, or the web cannot be reached.
            ValueError: if a file is not the known one.
        """
        return Dataset(*(idx_array(self.read(folder, name)) for name in NAMES))

    def read(self, folder: Path | None, name: str) -> bytes:
        """Return the content of a file in a folder, where it may be packed, or in the cache."""
        place = folder or cache_folder() / self.name
        for there in (name, f"{name}.gz", name.replace("-idx", ".idx")):
            if (place / there).is_file():
                return self.unpacked(name, (place / there).read_bytes(), place / there)
        if folder:
            raise FileNotFoundError(
                f"{folder} must hold {name} or {name}.gz for {self.title}, and does not; "
                f"the four files are {', '.join(NAMES)}"
            )
        url = f"{self.url}/{name}.gz"
        try:
            with urlopen(url, timeout=PATIENCE) as answer:
                content = self.unpacked(name, answer.read(), url)
        except (OSError, HTTPException, ValueError) as error:
            raise FileNotFoundError(
                f"{self.title} is not in {place}, and {url} could not be fetched ({error}). With "
                "a network, try again. Or get the four files elsewhere, and pass their folder "
                "with --data. The digits need no network: stbp-edu train digits"
            ) from error
        write_whole(place / name, lambda file: file.write(content))
        return content

    def unpacked(self, name: str, content: bytes, place: object) -> bytes:
        """Return the content of a file that may be packed, after comparing its SHA-256."""
        try:
            if content.startswith(GZIP):
                content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"{place} must be a whole gzip file, but {error}; fetch it again"
            ) from error
        got, known = hashlib.sha256(content).hexdigest(), self.sha256[NAMES.index(name)]
        if got != known:
            raise ValueError(
                f"{place} must be {self.title}'s {name} with SHA-256 {known}, got {got} "
                f"({len(content)} bytes unpacked); it is damaged or a different file: get it again"
            )
        return content


def idx_array(content: bytes) -> NDArray[np.uint8]:
    """Return the array of an IDX file of bytes whose SHA-256 is known, so it is whole.

    >>> idx_array(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    array([7, 9], dtype=uint8)
    """
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
