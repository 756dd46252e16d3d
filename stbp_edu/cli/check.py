"""Check your own backward pass on several networks, and say where it first goes wrong.

FUNCTION(trace, targets, params, neuron) is called on each, and the gradients that it returns are
compared with the exact ones.
"""

import argparse
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stbp_edu.practice.network_check import check_network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of ``check``."""
    parser.add_argument("target", help="path/to/file.py:function")


def run(args: argparse.Namespace) -> int:
    """Print the report; return 0 where the backward pass is right, else 1."""
    result = check_network(load_function(args.target))
    print(result)
    return 0 if result.right else 1


def load_function(target: str) -> Callable[..., Any]:
    """Return the function that ``file.py:function`` names.

    Raises:
        ValueError: if the target is not of this form, or names nothing that can be called.
    """
    place, _, name = target.rpartition(":")
    if not Path(place).is_file():
        raise ValueError(
            f"target must be file.py:function of a file that exists, got {target!r}; "
            "e.g. my_network.py:backward"
        )
    try:
        function = runpy.run_path(place, run_name=Path(place).stem).get(name)
    except (SyntaxError, ModuleNotFoundError) as error:
        raise ValueError(
            f"target must name a file that Python can read, got {place!r}, but {error}; mend it"
        ) from error
    if not callable(function):
        raise ValueError(
            f"target must name a function of {place}, got {name!r}, which is not one; "
            "check the spelling"
        )
    return function
