"""The commands of somebody who learns: verify, check and progress."""

import argparse
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stbp_edu._support import checks


def verify_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``verify``."""
    parser.add_argument("--seed", type=int, default=0, help="which random networks (0)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="networks a surrogate and gate (3)"
    )


def verify(args: argparse.Namespace) -> int:
    """Check every form of the five cases on random networks; exit with 1 on any failure.

    They are compared with finite differences, automatic differentiation and path sums. So are the
    programs of the package's neurons that run, under every rule.
    """
    from stbp_edu.verify import report
    from stbp_edu.verify.proved_programs import of_the_package

    tqdm = checks.require("tqdm", "the command").tqdm
    outcomes = report.trials(args.seed, args.rounds)
    with tqdm(outcomes, "verify", unit=" comparisons", leave=False) as shown:
        result = report.Report(list(shown))
    print(result.format())
    wrong, compared = [], 0
    for neuron, rows in of_the_package(args.seed):
        compared += len(rows)
        wrong += [
            f"{neuron}: {row.what}, {row.against}: {row.verdict}"
            for row in rows
            if not row.agrees
        ]
    print(f"{compared - len(wrong)} of {compared} comparisons of programs agree.")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 0 if result.ok and not wrong else 1


def check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of ``check``."""
    parser.add_argument("target", help="path/to/file.py:function")


def check(args: argparse.Namespace) -> int:
    """Check your own backward pass on several networks, and say where it first goes wrong.

    FUNCTION(trace, targets, params, neuron) is called on each, and the gradients that it returns
    are compared with the exact ones.
    """
    from stbp_edu.practice.network_check import check_network

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
    except (SyntaxError, ImportError) as error:
        raise ValueError(
            f"target must name a file that Python can read, got {place!r}, but {error}; fix it"
        ) from error
    if not callable(function):
        raise ValueError(
            f"target must name a function of {place}, got {name!r}, which is not one; "
            "check the spelling"
        )
    return function


def progress_arguments(_: argparse.ArgumentParser) -> None:
    """Add no argument: ``progress`` has none."""


def progress(_: argparse.Namespace) -> int:
    """Show which exercises are done and which comes next."""
    from stbp_edu.practice import progress_report

    print(progress_report())
    return 0
