"""Data sets in four IDX files, as MNIST is: read from a folder, or fetched once with pooch.

An IDX file of bytes has four bytes of magic, the shape as big-endian integers, and the bytes. Each
file is known by the SHA-256 of its unpacked content, wherever it comes from.
"""

import gzip
import hashlib
import io
import struct
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu.training.data.datasets import Dataset, cache_folder

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of MNIST, and of each data set in its form."""
GZIP = b"\x1f\x8b"  # the first bytes of a gzip file


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
            ImportError: if pooch is not installed, and no folder is given.
        """
        arrays = []
        for name in NAMES:
            content = self.fetch(name) if folder is None else self.read(folder, name)
            arrays.append(idx_array(content))
        return Dataset(*arrays)

    def read(self, folder: Path, name: str) -> bytes:
        """Return the content of a file in a folder, where it may be packed."""
        for there in (name, f"{name}.gz", name.replace("-idx", ".idx")):
            path = folder / there
            if path.is_file():
                return self._checked(name, path)
        raise FileNotFoundError(
            f"{folder} must hold {name} or {name}.gz for {self.title}, and does not; "
            f"the four files are {', '.join(NAMES)}"
        )

    def known_hash(self, name: str) -> str:
        """Return the SHA-256 of the unpacked file of this name."""
        return self.sha256[NAMES.index(name)]

    def _checked(self, name: str, path: Path) -> bytes:
        """Return the unpacked content of a file, after comparing its SHA-256."""
        content = unpacked(path.read_bytes(), str(path))
        got, known = hashlib.sha256(content).hexdigest(), self.known_hash(name)
        if got != known:
            raise ValueError(
                f"{path} must be {self.title}'s {name} with SHA-256 {known}, got {got} "
                f"({len(content)} bytes unpacked); it is damaged or a different file: get it again"
            )
        return content

    def fetch(self, name: str) -> bytes:
        """Return the content of a file in the cache; pooch downloads it where it is not there."""
        pooch = checks.require("pooch", f"a download of {self.title}")
        url, cache = f"{self.url}/{name}.gz", cache_folder() / self.name
        try:
            path = pooch.retrieve(
                url,
                known_hash=self.known_hash(name),
                fname=name,
                path=cache,
                downloader=download_unpacked,
            )
        except (OSError, ValueError) as error:
            raise FileNotFoundError(
                f"{self.title} is not in {cache}, and {url} could not be fetched ({error}). With "
                "a network, try again. Or get the four files elsewhere, and pass their folder "
                "with --data. The digits need no network: stbp-edu train digits"
            ) from error
        return Path(path).read_bytes()


def download_unpacked(url: str, output_file: str, pooch: Any) -> None:
    """Download a gzip file for pooch and unpack it, so pooch compares the content's SHA-256."""
    downloaders = checks.require("pooch", "a download")
    packed = io.BytesIO()
    download = downloaders.HTTPDownloader(progressbar=sys.stderr.isatty())
    download(url, packed, pooch)
    Path(output_file).write_bytes(unpacked(packed.getvalue(), url))


def unpacked(data: bytes, place: str) -> bytes:
    """Return the content of a gzip file, and other bytes as they are; ``place`` is for an error."""
    if not data.startswith(GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{place} must be a whole gzip file, but {error}; fetch it again"
        ) from error


def idx_array(content: bytes) -> NDArray[np.uint8]:
    """Return the array of an IDX file of bytes whose SHA-256 is known, so it is whole.

    >>> idx_array(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    array([7, 9], dtype=uint8)
    """
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
