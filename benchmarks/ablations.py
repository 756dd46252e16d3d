"""Ablations on the digits: the accuracy of each variant, all on the same footing.

``python -m benchmarks.ablations`` trains every variant and writes the record that the notebook
``what_matters`` reads. Footing: the same network, data, budget and seeds for all, and each variant
with the learning rate, out of three, that serves it best on validation images, which are taken from
the training images. Every seed is tested on the same images, so that differences between variants
are paired. Each variant is two sweeps, as of ``stbp-edu sweep``: the same command goes on where a
run was interrupted, and trains nothing again.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import ENCODINGS, ROOT, carry_out, over_seeds
from stbp_edu._support.files import read_json, write_json
from stbp_edu.training import RECIPES, load_digits, to_dict
from stbp_edu.training.evaluation import SILENT
from stbp_edu.training.measurements import environment, measurements_folder, origin
from stbp_edu.training.plans import Plan
from stbp_edu.training.runs import RECORD

NAME = "ablations-digits.json"
SEEDS = (0, 1, 2, 3)
TUNING_SEED = 100
RATES = (1e-3, 3e-3, 9e-3)
BASE: dict[str, Any] = {"hidden": (128,), "T": 10, "init_scale": 0.5, "epochs": 12}
RULES = ("exact", "classic", "detached-reset", "leak-only", "spatial-only")
DIVERGED = (
    "ValueError: the run diverged"  # a result of its variant, no better than to guess
)
GUESS: dict[str, Any] = {"accuracy": 1 / 10, "silent": []}


def width(surrogate: str, w: float) -> float:
    """Return the ``a`` that gives this surrogate the peak 1/w, so that w = area / peak."""
    curves = {"rectangle": w, "triangle": 4 / w**2, "sigmoid": w / 4}
    return (curves | {"gaussian": w**2 / (2 * np.pi)})[surrogate]


def variants() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield (table, what is shown of it, what is changed in BASE)."""
    for tau in (0.1, 0.5, 0.9):
        for rule in RULES:
            yield "rule", {"rule": rule, "tau": tau}, {"rule": rule, "tau": tau}
    for name in ("rectangle", "triangle", "sigmoid", "gaussian"):
        for w in (0.5, 1.0, 2.0, 4.0):
            change = {"surrogate": name, "a": round(float(width(name, w)), 6)}
            yield "surrogate", {"surrogate": name, "w": w}, change
    for T in (1, 2, 5, 20):
        for rule in ("exact", "spatial-only"):
            yield "T", {"T": T, "rule": rule}, {"T": T, "rule": rule}
    for tau in (0.1, 0.5, 0.9):
        yield "gate", {"gate": "linear", "tau": tau}, {"gate": "linear", "tau": tau}
    for scheme, scale in (("uniform", 1.0), ("uniform", 2.0), ("unit-rows", 1.0)):
        shown = {"init": scheme, "init_scale": scale}
        yield "init", shown, shown
    # Large weights, so that the output layer is not silent at the start.
    hard = {"v_th": 1.5, "a": 1.0, "T": 20, "init_scale": 2.0}
    for encoder in ("bernoulli", "direct"):
        for name in ("rectangle", "gaussian"):
            for rule in ("exact", "classic", "detached-reset"):
                shown = {"encoder": encoder, "surrogate": name, "rule": rule}
                yield "threshold", shown, {**hard, **shown}


def measure(
    table: str, shown: dict[str, Any], changes: dict[str, Any], work: Path, count: int
) -> dict[str, Any]:
    """Return the row of one variant: its learning rate, then a run for each seed.

    Raises:
        SystemExit: if a run failed, or is of another machine or other versions.
    """
    folder = work / table / ",".join(f"{name}={value}" for name, value in shown.items())
    base, axes = {**BASE, **changes}, {"lr": [*RATES]}
    tuned = Plan(
        "digits", [TUNING_SEED], folder / "tuning", base, axes, "validation", ENCODINGS
    )
    tuning = dict(
        zip(RATES, (run["accuracy"] for run in outcomes(tuned, count)), strict=True)
    )
    base["lr"] = max(RATES, key=tuning.__getitem__)
    runs = outcomes(
        Plan("digits", [*SEEDS], folder / "test", base, encodings=ENCODINGS), count
    )
    accuracy, silent = ([run[k] for run in runs] for k in ("accuracy", "silent"))
    return {
        "table": table, "shown": shown, "changes": changes, "lr": base["lr"], "tuning": tuning,
        "accuracy": over_seeds(accuracy), "silent": silent,
    }  # fmt: skip


def outcomes(plan: Plan, count: int) -> list[dict[str, Any]]:
    """Train the runs of a plan, so many at a time; return what :func:`outcome` says of each."""
    results = carry_out(plan, count, accepted=(DIVERGED,))
    return [
        GUESS if "error" in results[run] else outcome(plan.folder / run)
        for run in plan.runs()
    ]


def outcome(folder: Path) -> dict[str, Any]:
    """Return the accuracy of a finished run, and the outputs silent in its last epoch."""
    found, here = read_json(folder / RECORD), environment()
    if here != {key: found[key] for key in here}:
        raise SystemExit(f"{folder} is of another machine or other versions; remove it")
    rates = found["curves"][-1]["outputs"]
    silent = [k for k, rate in enumerate(rates) if rate < SILENT]
    return {"accuracy": found["accuracy"]["mean"], "silent": silent}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every variant, or go on where it stopped, and write the record."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.ablations", description=__doc__
    )
    cores = os.cpu_count() or 1
    p.add_argument(
        "--processes", type=int, default=cores, help="runs at a time (%(default)s)"
    )
    p.add_argument(
        "--work", type=Path, default=ROOT / "runs/ablations", help="where runs are kept"
    )
    p.add_argument(
        "--out", type=Path, default=measurements_folder(), help="folder of the record"
    )
    args = p.parse_args(argv)
    work, count, data = args.work.absolute(), args.processes, load_digits()
    rows = [measure(*variant, work, count) for variant in variants()]
    record = {
        "what": "Ablations on the UCI digits; accuracies on images that were held out",
        "command": "python -m benchmarks.ablations",
        "base": to_dict(replace(RECIPES["digits"], **BASE)),
        "seeds": SEEDS, "learning_rates": RATES, "encodings": ENCODINGS,
        "test_images": len(data.test_labels), "train_images": len(data.train_labels),
        **environment(), **origin(), "rows": rows,
    }  # fmt: skip
    write_json(args.out / NAME, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
