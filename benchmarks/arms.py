"""Rerun any arm of the experiments on tasks of time: a task, a rule, and one thing that is changed.

``python -m benchmarks.arms delayed-xor exact sign`` trains one *cell*: its learning rate is chosen
on validation data with seeds of its own, then 20 runs are made at that rate. ``--lr 0.01`` fixes
the rate, ``--seeds 0:5`` names the seeds, and ``a=0.045 T=59`` changes settings of the task::

    python -m benchmarks.arms delayed-xor classic none hidden=[64,64] --lr 0.01 --seeds 0:5
    python -m benchmarks.arms --plan docs/results/sign-predictions.json --out runs/sign.jsonl

A plan is a file of predictions, or a record: each line names its cell. ``--only time-deep`` takes
the rows of one source. Every run is appended to ``--out`` as a line of JSON; a run that is there
already is not made again. ``python -m benchmarks.arm_record`` makes a record of them.
"""

import argparse
import json
import math
import sys
import time
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
from stbp_edu._support.files import read_json
from stbp_edu.program.threads import limit_threads, one_blas_thread
from stbp_edu.training import RECIPES, Dataset, Settings
from stbp_edu.training.data import load_dataset

SEEDS = range(4000, 4020)
TUNING_SEEDS = range(3000, 3003)
RATES = (0.003, 0.01, 0.03)
AT_MOST = 6  # learning rates that are tried for a cell
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

    def key(self, **more: Any) -> dict[str, Any]:
        """Return what names a run of the cell."""
        return {
            "task": self.task,
            "rule": self.rule,
            "arm": self.arm,
            **self.changes,
            **more,
        }


def best_rate(mean: dict[float, float]) -> float:
    """Return the rate with the highest accuracy: of equals that by 0.01; 0 without any."""
    by = lambda lr: (mean[lr], -abs(math.log(lr / 0.01)))  # noqa: E731
    return max(mean, key=by, default=0.0)


Planned = tuple[Cell, float | None, Sequence[int]]


@cache
def load(task: str, held_out: str) -> Dataset:
    """Return the data of a task."""
    return load_dataset(task, held_out=held_out)


class Log:
    """The runs in a file, a line of JSON each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.runs = [json.loads(line) for line in lines]

    def run(
        self, cell: Cell, seed: int, lr: float, held_out: str = "test"
    ) -> dict[str, Any]:
        """Return a run, which is made if it is not there."""
        key = cell.key(seed=seed, lr=lr, held_out=held_out)
        for run in self.runs:
            if all(run.get(name) == value for name, value in key.items()):
                return dict(run)
        begun = time.perf_counter()
        found = {**key, **cell.run(seed, lr, held_out)}
        found["seconds"] = round(time.perf_counter() - begun, 2)
        self.add(found)
        return found

    def add(self, found: dict[str, Any]) -> None:
        """Append a line."""
        self.runs.append(found)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(found) + "\n")

    def chosen_rate(self, cell: Cell, seeds: Sequence[int] = TUNING_SEEDS) -> float:
        """Return the rate that serves a cell best on validation data: of equals that by 0.01.

        The grid grows threefold as long as its best is at an edge.
        """
        rates = [*RATES]
        if cell.arm.startswith("sgd"):
            rates = [0.001, 0.003, 0.01] if cell.arm != "sgd" else [0.03, 0.1, 0.3]
        if cell.arm == "lion":
            rates = [0.0003, 0.001, 0.003]
        while True:
            mean = {
                lr: np.mean(
                    [self.run(cell, s, lr, "validation")["accuracy"] for s in seeds]
                )
                for lr in rates
            }
            best = best_rate(mean)
            if len(rates) >= AT_MOST or best not in (rates[0], rates[-1]):
                return best
            lower = best == rates[0]
            new = float(f"{best / 3 if lower else best * 3:.1g}")
            rates.insert(0 if lower else len(rates), new)


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


def main(argv: Sequence[str] | None = None) -> int:
    """Train a cell, or those of a plan."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.arms", description=__doc__)
    p.add_argument("cell", nargs="*", help="TASK RULE ARM name=value...")
    p.add_argument("--plan", type=Path, help="a file of predictions, or a record")
    p.add_argument("--only", default="", help="text in the source of a record's rows")
    p.add_argument("--out", type=Path, default=Path("runs/arms.jsonl"), help="the runs")
    p.add_argument("--lr", type=float, help="the learning rate; chosen if not given")
    p.add_argument("--seeds", default="4000:4020", help="FIRST:END")
    args = p.parse_args(argv)
    log = Log(args.out)
    limit_threads(1)
    if args.plan:
        wanted = [*planned(args.plan, args.only)]
    else:
        (task, rule, arm), pairs = (
            args.cell[:3],
            [x.split("=", 1) for x in args.cell[3:]],
        )
        cell = Cell(task, rule, arm, {name: json.loads(value) for name, value in pairs})
        wanted = [(cell, args.lr, range(*map(int, args.seeds.split(":"))))]
    with one_blas_thread():
        for cell, lr, seeds in wanted:
            rate = lr or log.chosen_rate(cell)
            runs = [log.run(cell, seed, rate) for seed in seeds]
            right = [run["accuracy"] for run in runs]
            above = sum(x > 0.95 for x in right)
            said = " ".join(map(str, cell.key().values()))
            print(
                f"{said}: rate {rate:g}, mean {np.mean(right):.3f}, above 0.95: "
                f"{above} of {len(right)}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
