"""Parameters as a file: saved whole or not at all, and read back only where nothing is damaged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.files import Sealed, as_path
from stbp_edu.parameters import Params, by_name, from_named

PARAMETERS = Sealed(
    "parameters that `stbp-edu train` or save_params wrote", "is this another file?"
)


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
    PARAMETERS.write_arrays(path, shape_of(params), params.arrays())


def load_params(path: str | Path) -> Params:
    """Return the parameters that :func:`save_params` wrote.

    Raises:
        FileNotFoundError, ValueError: if the file is missing, damaged, or not of a network.
    """
    path = as_path("path", path)
    values, arrays = PARAMETERS.read_arrays(path)
    with PARAMETERS.reading(path):
        return as_params(arrays, values)


def shape_of(params: Params) -> dict[str, Any]:
    """Return the values that a file has beside the arrays: the shape, if they do not show it."""
    return {"shape": params.shape} if params.shape else {}


def as_params(arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> Params:
    """Return parameters from arrays named W1, b1, ..., and the values of :func:`shape_of`."""
    shape = checks.instance("shape", values.get("shape", ""), str)
    return Params(**by_name(from_named(arrays)), shape=shape)
