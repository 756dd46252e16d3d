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
from stbp_edu.files import write_json
from stbp_edu.training.runs import environment, measurements_folder, origin

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
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frameworks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="turns of each at the main size")
    parser.add_argument(
        "--write", action="store_true", help=f"write {ALL_SIZES.name}; {MAIN_SIZE.name} if --home"
    )
    parser.add_argument("--quick", action="store_true", help="one small size, two rounds")
    parser.add_argument("--home", action="store_true", help=f"{HOME.describe()} and no other size")
    parser.add_argument("--only", help=f"names, with commas, out of {', '.join(BY_NAME)}")
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error(f"--rounds must be >= 2, got {args.rounds}; a quartile needs two times")
    if unknown := set(args.only.split(",") if args.only else []) - set(BY_NAME):
        parser.error(f"--only must be names out of {', '.join(BY_NAME)}, got {sorted(unknown)}")
    if args.write and (args.quick or args.only):
        parser.error("--write makes a record of everybody; leave out --quick and --only")
    return args


def chosen(only: str | None) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries to run, and why each of the others is not."""
    wanted = [e for e in BY_NAME.values() if only is None or e.name in only.split(",")]
    absent = {e.name: f"not installed: {', '.join(e.missing())}" for e in wanted if e.missing()}
    return [e for e in wanted if e.name not in absent], absent


def describe(entries: list[Entry], absent: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """Return what each entry is, and how its gradients agree with ours at the main size."""
    running = {e.name for e in entries}
    return [
        {
            **{key: getattr(e, key) for key in ("name", "title", "form", "rule", "peer")},
            "versions": e.versions(), "absent": absent.get(e.name, ""),
            "gradients": asked(e, folder / "problem.npz", "check") if e.name in running else {},
        }
        for e in tqdm([BY_NAME[n] for n in BY_NAME if n in running | set(absent)], leave=False)
    ]  # fmt: skip


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """Measure everything that is asked for."""
    entries, absent = chosen(args.only)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = QUICK if args.quick else HOME
        rounds = 2 if args.quick else args.rounds
        cells = [measured_at(first, entries, rounds, folder, with_memory=True)]
        about = describe(entries, absent, folder)
        if not (args.quick or args.home):
            rounds = max(5, args.rounds // 2)
            everywhere = [e for e in entries if not e.home_only]
            cells += [measured_at(size, everywhere, rounds, folder) for size in CROSS]
    neuron = {
        **{key: getattr(NEURON, key) for key in ("tau", "v_th", "gate")},
        "surrogate": f"Gaussian, variance {NEURON.surrogate.a}",
    }
    return {
        "what": "One training step (forward, backward, Adam; encoding excluded), float32",
        "command": COMMAND + (" --home" if args.home else ""),
        "neuron": neuron, "lr": LR, **environment(), **origin(), "entries": about, "cells": cells,
    }  # fmt: skip


def main() -> None:
    """Measure, print, and write the record where asked."""
    args = arguments()
    record = measured(args)
    for c in record["cells"]:
        print(f"T {c['T']}, batch {c['batch']}, {c['inputs']}-{c['width']}-10, load {c['load']}")
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
