"""The record of the runs that ``benchmarks.arms`` has logged, and of how alike gradients are.

``python -m benchmarks.arm_record --out runs/arms.jsonl`` writes ``docs/results/sign.json``: a row
for each cell of the predictions that has runs. With ``--cosines 10`` it first measures, in ten runs
of the exact rule, the cosine between the gradients of two batches, and logs it beside the runs.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm_run import Run
from benchmarks.arms import (
    ARMS,
    PREDICTIONS,
    SEEDS,
    Cell,
    Log,
    Planned,
    best_rate,
    load,
    planned,
)
from stbp_edu._support.files import write_json
from stbp_edu.program.threads import limit_threads, one_blas_thread
from stbp_edu.training.measurements import environment, origin

RECORD = PREDICTIONS.with_name("sign.json")
COMMAND = "python -m benchmarks.arms --plan docs/results/sign-predictions.json"
MEASURED = ("accuracy", "size", "frozen", "seconds", "diverged")
"""What a run shows; the rest of its line names it."""
SHORT: tuple[Planned, ...] = tuple(
    (Cell("mnist", "exact", arm, {"epochs": 1}), 0.003, SEEDS)
    for arm in ("none", "sign")
)
"""Cells that were not predicted: what the sign costs where all is well."""
MOMENTS = (0, 1, 4, 8)
"""The epochs before which gradients are compared."""
PAIRS = 100


def record(
    runs: Sequence[dict[str, Any]], plan: Sequence[Planned]
) -> list[dict[str, Any]]:
    """Return a row for each cell of a plan that has runs, with all of them."""
    rows = []
    for cell, lr, _ in plan:
        own = [
            run for run in runs
            if cell.key().items() <= run.items()
            and {*run} - {*MEASURED} == {*cell.key(seed=0, lr=0, held_out="")}
        ]  # fmt: skip
        tried: dict[float, list[float]] = {}
        for run in own:
            if run["held_out"] == "validation":
                tried.setdefault(run["lr"], []).append(run["accuracy"])
        rate = lr or best_rate({k: float(np.mean(v)) for k, v in tried.items()})
        made = [
            run for run in own if run["held_out"] == "test" and run["lr"] == rate
        ]  # fmt: skip
        made = [
            *{run["seed"]: run for run in reversed(made)}.values()
        ]  # the first of each
        made.sort(key=lambda run: run["seed"])
        if len(made) > 2:
            sized = [run for run in made if "size" in run]
            means = {
                name: np.mean([run[name] for run in sized], axis=0).round(4).tolist()
                for name in ("size", "frozen") if sized
            }  # fmt: skip
            rows.append({
                "from": "sign", "task": cell.task, "rule": cell.rule, "arm": cell.arm,
                "changes": cell.changes, "lr": rate, "fixed": lr is not None,
                "tried": {f"{k:g}": round(float(np.mean(v)), 4) for k, v in tried.items()},
                "seeds": f"{made[0]['seed']}:{made[-1]['seed'] + 1}",
                "accuracy": [run["accuracy"] for run in made], **means,
            })  # fmt: skip
    return rows


def cosines(seed: int) -> Iterator[dict[str, Any]]:
    """Yield, at four moments of a run of the exact rule, the mean cosine of two batches' gradients.

    Both gradients are at the same weights, of batches that are drawn independently, under each of
    some rules; with it comes the largest norm over the median one.
    """
    cell = Cell("delayed-xor", "exact", "none")
    run = Run(cell.settings(seed, 0.01), load(cell.task, "test"))
    rng = np.random.default_rng([seed, 98])
    kinds = {
        "exact": cell, "limit": Cell(cell.task, "exact", "limit"),
        "absolute gains": Cell(cell.task, "exact", "absolute gains"),
        "detached-reset": Cell(cell.task, "detached-reset", "none"),
    }  # fmt: skip
    others = {
        name: Run(kind.settings(seed, 0.01), run.data, ARMS[kind.arm])
        for name, kind in kinds.items()
    }
    for epoch in range(MOMENTS[-1] + 1):
        if epoch in MOMENTS:
            for name, other in others.items():
                other.p[:] = run.p
                found, norms = [], []
                for _ in range(PAIRS):
                    chosen = rng.choice(
                        len(run.data.train_labels), (2, 64), replace=False
                    )
                    one, two = (
                        other.gradient(
                            run.data.train_images[k], run.data.train_labels[k], rng
                        ).astype(float)
                        for k in chosen
                    )
                    norms += [float(np.linalg.norm(one)), float(np.linalg.norm(two))]
                    found.append([
                        cosine(one, two), cosine(np.sign(one), np.sign(two))
                    ])  # fmt: skip
                mean, of_signs = np.mean(found, axis=0).round(4).tolist()
                yield {
                    "rule": name, "seed": seed, "updates": epoch * 100, "cosine": mean,
                    "of signs": of_signs, "tail": float(np.max(norms) / np.median(norms)),
                }  # fmt: skip
        for batch in run.batches(epoch):
            run.update(run.gradient(*batch), 0.01)


def cosine(one: Any, two: Any) -> float:
    """Return the cosine of two arrays; 0 where one is 0."""
    length = float(np.linalg.norm(one) * np.linalg.norm(two))
    return float(one @ two) / length if length else 0.0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure cosines where asked, and write the record."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.arm_record", description=__doc__
    )
    p.add_argument("--out", type=Path, default=Path("runs/arms.jsonl"), help="the runs")
    p.add_argument("--cosines", type=int, default=0, help="runs to measure cosines in")
    p.add_argument("--commit", help="of the program that made the runs, if another")
    args = p.parse_args(argv)
    log = Log(args.out)
    limit_threads(1)
    with one_blas_thread():
        for seed in SEEDS[: args.cosines]:
            for found in cosines(seed):
                log.add(found)
    made = {"name": "sign", "command": COMMAND, **origin(), **environment()}
    made["commit"] = args.commit or made["commit"]
    trained = [run for run in log.runs if "updates" not in run]
    write_json(RECORD, {
        "sources": [made],
        "rows": record(trained, [*planned(PREDICTIONS), *SHORT]),
        "cosines": [run for run in log.runs if "updates" in run],
    })  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
