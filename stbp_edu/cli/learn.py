"""The command that verifies the equations and the programs."""

import argparse

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
