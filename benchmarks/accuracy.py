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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.files import read_json, write_json
from stbp_edu.cli.main import format_duration
from stbp_edu.cli.sweep import watch_runs
from stbp_edu.parameter_files import load_params
from stbp_edu.training.data import load_dataset
from stbp_edu.training.measurements import measurements_folder, origin, plus_minus
from stbp_edu.training.runs import PARAMS, RECORD, finish
from stbp_edu.training.settings import from_dict
from stbp_edu.training.sweeps import Plan, Results, processes, run_plan

ROOT = Path(__file__).resolve().parents[1]
PASSED = {"the earlier port": 0.9599, "the paper": 0.9889}  # accuracies to be passed
ENCODINGS = 5
CURVES = (
    "epoch",
    "loss",
    "train",
    "held_out",
    "seconds",
)  # what the pages print of each epoch


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


def measure(what: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train every row with every seed, and return the record."""
    plan, rows = PLANS[what], []
    for name, changes in plan.rows.items():
        made = run(plan, what, name, args)
        rows.append({"name": name, "changes": changes, **summary(made), "runs": made})
        print(in_words(rows[-1]), flush=True)
    command = f"python -m benchmarks.accuracy --what {what}"
    return {"title": plan.title, "command": command, "passed": PASSED, **origin(),
            "dataset": plan.dataset, "held_out": plan.held_out, "rows": rows,
            "together": plan.together and len(plan.seeds) > 1}  # fmt: skip


def run(
    plan: MeasuredTable, what: str, name: str, args: argparse.Namespace
) -> list[dict[str, Any]]:
    """Train one row with every seed, or go on where it stopped; return the records."""
    seeds = [*plan.seeds]
    folder = args.work.absolute() / what / name.replace(", ", "-").replace(" ", "-")
    held_out = {"held_out": plan.held_out, "encodings": ENCODINGS}
    row = Plan(plan.dataset, seeds, folder, plan.rows[name], **held_out)
    evaluate_again(row, args.data)
    load, count = os.getloadavg()[0], len(seeds) if plan.together else 1
    carry_out(row, count, args.data)
    return [record(row.folder / k, round(load, 2)) for k in row.runs()]


def carry_out(
    plan: Plan,
    count: int,
    data_folder: Path | None = None,
    accepted: tuple[str, ...] = (),
) -> Results:
    """Train the runs of a sweep in so many processes, or go on where it stopped.

    Args:
        plan: the runs.
        count: runs at a time.
        data_folder: folder with the files of the data set.
        accepted: how errors begin that are results, too.

    Raises:
        SystemExit: if a run failed; what is done is kept.
    """
    carry_out = processes(checks.count("processes", count))
    results = watch_runs(run_plan(plan, carry_out, data_folder), len(plan.runs()))
    errors = {
        plan.folder / run: r["error"] for run, r in results.items() if "error" in r
    }
    if failed := [
        f"{run}: {e}" for run, e in errors.items() if not e.startswith(accepted)
    ]:
        raise SystemExit(f"{'; '.join(failed)}; give the same command to go on")
    return results


def evaluate_again(row: Plan, data_folder: Path | None) -> None:
    """Evaluate trained networks that differ in ``T_test`` alone, which learning does not see."""
    for name, settings in row.runs().items():
        folder = row.folder / name
        for path in (
            []
            if folder.exists()
            else sorted(folder.parents[1].glob(f"*/{name}/{RECORD}"))
        ):
            found = read_json(path)
            if (
                replace(from_dict(found["settings"]), T_test=settings.T_test)
                == settings
            ):
                data = load_dataset(row.dataset, data_folder, row.held_out)
                params = load_params(path.with_name(PARAMS))
                finish(row.config(name, settings, data), params, found["curves"])
                record(folder, found["load_before"])
                break


def record(folder: Path, load: float) -> dict[str, Any]:
    """Return the record of a finished run; it keeps the load of the machine before its row."""
    done = {"load_before": load, **read_json(folder / RECORD)}
    write_json(folder / RECORD, done)
    curves = [{k: round(p[k], 5) for k in CURVES if k in p} for p in done["curves"]]
    return {**done, "curves": curves}


def summary(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and spread over the seeds, and the mean time of a run."""
    accuracy = over_seeds([r["accuracy"]["mean"] for r in records])
    return {
        "accuracy": accuracy,
        "seconds": float(np.mean([r["seconds"] for r in records])),
    }


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Return the mean of a value for each seed, and the standard deviation (n - 1) if several."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "spread": spread, "seeds": values}


def in_words(row: dict[str, Any]) -> str:
    """Return a row as a line of text."""
    a, time = row["accuracy"], format_duration(row["seconds"])
    wide = plus_minus(a["seeds"])
    return f"{row['name']:<32} {a['mean']:.2%}{wide} over {len(a['seeds'])} seeds, {time} each"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, measure, and write the record."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=__doc__
    )
    p.add_argument("--what", choices=sorted(PLANS), required=True)
    p.add_argument("--data", type=Path, help="folder with the IDX files")
    p.add_argument(
        "--work", type=Path, default=ROOT / "runs/results", help="where runs are kept"
    )
    p.add_argument(
        "--out", type=Path, default=measurements_folder(), help="folder of the record"
    )
    args = p.parse_args(argv)
    name = PLANS[args.what].dataset
    path = (
        args.out / f"{name if name.endswith(args.what) else f'{name}-{args.what}'}.json"
    )
    write_json(path, measure(args.what, args))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
