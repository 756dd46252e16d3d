"""``stbp-edu check my_module:function``: check your own backward pass from a terminal."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stbp_edu.practice import check_network, progress_report


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``check`` and ``progress`` to the command line."""
    check = subparsers.add_parser(
        "check",
        help="check your own backward pass, case by case",
        description="Call FUNCTION(trace, targets, params, neuron) on several networks, compare "
        "the gradients it returns with the exact ones, and say where it first goes wrong.",
    )
    check.add_argument("target", help="my_module:function, or path/to/file.py:function")
    check.set_defaults(run=run_check)
    progress = subparsers.add_parser("progress", help="show which exercises are done")
    progress.set_defaults(run=run_progress)


def run_check(args: argparse.Namespace) -> int:
    """Print the report; return 0 where the backward pass is right, else 1."""
    found = check_network(load(args.target))
    print(found)
    return 0 if found.right else 1


def run_progress(args: argparse.Namespace) -> int:
    """Print what is done and what comes next."""
    print(progress_report())
    return 0


def load(target: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` or ``file.py:function`` names.

    Raises:
        ValueError: if the target is not of this form, or names nothing that can be called.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise ValueError(
            f"target must be module:function or file.py:function, got {target!r}; "
            "e.g. my_network.py:backward"
        )
    function: Any = getattr(_module(place), name, None)
    if not callable(function):
        raise ValueError(
            f"target must name a function of {place}, got {name!r}, which is not one; "
            "check the spelling"
        )
    found: Callable[..., Any] = function
    return found


def _module(place: str) -> Any:
    """Import a module by name, from the current directory too, or from a file."""
    if not place.endswith(".py"):
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            raise ValueError(
                f"target must name a module that can be imported, got {place!r} ({error}); "
                "run from its directory, or give the path to the file"
            ) from error
    spec = importlib.util.spec_from_file_location(Path(place).stem, place)
    if not Path(place).is_file() or spec is None or spec.loader is None:
        raise ValueError(f"target must name a file that exists, got {place!r}; check the path")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
