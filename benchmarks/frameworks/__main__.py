"""Measure one training step of this project beside those of other frameworks, in one run.

``python -m benchmarks.frameworks`` prints the tables; with ``--write`` it also makes
``docs/results/speed-frameworks.json``, which the performance page is made from. A framework that is
not installed gets a line that says so.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.frameworks.candidate import BY_NAME, Entry
from benchmarks.frameworks.problem import LR, NEURON, Size
from benchmarks.frameworks.race import alone, check, measured_at
from stbp_edu._support.files import write_json
from stbp_edu.training.measurements import environment, measurements_folder, origin

RECORD = measurements_folder() / "speed-frameworks.json"
COMMAND = "python -m benchmarks.frameworks --write"
SIZES = (
    Size(),
    *(Size(T=T) for T in (10, 100)),
    *(Size(width=width) for width in (200, 3200)),
    *(Size(batch=batch) for batch in (20, 500)),
    Size(hidden=2),
    Size(rate=2),
)


def describe(entry: Entry, path: Path) -> dict[str, Any]:
    """Return what an entry is, and how its gradients agree with ours at the main size."""
    absent = entry.missing()
    return {
        **{key: getattr(entry, key) for key in ("name", "title", "form", "rule")},
        "versions": entry.versions(),
        "absent": f"not installed: {', '.join(absent)}" if absent else "",
        "gradients": {} if absent else alone(check, entry, path),
    }


def measured(
    names: Sequence[str], rounds: int, sizes: Sequence[Size] = SIZES
) -> dict[str, Any]:
    """Measure the candidates of these names; the first size with more rounds, and its memory."""
    wanted = [BY_NAME[name] for name in names]
    entries = [e for e in wanted if not e.missing()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells = [measured_at(sizes[0], entries, rounds, folder, with_memory=True)]
        about = [describe(e, folder / "problem.npz") for e in tqdm(wanted, leave=False)]
        fewer = max(5, rounds // 2)
        cells += [measured_at(size, entries, fewer, folder) for size in sizes[1:]]
    neuron = {
        **{key: getattr(NEURON, key) for key in ("tau", "v_th", "gate")},
        "surrogate": f"Gaussian, variance {NEURON.surrogate.a}",
    }
    return {
        "what": "One training step (forward, backward, Adam; encoding excluded), float32",
        "command": COMMAND, "neuron": neuron, "lr": LR, **environment(), **origin(),
        "entries": about, "cells": cells,
    }  # fmt: skip


def main() -> None:
    """Measure, print, and write the record where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.frameworks", description=__doc__
    )
    parser.add_argument(
        "--rounds", type=int, default=20, help="turns of each at the main size, >= 2"
    )
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    args = parser.parse_args()
    record = measured([*BY_NAME], args.rounds)
    for c in record["cells"]:
        size = f"{c['inputs']}-{c['width']}-10"
        print(f"T {c['T']}, batch {c['batch']}, {size}, load {c['load']}")
        for r in c["rows"]:
            print("  " + "  ".join(f"{k} {v}" for k, v in r.items()))
    for e in record["entries"]:
        print(f"{e['title']}: {e['absent'] or e['gradients']}")
    if args.write:
        write_json(RECORD, record)


if __name__ == "__main__":
    main()
