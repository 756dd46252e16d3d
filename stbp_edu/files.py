"""Files that are either whole or absent: written beside their place, then moved there at once."""

import hashlib
import io
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import tensors
from stbp_edu.convolution import AnyParams, ConvParams
from stbp_edu.network import Params

SHAPE = "shape"
"""The array that holds the shape of a network with convolutions, as text."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file, so that ``path`` never holds a part of it.

    The bytes go to a neighbour first and to the disk, and the neighbour is then renamed. If
    anything fails (a full disk, a signal), ``path`` is what it was.
    """
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
def locked(path: Path, message: str | None = None) -> Iterator[None]:
    """Hold a lock while the block runs; a process that dies lets go of it.

    The file of the lock stays behind. Where another process holds it, wait for that process, or
    raise ValueError with the ``message`` if there is one.
    """
    if sys.platform == "emscripten":  # a web page has no other processes
        yield
        return
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(path, timeout=-1 if message is None else 0).acquire()
    except Timeout:
        raise ValueError(message) from None
    with lock:
        yield


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write a JSON file with sorted keys."""
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:
    """Return the contents of a JSON file.

    Raises:
        ValueError: if it is no JSON.
    """
    try:
        return json.loads(_read_bytes(path).decode())
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(
            f"{path} must be a JSON file, but {error}; it was cut short or is something else: "
            "remove it"
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises:
        ValueError: if it is no TOML.
    """
    try:
        return tomllib.loads(_read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} must be a TOML file, but {error}; mend that line") from error


def _read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; a pipe or a device would keep us waiting for ever."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError(f"{path} must be a file, and is a pipe or a device; choose another path")
    return path.read_bytes()  # if the system refuses, its own message says why


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays of numbers as npz; equal arrays give equal bytes."""
    if odd := [name for name, a in arrays.items() if a.dtype.hasobject]:
        raise TypeError(f"arrays must be of numbers, got objects in {odd}; convert them")

    named: dict[str, Any] = dict(arrays)
    write_whole(path, lambda file: np.savez(file, **named))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file by name, without pickle.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or is something else.
    """
    data = _read_bytes(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except MemoryError:
        raise
    except Exception as error:  # zip, zlib, header and pickle errors all mean the same here
        raise ValueError(
            f"{path} must be a whole npz file of plain arrays, but it could not be read "
            f"({type(error).__name__}: {error}); it is damaged or something else: remove it"
        ) from error


def save_params(path: Path, params: AnyParams) -> None:
    """Save parameters as npz, named W1, b1, W2, ... (no pickle), and the shape of a convolution."""
    checks.instance("path", path, Path)
    if not isinstance(params, ConvParams):
        checks.instance("params", params, Params)
    write_arrays(path, as_arrays(params))


def load_params(path: Path) -> AnyParams:
    """Return the parameters that :func:`save_params` wrote.

    Raises:
        FileNotFoundError, ValueError, TypeError: if the file is missing, damaged, or not of a
            network.
    """
    return as_params(read_arrays(checks.instance("path", path, Path)), str(path))


def as_arrays(params: AnyParams) -> dict[str, NDArray[Any]]:
    """Return the arrays of parameters by name; of a convolution also its shape, in bytes."""
    arrays: dict[str, NDArray[Any]] = dict(tensors(params))
    if isinstance(params, ConvParams):
        arrays[SHAPE] = np.frombuffer(params.shape.encode(), np.uint8)
    return arrays


def as_params(arrays: Mapping[str, NDArray[Any]], source: str) -> AnyParams:
    """Return parameters from arrays named W1, b1, W2, ..., and nothing else but a shape."""
    arrays = dict(arrays)
    shape = arrays.pop(SHAPE, None)
    layers = range(1, len(arrays) // 2 + 1)
    if not layers or set(arrays) != {f"{k}{n}" for n in layers for k in "Wb"}:
        raise ValueError(
            f"{source} must hold W1, b1, ..., W[N], b[N], got {sorted(arrays)}; "
            "is this a file that `stbp-edu train` wrote?"
        )
    W, b = ([None, *(arrays[f"{k}{n}"] for n in layers)] for k in "Wb")
    return Params(W=W, b=b) if shape is None else ConvParams(shape.tobytes().decode(), W, b)
