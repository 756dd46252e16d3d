"""Files that are either whole or absent: written beside their place, then moved there at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.network import Params
from stbp_edu.training.optimizers import tensors


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


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as npz; equal arrays give equal bytes."""

    def write(file: IO[bytes]) -> None:
        np.savez(file, allow_pickle=False, **arrays)

    write_whole(path, write)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file with sorted keys."""
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: if it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be a JSON file, but {error}; was it cut short?") from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an npz file without pickle.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or is something else.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # zip, zlib, header and pickle errors all mean the same here
        raise ValueError(
            f"{path} must be a whole npz file of plain arrays, but it could not be read "
            f"({type(error).__name__}: {error}); it is damaged or something else: remove it"
        ) from error


def save_params(path: Path, params: Params) -> None:
    """Save parameters as npz, named W1, b1, W2, ... (no pickle)."""
    write_arrays(path, tensors(params))


def load_params(path: Path) -> Params:
    """Load what :func:`save_params` wrote.

    Raises:
        FileNotFoundError, ValueError, TypeError: if the file is missing, damaged, or not of a
            network.
    """
    return as_params(read_arrays(path), str(path))


def as_params(arrays: Mapping[str, NDArray[Any]], source: str) -> Params:
    """Return parameters from arrays named W1, b1, W2, ..., and nothing else."""
    layers = range(1, len(arrays) // 2 + 1)
    if not layers or set(arrays) != {f"{k}{n}" for n in layers for k in "Wb"}:
        raise ValueError(
            f"{source} must hold W1, b1, ..., W[N], b[N], got {sorted(arrays)}; "
            "is this a file that `stbp-edu train` wrote?"
        )
    return Params(
        W=[None, *(arrays[f"W{n}"] for n in layers)], b=[None, *(arrays[f"b{n}"] for n in layers)]
    )
