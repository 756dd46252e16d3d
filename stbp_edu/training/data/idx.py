"""The IDX format of MNIST: four bytes of magic, the shape as big-endian integers, the bytes."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 0x08
GZIP = b"\x1f\x8b"


def parse(data: bytes, name: str, axes: int) -> NDArray[np.uint8]:
    """Return the array of an IDX file.

    Args:
        data: the whole file, unpacked.
        name: how to call it in an error.
        axes: number of axes that it must have: 3 for images, 1 for labels.

    Raises:
        ValueError: if it is no IDX file of unsigned bytes, or is too short or too long.

    >>> parse(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels", 1)
    array([7, 9], dtype=uint8)
    """
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


def write(array: NDArray[Any]) -> bytes:
    """Return an array of unsigned bytes as an IDX file; :func:`parse` reads it."""
    head = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + np.ascontiguousarray(array, np.uint8).tobytes()


def unpack(data: bytes, name: str) -> bytes:
    """Return the data, unpacked where it is gzip.

    Raises:
        ValueError: if it is gzip and damaged.
    """
    if data[:2] != GZIP:
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{name} must be a whole gzip file, but {error}; fetch it again"
        ) from error


def find(folder: Path, file: str) -> Path | None:
    """Return where ``file`` or ``file.gz`` is in the folder; None if neither is."""
    names = (file, f"{file}.gz", file.replace("-idx", ".idx"))
    return next((path for name in names if (path := folder / name).is_file()), None)
