"""IDX files, the format of MNIST: four bytes of magic, the shape as big-endian integers, the bytes.

A file of a data set is known by its SHA-256, so that it does not matter where it was found.
"""

import gzip
import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 0x08
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class IdxFile:
    """One file of a data set.

    Attributes:
        title: of the data set.
        name: of the file, unpacked.
        size: bytes, unpacked.
        sha256: of the unpacked bytes.
    """

    title: str
    name: str
    size: int
    sha256: str

    def read(self, folder: Path) -> bytes | None:
        """Return the unpacked bytes from a folder; None where the folder lacks the file.

        Raises:
            ValueError: if the file is damaged, or another file of this name.
        """
        names = (self.name, f"{self.name}.gz", self.name.replace("-idx", ".idx"))
        path = next((p for name in names if (p := folder / name).is_file()), None)
        return None if path is None else self.unpack(path.read_bytes(), str(path))

    def unpack(self, data: bytes, place: str) -> bytes:
        """Return the file's bytes, unpacked if they are gzip, after comparing the SHA-256.

        Args:
            data: the file, packed or not; no more than ``size + 1`` bytes are unpacked.
            place: where it comes from, for the error.

        Raises:
            ValueError: if the data is damaged, or another file.
        """
        if data[:2] == GZIP:
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
    if len(data) < head or data[:4] != bytes([0, 0, UNSIGNED_BYTE, axes]):
        raise ValueError(
            f"{name} must be an IDX file of unsigned bytes with {axes} axes, so begin with "
            f"00 00 08 {axes:02x}, got {data[:4].hex(' ') or 'an empty file'}; fetch it again"
        )
    shape = struct.unpack(f">{axes}I", data[4:head])
    size = int(np.prod(shape, dtype=object))
    if size == 0 or len(data) != head + size:
        raise ValueError(
            f"{name} must hold {head} + {' x '.join(map(str, shape))} = {head + size} bytes, at "
            f"least one of data, got {len(data)}; it was cut short or is damaged: fetch it again"
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
