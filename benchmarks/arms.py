"""Rerun any arm of the experiments on tasks of time: a task, a rule, and one thing that is changed.

``python -m benchmarks.arms delayed-xor exact sign`` trains one *cell*: its learning rate is chosen
on validation data with seeds of its own, then 20 runs are made at that rate. ``--lr 0.01`` fixes
the rate, ``--seeds 0:5`` names the seeds, and ``a=0.045 T=59`` changes settings of the task::

    python -m benchmarks.arms delayed-xor classic none hidden=[64,64] --lr 0.01 --seeds 0:5
    python -m benchmarks.arms --plan docs/results/sign-predictions.json --out runs/sign.json

A plan is a file of predictions, or a record: each line names its cell. ``--only time-deep`` takes
the rows of one source. A cell becomes a row of the record ``--out``; a row that is there is kept.
``--cosines`` adds how alike the gradients of two batches are, in ten runs of the exact rule.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm_run import (
    Arm,
    Run,
    clipped_entries,
    clipped_neurons,
    clipped_norm,
    signs,
    signs_of,
    signs_with_norm,
    sizes_shuffled,
    unit_norm,
)
from stbp_edu._support.files import read_json, write_json
from stbp_edu.program.threads import limit_threads, one_blas_thread
from stbp_edu.training import RECIPES, Dataset, Settings
from stbp_edu.training.data import load_dataset
from stbp_edu.training.measurements import environment, origin

SEEDS = range(4000, 4020)
TUNING_SEEDS = range(3000, 3003)
RATES = (0.003, 0.01, 0.03)
FIRST_RATES = {"sgd": (0.03, 0.1, 0.3), "lion": (0.0003, 0.001, 0.003)}
AT_MOST = 6  # learning rates that are tried for a cell
COMMAND = "python -m benchmarks.arms --plan docs/results/sign-predictions.json"
MOMENTS = (0, 1, 4, 8)  # epochs before which gradients of two batches are compared
PAIRS = 100
PREDICTIONS = Path(__file__).parents[1] / "docs" / "results" / "sign-predictions.json"

TASKS: dict[str, dict[str, Any]] = {
    "delayed-xor": {"epochs": 12, "a": 0.02},
    "digits-by-rows": {"epochs": 20, "a": 0.02},
    # The notes' threshold and rectangle, each digit as a steady current.
    "digits": {
        "hidden": (128,), "T": 20, "v_th": 1.5, "surrogate": "rectangle", "a": 1.0,
        "encoder": "direct", "init_scale": 2.0, "epochs": 12,
    },
    "mnist": {"epochs": 4, "hidden": (128,), "shift": 0, "T_test": 0, "schedule": "constant",
              "averaging": 0.0, "init_scale": 1.0},
}  # fmt: skip
"""What each task changes in the package's recipe of this name."""


def changed(**settings: Any) -> Arm:
    """Return an arm that only changes settings."""
    return Arm(settings)


ARMS: dict[str, Arm] = {
    "none": Arm(),
    "sign": Arm(gradient=signs),
    "sign of layer 1": Arm(gradient=signs_of("W1", "b1")),
    "sign of the output": Arm(gradient=signs_of("W2", "b2")),
    "unit norm": Arm(gradient=unit_norm),
    "sign times norm": Arm(gradient=signs_with_norm),
    "sizes shuffled": Arm(gradient=sizes_shuffled),
    **{f"clip {c:g}": Arm(gradient=clipped_norm(c)) for c in (1.0, 0.05)},
    **{f"clip neuron {c:g}": Arm(gradient=clipped_neurons(c)) for c in (0.1, 0.01)},
    **{f"clip entry {c:g}": Arm(gradient=clipped_entries(c)) for c in (0.01, 0.001)},
    "beta2 0.9": changed(beta2=0.9),
    "beta2 0.99": changed(beta2=0.99),
    **{f"limit {k:g}": changed(gain_limit=k) for k in (0.5, 0.8, 1.5, 2.0, 5.0)},
    "limit": changed(gain_limit=1.0),
    "limit, beta2 0.9": changed(gain_limit=1.0, beta2=0.9),
    "limit, sign": Arm({"gain_limit": 1.0}, signs),
    "absolute gains": Arm(gains="absolute"),
    "random gains": Arm(gains="random"),
    "lower surrogate": Arm(height=0.3),
    "rmsprop": changed(momentum=0.0),
    "sign, no momentum": Arm({"momentum": 0.0}, signs),
    **{f"eps {e:g}": Arm(eps=e) for e in (1e-4, 1e-2)},
    "amsgrad": Arm(update="amsgrad"),
    "warm-up": Arm(update="warm-up"),
    "size of sign": Arm(update="size of sign"),
    "direction of sign": Arm(update="direction of sign"),
    **{
        name: Arm(update=name)
        for name in ("noise", "noise where frozen", "noise where moving")
    },
    "batch 256": changed(batch=256, epochs=48),
    "lion": Arm(update="lion"),
    "sgd": Arm(update="sgd"),
    "sgd, sign": Arm(gradient=signs, update="sgd"),
    "sgd, unit norm": Arm(gradient=unit_norm, update="sgd"),
}


@dataclass(frozen=True)
class Cell:
    """What is trained with several seeds: a task, a rule, an arm, and changes of the task."""

    task: str
    rule: str
    arm: str
    changes: dict[str, Any] = field(default_factory=dict)

    def run(self, seed: int, lr: float, held_out: str = "test") -> dict[str, Any]:
        """Train one run, and return what it showed."""
        return Run(
            self.settings(seed, lr), load(self.task, held_out), ARMS[self.arm]
        ).train()

    def settings(self, seed: int, lr: float) -> Settings:
        """Return the settings of one run."""
        changes = {**TASKS[self.task], **ARMS[self.arm].settings, **self.changes}
        return replace(RECIPES[self.task], rule=self.rule, seed=seed, lr=lr, **changes)

    @property
    def names(self) -> dict[str, Any]:
        """What names the row of the cell."""
        named = {"task": self.task, "rule": self.rule, "arm": self.arm}
        return {**named, "changes": self.changes}


def best_rate(mean: dict[float, float]) -> float:
    """Return the rate with the highest accuracy: of equals that by 0.01; 0 without any."""
    by = lambda lr: (mean[lr], -abs(math.log(lr / 0.01)))  # noqa: E731
    return max(mean, key=by, default=0.0)


Planned = tuple[Cell, float | None, Sequence[int]]


@cache
def load(task: str, held_out: str) -> Dataset:
    """Return the data of a task."""
    return load_dataset(task, held_out=held_out)


def chosen_rate(cell: Cell) -> tuple[float, dict[float, float]]:
    """Return the rate that serves a cell best on validation data, and what was tried.

    The grid grows threefold as long as its best is at an edge.
    """
    wanted = [*FIRST_RATES.get(cell.arm, RATES)]
    tried: dict[float, float] = {}
    while wanted and len(tried) < AT_MOST:
        for lr in wanted:
            runs = [cell.run(seed, lr, "validation") for seed in TUNING_SEEDS]
            tried[lr] = float(np.mean([run["accuracy"] for run in runs]))
        best = best_rate(tried)
        beyond = {min(tried): best / 3, max(tried): best * 3}
        wanted = [float(f"{beyond[best]:.1g}")] if best in beyond else []
    return best_rate(tried), tried


def trained(cell: Cell, lr: float | None, seeds: Sequence[int]) -> dict[str, Any]:
    """Train a cell with several seeds, and return its row."""
    rate, tried = (lr, {}) if lr else chosen_rate(cell)
    runs = [cell.run(seed, rate) for seed in seeds]
    sized = [run for run in runs if "size" in run]
    means = {
        name: np.mean([run[name] for run in sized], axis=0).round(4).tolist()
        for name in ("size", "frozen") if sized
    }  # fmt: skip
    return {
        **cell.names, "lr": rate, "fixed": lr is not None,
        "tried": {f"{k:g}": round(accuracy, 4) for k, accuracy in tried.items()},
        "seeds": f"{seeds[0]}:{seeds[-1] + 1}",
        "accuracy": [run["accuracy"] for run in runs], **means,
    }  # fmt: skip


def planned(path: Path, only: str = "") -> Iterator[Planned]:
    """Yield the cells of a plan, each with its rate, None where it is chosen, and its seeds."""
    plan = read_json(path)
    for line in plan.get("predictions") or plan["rows"]:
        if only in line.get("from", ""):
            cell = Cell(
                line["task"], line["rule"], line["arm"], line.get("changes", {})
            )
            seeds = SEEDS[: line.get("n", len(SEEDS))]
            if "seeds" in line:
                seeds = range(*map(int, line["seeds"].split(":")))
            yield cell, line.get("lr"), seeds


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
    """Train a cell, or those of a plan."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.arms", description=__doc__)
    p.add_argument("cell", nargs="*", help="TASK RULE ARM name=value...")
    p.add_argument("--plan", type=Path, help="a file of predictions, or a record")
    p.add_argument("--only", default="", help="text in the source of a record's rows")
    p.add_argument(
        "--out", type=Path, default=Path("runs/arms.json"), help="the record"
    )
    p.add_argument("--lr", type=float, help="the learning rate; chosen if not given")
    p.add_argument("--seeds", default="4000:4020", help="FIRST:END")
    p.add_argument("--cosines", action="store_true", help="compare batches")
    args = p.parse_args(argv)
    wanted = [*planned(args.plan, args.only)] if args.plan else []
    if args.cell:
        task, rule, arm, *pairs = args.cell
        changes = dict(pair.split("=", 1) for pair in pairs)
        cell = Cell(task, rule, arm, {k: json.loads(v) for k, v in changes.items()})
        wanted = [(cell, args.lr, range(*map(int, args.seeds.split(":"))))]
    made = {"name": "sign", "command": COMMAND, **origin(), **environment()}
    record = {"sources": [made], "rows": [], "cosines": []}
    if args.out.exists():
        record = read_json(args.out)
    limit_threads(1)
    with one_blas_thread():
        for cell, lr, seeds in wanted:
            named = {**cell.names, "fixed": lr is not None}
            rows = [row for row in record["rows"] if named.items() <= row.items()]
            if not rows:
                rows = [trained(cell, lr, seeds)]
                record["rows"] += rows
                write_json(args.out, record)
            right = np.array(rows[0]["accuracy"])
            print(
                *cell.names.values(),
                f"rate {rows[0]['lr']:g}, mean {right.mean():.3f}, above 0.95: "
                f"{(right > 0.95).sum()} of {len(right)}",
                flush=True,
            )
        if args.cosines:
            record["cosines"] = [row for seed in SEEDS[:10] for row in cosines(seed)]
            write_json(args.out, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
