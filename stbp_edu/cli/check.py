"""Check your own backward pass on several networks, and say where it first goes wrong.

FUNCTION(trace, targets, params, neuron) is called on each, and the gradients that it returns are
compared with the exact ones.
"""

import argparse
import importlib
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stbp_edu.practice.network_check import check_network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of ``check``."""
    parser.add_argument("target", help="my_module:function, or path/to/file.py:function")


def run(args: argparse.Namespace) -> int:
    """Print the report; return 0 where the backward pass is right, else 1."""
    result = check_network(load_function(args.target))
    print(result)
    return 0 if result.right else 1


def load_function(target: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` or ``file.py:function`` names.

    Raises:
        ValueError: if the target is not of this form, or names nothing that can be called.
    """
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise ValueError(
            f"target must be module:function or file.py:function, got {target!r}; "
            "e.g. my_network.py:backward"
        )
    function: Callable[..., Any] | None = _names(place).get(name)
    if not callable(function):
        raise ValueError(
            f"target must name a function of {place}, got {name!r}, which is not one; "
            "check the spelling"
        )
    return function


def _names(place: str) -> dict[str, Any]:
    """Return what a file or a module defines; modules of the current directory count, too."""
    is_file = place.endswith(".py")
    if is_file and not Path(place).is_file():
        raise ValueError(f"target must name a file that exists, got {place!r}; check the path")
    try:
        if is_file:
            return runpy.run_path(place, run_name=Path(place).stem)
        if "" not in sys.path:
            sys.path.insert(0, "")
        return vars(importlib.import_module(place))
    except (SyntaxError, ModuleNotFoundError) as error:
        raise ValueError(
            f"target must name a {'file' if is_file else 'module'} that Python can read, got "
            f"{place!r}, but {error}; mend it, run from its directory, or give the path to the file"
        ) from error
