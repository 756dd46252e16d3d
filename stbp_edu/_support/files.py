"""Files that are written whole or not at all, and sealed files, which show any damage.

A file that is read back is of a :class:`Sealed` kind: it holds its version and a checksum.
"""

import hashlib
import io
import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks

META, CHECKSUM = "meta", "checksum"
"""Where an npz file keeps its JSON, and JSON its checksum."""
VERSION = 2
"""The version of the files; no other one is read."""


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
def locked(path: Path) -> Iterator[None]:
    """Hold a lock while the block runs, after waiting for any other process that holds it.

    A process that dies releases its lock; the file of the lock stays. Where filelock is not
    installed, as on a web page, nothing is locked.
    """
    try:
        from filelock import FileLock
    except ModuleNotFoundError:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


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


@dataclass(frozen=True)
class Sealed:
    """A kind of file that is read back: JSON, or arrays with JSON beside them, with a checksum.

    Attributes:
        words: its name in errors.
        remedy: advice for a damaged one.
    """

    words: str
    remedy: str

    def write(self, path: Path, values: Mapping[str, Any]) -> None:
        """Write values as JSON, with ``format``, the version, and ``checksum``."""
        write_json(path, self._seal(values, {}))

    def read(self, path: Path) -> dict[str, Any]:
        """Return the values in a JSON file; raise ValueError if they were changed."""
        values = read_json(path)
        with self.reading(path):
            return self._open(values, {})

    def write_arrays(
        self, path: Path, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> None:
        """Write arrays as npz, with the values as JSON; equal values give equal bytes."""
        text = json.dumps(self._seal(values, arrays), allow_nan=False)
        meta = np.frombuffer(text.encode(), np.uint8)
        named: dict[str, Any] = {**arrays, META: meta}
        write_whole(path, lambda file: np.savez(file, **named))

    def read_arrays(self, path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the values and the arrays in an npz file; raise ValueError as :meth:`read`."""
        arrays = read_arrays(path)
        with self.reading(path):
            text = arrays.pop(META).tobytes()
            values = self._open(json.loads(text), arrays)
            return values, arrays

    @contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Turn whatever the block finds wrong into an error that names the file and its kind."""
        try:
            yield
        except (
            LookupError,
            TypeError,
            ValueError,
            ArithmeticError,
            RecursionError,
        ) as error:
            wrong = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"{path} must be {self.words}, but {wrong}; {self.remedy}"
            ) from error

    def _seal(
        self, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> dict[str, Any]:
        """Return values with the version and the checksum."""
        named = {**values, "format": VERSION}
        return {**named, CHECKSUM: checksum(named, arrays)}

    def _open(self, values: Any, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Return values without the checksum, after checking it and the version."""
        values = dict(checks.instance("its content", values, dict))
        if values.get("format") != VERSION:
            raise ValueError(
                f"its format is {values.get('format')!r}, and this version reads {VERSION}"
            )
        sealed = values.pop(CHECKSUM, None)
        if sealed != checksum(values, arrays):
            raise ValueError(
                "its checksum does not match its content: it is damaged, or was changed by hand"
            )
        return values


def checksum(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of values and arrays: of names, types, shapes and every number."""
    as_read = json.loads(json.dumps(values))  # a tuple is a list there
    text = json.dumps(as_read, sort_keys=True)
    found = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        head = f"{name} {array.dtype.str} {array.shape}"
        found.update(head.encode())
        found.update(array.tobytes())
    return found.hexdigest()


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
            arrays = dict(file)
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
