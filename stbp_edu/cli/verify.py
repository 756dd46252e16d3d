"""Check every form of the five cases on random networks; exit with 1 on any failure.

They are compared with finite differences, automatic differentiation and path sums.
"""

import argparse

from tqdm import tqdm

from stbp_edu.verify import report
from stbp_edu.verify.trials import Outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``verify``."""
    parser.add_argument("--seed", type=int, default=0, help="which random networks (0)")
    parser.add_argument("--rounds", type=int, default=3, help="networks a surrogate and gate (3)")


def run(args: argparse.Namespace) -> int:
    """Print the table: equation id × oracle × largest error × verdict."""
    outcomes: list[Outcome] = []
    with tqdm(report.trials_of(args.seed, args.rounds), "verify", unit="trial", leave=False) as bar:
        for what, found in bar:
            bar.set_postfix_str(what)
            outcomes.extend(found)  # worked out here
    result = report.Report(outcomes)
    print(result.format())
    return 0 if result.ok else 1
