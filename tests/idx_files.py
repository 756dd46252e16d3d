"""IDX files for tests, and folders of them."""

import gzip
import hashlib
import struct

import numpy as np

from stbp_edu.training.data.datasets import NAMES


def idx_bytes(array):
    """Return an array of unsigned bytes as an IDX file."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + np.ascontiguousarray(array, np.uint8).tobytes()


def small_files():
    """Return the four files of a data set by name: 20 images to learn from, 10 held out."""
    rng, files = np.random.default_rng(0), {}
    for part, n in (("train", 20), ("t10k", 10)):
        files[f"{part}-images-idx3-ubyte"] = idx_bytes(
            rng.integers(0, 256, (n, 4, 5), np.uint8)
        )
        files[f"{part}-labels-idx1-ubyte"] = idx_bytes(
            np.arange(n, dtype=np.uint8) % 10
        )
    return files


def sums(files):
    """Return the SHA-256 of the four files."""
    return [hashlib.sha256(files[name]).hexdigest() for name in NAMES]


def put(folder, files, packed=False):
    """Write files to a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / name).write_bytes(data)
    return folder
