"""Files that are written whole or not at all, and locks between processes."""

import hashlib
import io
import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks

SMALL, MOST = 2**24, 200
"""The bytes that any npz file may unpack to, and how many times its own size."""
META = "meta"
"""The name under which an npz file keeps its values, as JSON."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file; ``path`` never holds a part of it.

    The bytes go to a neighbour first and to the disk, and the neighbour is then renamed. If
    anything fails (a full disk, a signal), ``path`` is unchanged. A link stays a link, and the file
    that it names is written.
    """
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "pipe or a device"
        raise ValueError(
            f"{path} must be a file or new, and is a {kind}; choose another path"
        )
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def remove_parts(folder: Path, names: Iterable[str]) -> None:
    """Remove what a process that was killed while it wrote these files has left in a folder."""
    for name in names:
        for part in folder.glob(f".{name}.*.part"):
            part.unlink(missing_ok=True)


@contextmanager
def claimed(path: Path, message: str) -> Iterator[None]:
    """Hold a lock while the block runs; raise ValueError with the message if another one holds it.

    Raises:
        ImportError: if filelock is not installed.
    """
    filelock = checks.require("filelock", "a run in a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = filelock.FileLock(path).acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(message) from None
    with lock:
        yield


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, value: object) -> None:
    """Write a JSON file with sorted keys."""
    write_text(
        path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"
    )


def read_json(path: Path) -> Any:
    """Return the contents of a JSON file; raise ValueError if it is not one."""
    remedy = "it was cut short or is something else: remove it"
    return _parsed(path, json.loads, "JSON", remedy)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file; raise ValueError if it is not one."""
    return dict(_parsed(path, tomllib.loads, "TOML", "correct that line"))


def _parsed(path: Path, loads: Callable[[str], Any], kind: str, remedy: str) -> Any:
    """Return the contents of a text file."""
    text = read_text(path)
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} must be a {kind} file, but {error}; {remedy}"
        ) from error


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever the block finds wrong in a file into one error, which names file and kind."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        wrong = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"{path} must be {kind}, but {wrong}; it is damaged, or of another version: remove "
            "it, or choose another place"
        ) from error


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]
) -> None:
    """Write arrays as npz, with values as JSON beside them; equal ones give equal bytes."""
    text = json.dumps(values, allow_nan=False)
    named: dict[str, Any] = {**arrays, META: np.frombuffer(text.encode(), np.uint8)}
    write_whole(path, lambda file: np.savez(file, **named))


def read_values(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Take the values out of the arrays of an npz file, and return them; none where it has none."""
    meta = arrays.pop(META, None)
    return {} if meta is None else dict(json.loads(meta.tobytes()))


def read_text(path: Path) -> str:
    """Return the text in a file; raise FileNotFoundError or ValueError if there is none."""
    try:
        # some editors begin a file with a mark
        return _read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be a text in UTF-8, but {error}; save it as one"
        ) from error


def _read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; reading a pipe or a device might never end."""
    if not path.exists():
        raise FileNotFoundError(
            f"{path} must be a file, and there is none; check the path"
        )
    if not path.is_file():
        kind = "folder" if path.is_dir() else "pipe or a device"
        raise ValueError(f"{path} must be a file, and is a {kind}; choose another path")
    return path.read_bytes()  # if the system refuses, its own message says why


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file by name, without pickle; raise ValueError otherwise."""
    data = _read_bytes(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            unpacked = sum(entry.file_size for entry in file.zip.infolist())
            if unpacked > max(SMALL, MOST * len(data)):
                raise ValueError(f"it would unpack to {unpacked:,} bytes")
            arrays = dict(file)
        if odd := [name for name, a in arrays.items() if not isinstance(a, np.ndarray)]:
            raise ValueError(f"{odd[0]} is not an array")
        # A damaged directory can hide entries, as in a comment; its end says how many there are.
        if data[-22:-18] != b"PK\5\6" or int.from_bytes(data[-12:-10], "little") != len(
            arrays
        ):
            raise ValueError(
                "its directory does not name as many arrays as its end says"
            )
        return arrays
    except MemoryError:
        raise
    except (
        Exception
    ) as error:  # zip, zlib, header and pickle errors all mean the same here
        raise ValueError(
            f"{path} must be a whole npz file of plain arrays, but it could not be read "
            f"({type(error).__name__}: {error}); it is damaged or something else: remove it"
        ) from error


def as_path(name: str, value: object) -> Path:
    """Return the path that a string or a Path names."""
    if not isinstance(value, (str, Path)):
        raise TypeError(
            f"{name} must be a string or a Path, got {checks.brief(value)}; pass 'a/file'"
        )
    if value == "" or "\0" in str(value):
        raise ValueError(f"{name} must name a file, got {value!r}; pass 'a/file'")
    return Path(value)
