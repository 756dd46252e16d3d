"""Write the record of the experiment on causes from its runs.

``python -m benchmarks.time.cause_record`` writes ``docs/results/cause.json`` from the cells that
are finished, with the curves of every run. A cell of the record whose runs are not there stays as
it is, with its own commit and date. ``--plan`` names another plan of ``benchmarks.time.cause``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.time.cause import PLANS, ROOT, SEEDS, TASKS, Cell, is_finished, measure
from stbp_edu._support.files import read_json, write_json
from stbp_edu.training import to_dict
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.trainer import QUANTILES

PLACE = ("machine", "versions")
NOT_OF_THE_CELL = ("lr", "tried", "commit", "date", "runs")
"""Keys of a row that do not say which cell it is."""


def summary(run: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return a run as the record has it: accuracy, and curves by epoch."""
    curve = run["curve"]
    return {
        "seed": seed,
        "accuracy": round(run["accuracy"], 4),
        "held_out": [round(p["held_out"], 4) for p in curve],
        "commonest": [round(p["commonest"], 3) for p in curve],
        "hidden": [round(p["hidden"], 4) for p in curve],
        "output": [round(p["output"], 4) for p in curve],
        "norms": [[float(f"{x:.3g}") for x in p["norms"]] for p in curve],
        "updates": [[float(f"{x:.3g}") for x in p["updates"]] for p in curve],
        "gains": [[round(share, 4) for share in p["gains"]] for p in curve],
    }


def names_of(cell: Cell) -> dict[str, Any]:
    """Return the part of a row that says which cell it is."""
    return {"task": cell.task, "rule": cell.rule, "arm": cell.arm, **cell.changes}


def is_of(row: dict[str, Any], cell: Cell) -> bool:
    """Return whether a row is that of a cell."""
    own = {key: value for key, value in row.items() if key not in NOT_OF_THE_CELL}
    return own == names_of(cell)


def record(
    plan: str, work: Path, earlier: dict[str, Any] | None, commit: str | None = None
) -> dict[str, Any]:
    """Return the record of a plan.

    Args:
        plan: a name of :data:`.PLANS`.
        work: where the runs are.
        earlier: the record so far, whose rows are kept where ``work`` has no runs of their cells.
        commit: of the program, where the commit of the runs was rebased.

    Raises:
        ValueError: if there is no row, or if rows were made on different machines.
    """
    rows: list[dict[str, Any]] = []
    places = [{key: earlier[key] for key in PLACE}] if earlier else []
    for cell in PLANS[plan]():
        if is_finished(cell, work):
            lr, tried, runs = measure(cell, work)
            places += [{key: run[key] for key in PLACE} for run in runs]
            rows.append({
                **names_of(cell), "lr": lr, "tried": tried,
                "commit": commit or ", ".join(sorted({run["commit"] for run in runs})),
                "date": max(run["date"] for run in runs),
                "runs": [summary(r, seed) for r, seed in zip(runs, SEEDS, strict=True)],
            })  # fmt: skip
        elif earlier:
            rows += [row for row in earlier["rows"] if is_of(row, cell)]
    if not rows:
        raise ValueError(f"{work} must hold all runs of a cell of {plan}, got none")
    if any(place != places[0] for place in places):
        raise ValueError(
            f"{work} must hold runs of one machine and one set of versions, and those of the "
            "record; move the record away to start a new one"
        )
    bases = {
        task: to_dict(Cell(task, "exact", "none").settings(0, 1.0)) for task in TASKS
    }
    for base in bases.values():
        del base["seed"], base["lr"], base["rule"]
    return {
        "command": f"python -m benchmarks.time.cause --plan {plan}",
        "commit": ", ".join(sorted({row["commit"] for row in rows})),
        "date": max(row["date"] for row in rows),
        **places[0],
        "quantiles": list(QUANTILES),
        "base": bases,
        "rows": rows,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the record of a plan."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.time.cause_record", description=__doc__
    )
    p.add_argument("--plan", choices=PLANS, default="cause", help="which cells")
    p.add_argument(
        "--work", type=Path, help="where runs are kept; runs/PLAN by default"
    )
    p.add_argument(
        "--commit", help="of the program, where the commit of the runs was rebased"
    )
    args = p.parse_args(argv)
    place = measurements_folder() / f"{args.plan}.json"
    earlier = read_json(place) if place.exists() else None
    work = args.work or ROOT / "runs" / args.plan
    write_json(place, record(args.plan, work, earlier, args.commit))
    return 0


if __name__ == "__main__":
    sys.exit(main())
