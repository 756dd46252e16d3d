"""The command ``stbp-edu``: verify, train, eval, plot, check and progress.

``stbp-edu --help`` lists them, and ``--help`` after a command explains it:

    stbp-edu train digits --help
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

import stbp_edu
from stbp_edu.cli import practice
from stbp_edu.cli import train as training
from stbp_edu.verify import report


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 where all went well."""
    args = _parser().parse_args(argv)
    try:
        status: int = args.run(args)
    except (ValueError, TypeError, OSError, ImportError) as error:
        # What a user can mend gets a sentence; anything else is ours and keeps its traceback.
        print(f"stbp-edu {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstbp-edu {args.command}: stopped", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    """Build the parser; each command sets ``run``, a function of the arguments."""
    parser = argparse.ArgumentParser(prog="stbp-edu", description=stbp_edu.__doc__)
    parser.add_argument("--version", action="version", version=stbp_edu.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_verify(commands)
    training.add_parsers(commands)
    practice.add_parsers(commands)
    return parser


def _add_verify(commands: Any) -> None:
    """Register `verify`."""
    p = commands.add_parser(
        "verify",
        help="prove the gradients: every equation against every oracle",
        description="Judge every form of the five cases on random networks by finite "
        "differences, automatic differentiation and path sums; exit with 1 on any failure.",
    )
    p.add_argument("--seed", type=int, default=0, help="which random networks (0)")
    p.add_argument("--rounds", type=int, default=3, help="networks a surrogate and gate (3)")
    p.set_defaults(run=verify)


def verify(args: argparse.Namespace) -> int:
    """Print the table: equation id × oracle × largest error × verdict."""
    with tqdm(desc="verify", unit="trial", leave=False) as bar:

        def progress(done: int, total: int, what: str) -> None:
            bar.total = total
            bar.set_postfix_str(what, refresh=False)
            bar.update(done - bar.n)

        result = report.run(args.seed, args.rounds, progress=progress)
    print(result.format())
    return 0 if result.ok else 1
