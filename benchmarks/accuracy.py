"""Accuracies on MNIST and Fashion-MNIST: one command and one published record for each table.

``python -m benchmarks.accuracy --what ladder`` trains every rung with every seed and writes
``docs/results/mnist-ladder.json``. What is done already is not trained again, and a run that was
interrupted goes on from its last checkpoint: give the same command.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np

from benchmarks.accuracy_plans import PLANS, Plan
from stbp_edu.cli.progress_bar import format_duration, tell, watch
from stbp_edu.files import load_params, read_json, write_json
from stbp_edu.training import runs
from stbp_edu.training.data import Dataset, load_dataset, validation
from stbp_edu.training.settings import RECIPES, from_dict

ROOT = Path(__file__).resolve().parents[1]
PASSED = {"the earlier port": 0.9599, "the paper": 0.9889}  # accuracies to be passed
ENCODINGS = 5
CURVES = ("epoch", "loss", "train", "held_out", "seconds")  # what the pages print of each epoch


def measure(what: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train every row with every seed, and return the record."""
    plan = PLANS[what]
    seeds = args.seeds or plan.seeds
    if plan.together and len(seeds) > 1:
        side_by_side(what, seeds, args)
    data = load_dataset(plan.dataset, args.data, tell)
    if plan.held_out == "validation":
        data = validation(data, fraction=1 / 6)  # 10,000 images, as many as the test images
    rows = []
    for name, changes in plan.rows.items():
        if not args.only or name in args.only:
            made = [run(plan, what, name, changes, seed, data, args) for seed in seeds]
            rows.append({"name": name, "changes": changes, **summary(made), "runs": made})
            print(in_words(rows[-1]), flush=True)
    command = f"python -m benchmarks.accuracy --what {what}"
    return {"title": plan.title, "command": command, "passed": PASSED,
            "dataset": plan.dataset, "held_out": plan.held_out, "rows": rows,
            "together": plan.together and len(seeds) > 1}  # fmt: skip


def side_by_side(what: str, seeds: Sequence[int], args: argparse.Namespace) -> None:
    """Train each seed in a process of its own; the results are in the work folder afterwards.

    Raises:
        SystemExit: if one of them failed; the process has printed why.
    """
    given = ["--what", what, "--work", str(args.work)]
    for name in ("data", "epochs"):
        if (value := getattr(args, name)) is not None:
            given += [f"--{name}", str(value)]
    with tempfile.TemporaryDirectory() as nowhere:
        command = [sys.executable, "-m", "benchmarks.accuracy", *given, "--out", nowhere]
        rows = ["--only", *args.only] if args.only else []
        started = [Popen([*command, "--seeds", str(seed), *rows], cwd=ROOT) for seed in seeds]
        if any([process.wait() for process in started]):  # a list: wait for all of them
            raise SystemExit("not all seeds are done; give the same command to go on")


def run(
    plan: Plan,
    what: str,
    name: str,
    changes: dict[str, Any],
    seed: int,
    data: Dataset,
    args: argparse.Namespace,
) -> dict[str, Any]:
    """Train one row with one seed, or go on where it stopped; return its record."""
    given = {} if args.epochs is None else {"epochs": args.epochs}
    settings = replace(RECIPES[plan.dataset], **{**changes, **given}, seed=seed)
    folder = args.work / what / name.replace(", ", "-").replace(" ", "-") / str(seed)
    config = runs.RunConfig(plan.dataset, settings, data, folder, plan.held_out, ENCODINGS)
    start, done = runs.earlier_work(config, resume=True)
    if done is None and start is None:
        done = evaluated_again(config, folder.parents[1])
    if done is None:
        load = os.getloadavg()[0]
        show = partial(watch, settings=settings, label=f"{name}, seed {seed}")
        done = {**runs.train_in_folder(config, show, resume=True), "load_before": round(load, 2)}
        write_json(folder / runs.RECORD, done)
    return {**done, "curves": [{k: round(p[k], 5) for k in CURVES} for p in done["curves"]]}


def evaluated_again(config: runs.RunConfig, rows: Path) -> dict[str, Any] | None:
    """Evaluate a trained network that differs in ``T_test`` alone, which learning does not see."""
    for path in sorted(rows.glob(f"*/{config.settings.seed}/{runs.RECORD}")):
        found = read_json(path)
        if replace(from_dict(found["settings"]), T_test=config.settings.T_test) == config.settings:
            params = load_params(path.with_name(runs.PARAMS))
            done = runs.finish(config, params, found["curves"])
            done["load_before"] = found["load_before"]
            write_json(config.folder / runs.RECORD, done)
            return done
    return None


def summary(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and spread over the seeds, and when the known accuracies were passed."""
    means = [r["accuracy"]["mean"] for r in records]
    return {
        "accuracy": {"mean": float(np.mean(means)), "spread": spread(means), "seeds": means},
        "seconds": float(np.mean([r["seconds"] for r in records])),
        "passed_after": {
            name: [seconds_to(r["curves"], goal) for r in records] for name, goal in PASSED.items()
        },
    }


def spread(values: Sequence[float]) -> float | None:
    """Return the standard deviation (n - 1); None for one value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def seconds_to(curves: Sequence[dict[str, Any]], goal: float) -> float | None:
    """Return the seconds of training until the accuracy first passed a goal; None if never."""
    total = 0.0
    for point in curves:
        total += point["seconds"]
        if point["held_out"] > goal:
            return total
    return None


def in_words(row: dict[str, Any]) -> str:
    """Return a row as a line of text."""
    a = row["accuracy"]
    wide = "" if a["spread"] is None else f" ± {a['spread']:.2%}"
    return (
        f"{row['name']:<32} {a['mean']:.2%}{wide} over {len(a['seeds'])} seeds, "
        f"{format_duration(row['seconds'])} each"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, measure, and write the record."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    p.add_argument("--what", choices=sorted(PLANS), required=True)
    p.add_argument("--only", nargs="+", metavar="ROW", help="these rows alone")
    p.add_argument("--seeds", nargs="+", type=int, help="(0 1 2)")
    p.add_argument("--epochs", type=int, help="fewer epochs, for a trial")
    p.add_argument("--data", type=Path, help="folder with the IDX files")
    p.add_argument("--work", type=Path, default=ROOT / "runs/results", help="where runs are kept")
    p.add_argument(
        "--out", type=Path, default=runs.measurements_folder(), help="folder of the record"
    )
    args = p.parse_args(argv)
    if unknown := sorted(set(args.only or ()) - set(PLANS[args.what].rows)):
        p.error(f"--only must name rows of {sorted(PLANS[args.what].rows)}, got {unknown}")
    whole = not (args.only or args.seeds or args.epochs)
    name = f"{PLANS[args.what].dataset}-{args.what}" + ("" if whole else "-part")
    for twice in ("fashion", "conv"):
        name = name.replace(f"{twice}-{twice}", twice)
    path = args.out / f"{name}.json"
    write_json(path, measure(args.what, args))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
