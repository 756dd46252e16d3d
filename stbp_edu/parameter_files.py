"""Parameters as a file: saved whole or not at all, and read back only where nothing is damaged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu._support.files import as_path
from stbp_edu.parameters import Params, by_name, from_named


def save_params(path: str | Path, params: Params) -> None:
    """Save parameters as npz, named W1, b1, R1, tau.1, W2, ... (no pickle), and their shape.

    Raises:
        FileNotFoundError: if the folder of the path is missing.
        TypeError, ValueError: if the path or the parameters are not usable.
    """
    checks.instance("params", params, Params)
    path = as_path("path", path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"path must be in a folder that exists, got {str(path)!r}, and there is no folder "
            f"{str(path.parent)!r}; check the spelling, or make it"
        )
    files.write_arrays(path, params.arrays(), {"shape": params.shape})


def load_params(path: str | Path) -> Params:
    """Return the parameters that :func:`save_params` wrote.

    Raises:
        FileNotFoundError, ValueError: if the file is missing, damaged, or not of a network.
    """
    path = as_path("path", path)
    arrays = files.read_arrays(path)
    with files.reading(path, "parameters that `stbp-edu train` or save_params wrote"):
        shape = files.read_values(arrays).get("shape", "")
        return as_params(arrays, checks.instance("shape", shape, str))


def as_params(arrays: Mapping[str, Any], shape: str) -> Params:
    """Return parameters from arrays named W1, b1, ..., and their shape as a text."""
    return Params(**by_name(from_named(arrays)), shape=shape)
