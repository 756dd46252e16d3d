"""Measure one training step of this project beside those of other frameworks, in one run.

``python -m benchmarks.frameworks`` prints the tables; with ``--write`` it also makes
``docs/results/speed-frameworks.json``, which the performance page is made from. A framework that is
not installed gets a line that says so.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.frameworks.candidate import BY_NAME, Entry
from benchmarks.frameworks.problem import LR, NEURON, Size
from benchmarks.frameworks.side_by_side import asked, measured_at
from stbp_edu._support.files import write_json
from stbp_edu.training.measurements import environment, measurements_folder, origin

FOLDER = measurements_folder()
ALL_SIZES, MAIN_SIZE = FOLDER / "speed-frameworks.json", FOLDER / "speed-step.json"
COMMAND = "python -m benchmarks.frameworks --write"
HOME = Size()
CROSS = (
    *(Size(T=T) for T in (10, 100)),
    *(Size(width=width) for width in (200, 3200)),
    *(Size(batch=batch) for batch in (20, 500)),
    Size(hidden=2),
    Size(rate=2),
)
QUICK = Size(T=5, batch=20, width=50)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.frameworks", description=__doc__
    )
    parser.add_argument(
        "--rounds", type=int, default=20, help="turns of each at the main size"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help=f"write {ALL_SIZES.name}; {MAIN_SIZE.name} if --home",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one small size, two rounds"
    )
    parser.add_argument(
        "--home", action="store_true", help=f"{HOME.describe()} and no other size"
    )
    parser.add_argument(
        "--only", nargs="+", choices=BY_NAME, metavar="NAME", help="no others"
    )
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error(
            f"--rounds must be >= 2, got {args.rounds}; a quartile needs two times"
        )
    if args.write and (args.quick or args.only):
        parser.error(
            "--write makes a record of everybody; leave out --quick and --only"
        )
    return args


def describe(entry: Entry, path: Path) -> dict[str, Any]:
    """Return what an entry is, and how its gradients agree with ours at the main size."""
    absent = entry.missing()
    return {
        **{
            key: getattr(entry, key)
            for key in ("name", "title", "form", "rule", "peer")
        },
        "versions": entry.versions(),
        "absent": f"not installed: {', '.join(absent)}" if absent else "",
        "gradients": {} if absent else asked(entry, path, "check"),
    }


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Measure everything that is asked for."""
    wanted = [e for e in BY_NAME.values() if args.only is None or e.name in args.only]
    entries = [e for e in wanted if not e.missing()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = QUICK if args.quick else HOME
        rounds = 2 if args.quick else args.rounds
        cells = [measured_at(first, entries, rounds, folder, with_memory=True)]
        about = [describe(e, folder / "problem.npz") for e in tqdm(wanted, leave=False)]
        if not (args.quick or args.home):
            rounds = max(5, args.rounds // 2)
            cells += [measured_at(size, entries, rounds, folder) for size in CROSS]
    neuron = {
        **{key: getattr(NEURON, key) for key in ("tau", "v_th", "gate")},
        "surrogate": f"Gaussian, variance {NEURON.surrogate.a}",
    }
    return {
        "what": "One training step (forward, backward, Adam; encoding excluded), float32",
        "command": f"{COMMAND} --home" if args.home else COMMAND,
        "neuron": neuron, "lr": LR, **environment(), **origin(), "entries": about, "cells": cells,
    }  # fmt: skip


def main() -> None:
    """Measure, print, and write the record where asked."""
    args = arguments()
    record = measured(args)
    for c in record["cells"]:
        print(
            f"T {c['T']}, batch {c['batch']}, {c['inputs']}-{c['width']}-10, load {c['load']}"
        )
        for r in c["rows"]:
            print("  " + "  ".join(f"{k} {v}" for k, v in r.items()))
        for name, why in c["failed"].items():
            print(f"  {name} failed: {why}")
    for e in record["entries"]:
        print(f"{e['title']}: {e['absent'] or e['gradients']}")
    if args.write:
        write_json(MAIN_SIZE if args.home else ALL_SIZES, record)


if __name__ == "__main__":
    main()
