"""Accuracies on MNIST and Fashion-MNIST: one command and one published record for each table.

``python -m benchmarks.accuracy --what ladder`` trains every rung with every seed and writes
``docs/results/mnist-ladder.json``. Each row is a sweep over the seeds, as of ``stbp-edu sweep``:
what is done already is not trained again, and a run that was interrupted goes on from its last
checkpoint. Give the same command.
"""

import argparse
import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support.files import read_json, write_json
from stbp_edu.cli.sweep import summary as in_words
from stbp_edu.cli.sweep import watch_runs
from stbp_edu.training.measurements import measurements_folder, origin
from stbp_edu.training.runs import RECORD
from stbp_edu.training.sweeps import Plan, processes, run_plan

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "runs/results"  # where runs are kept
ENCODINGS = 5
CURVES = ("epoch", "loss", "train", "held_out", "seconds")
"""What the pages print of each epoch."""


@dataclass(frozen=True)
class MeasuredTable:
    """A table to be measured: its rows by name, each as changes to the data set's recipe.

    ``together``: train the seeds side by side, in a process each. What a run takes is longer then,
    and what all take is shorter, since none waits for another at every step.
    """

    title: str
    rows: dict[str, dict[str, Any]]
    dataset: str = "mnist"
    held_out: str = "test"
    seeds: Sequence[int] = (0, 1, 2)
    together: bool = False


def read_plans() -> dict[str, MeasuredTable]:
    """Return the plans of ``accuracy_plans.toml`` by name."""
    text = Path(__file__).with_name("accuracy_plans.toml").read_text(encoding="utf-8")
    plans = {}
    for name, given in tomllib.loads(text).items():
        shared, rows = given.pop("every_row", {}), given.pop("rows")
        plans[name] = MeasuredTable(
            rows={row: shared | more for row, more in rows.items()}, **given
        )
    return plans


PLANS = read_plans()


def measure(what: str, data: Path | None) -> dict[str, Any]:
    """Train every row with every seed, or go on where it stopped; return the record."""
    table, rows = PLANS[what], []
    for name, changes in table.rows.items():
        folder = WORK / what / name.replace(", ", "-").replace(" ", "-")
        held_out = {"held_out": table.held_out, "encodings": ENCODINGS}
        plan = Plan(table.dataset, [*table.seeds], folder, changes, **held_out)
        count = len(table.seeds) if table.together else 1
        load = round(os.getloadavg()[0], 2)
        results = watch_runs(plan, run_plan(plan, processes(count), data)).values()
        if any("error" in result for result in results):
            sys.exit(f"{in_words([*results])}; give the same command to go on")
        runs = [record(folder / run, load) for run in plan.runs()]
        rows.append({"name": name, "changes": changes, **summary(runs), "runs": runs})
        print(f"{name:<32} {in_words(runs)}", flush=True)
    command = f"python -m benchmarks.accuracy --what {what}"
    return {"title": table.title, "command": command, **origin(),
            "dataset": table.dataset, "held_out": table.held_out, "rows": rows,
            "together": table.together and len(table.seeds) > 1}  # fmt: skip


def record(folder: Path, load: float) -> dict[str, Any]:
    """Return the record of a finished run; it keeps the load of the machine before its row."""
    done = {"load_before": load, **read_json(folder / RECORD)}
    write_json(folder / RECORD, done)
    curves = [{k: round(p[k], 5) for k in CURVES if k in p} for p in done["curves"]]
    return {**done, "curves": curves}


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and spread over the seeds (n - 1), and the mean time of a run."""
    means = [run["accuracy"]["mean"] for run in runs]
    spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
    return {
        "accuracy": {"mean": float(np.mean(means)), "spread": spread, "seeds": means},
        "seconds": float(np.mean([run["seconds"] for run in runs])),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, measure, and write the record."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=__doc__
    )
    p.add_argument("--what", choices=sorted(PLANS), required=True)
    p.add_argument("--data", type=Path, help="folder with the IDX files")
    args = p.parse_args(argv)
    name = PLANS[args.what].dataset
    name = name if name.endswith(args.what) else f"{name}-{args.what}"
    path = measurements_folder() / f"{name}.json"
    write_json(path, measure(args.what, args.data))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
