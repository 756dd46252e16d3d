"""Objects whose arrays lie in a file that several processes map into their memory."""

from __future__ import annotations

import mmap
import pickle
import tempfile
from pathlib import Path
from typing import IO, Any

ALIGN = 64  # bytes of a cache line
Places = list[tuple[int, int]]
"""Where in the file each array begins and ends."""


def lay_out(job: object) -> tuple[bytes, Places, IO[bytes]]:
    """Write the job's arrays to a file without a name; return the rest, and where each lies."""
    arrays: list[pickle.PickleBuffer] = []
    words = pickle.dumps(job, protocol=5, buffer_callback=arrays.append)
    memory = Path("/dev/shm")  # Linux keeps such files in memory
    try:
        return words, *_write(arrays, memory if memory.is_dir() else None)
    except OSError:  # a small one, as containers have
        return words, *_write(arrays, None)


def _write(arrays: list[pickle.PickleBuffer], folder: Path | None) -> tuple[Places, IO[bytes]]:
    """Write arrays to a file in a folder, each from a cache line on."""
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when all have opened it
    places = []
    try:
        file.write(bytes(1))  # an empty file cannot be mapped
        for array in arrays:
            file.write(bytes(-file.tell() % ALIGN))
            start = file.tell()
            file.write(array.raw())
            places.append((start, file.tell()))
        file.flush()
    except OSError:
        file.close()
        raise
    return places, file


def pick_up(words: bytes, places: Places, file: int) -> Any:
    """Return the job, with its arrays in the file: what one process writes, all see."""
    memory = memoryview(mmap.mmap(file, 0))
    return pickle.loads(words, buffers=[memory[a:b] for a, b in places])
