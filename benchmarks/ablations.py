"""Ablations on the digits: the accuracy of each variant, all on the same footing.

``OMP_NUM_THREADS=1 python -m benchmarks.ablations`` trains every variant and writes the record
that notebook 15 reads. Footing: the same network, data, budget and seeds for all, and each
variant with the learning rate, out of three, that serves it best. The rate is chosen on a
development set of a fifth of the images, which is never tested on; each seed draws its own test
images from the rest, the same for every variant, so that differences between variants are paired.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from tqdm import tqdm

from stbp_edu.files import write_json
from stbp_edu.training import (
    Advice,
    Dataset,
    Epoch,
    Settings,
    evaluate,
    load_digits,
    split,
    to_dict,
    train,
)
from stbp_edu.training.runs import environment, measurements_folder

RECORD = measurements_folder() / "ablations-digits.json"
SEEDS = (0, 1, 2, 3)
TUNING_SEED = 100
RATES = (1e-3, 3e-3, 9e-3)
ENCODINGS = 5
BASE = Settings(
    hidden=(128,), T=10, tau=0.1, v_th=0.5, surrogate="gaussian", a=0.25, init_scale=0.5,
    batch=32, epochs=12,
)  # fmt: skip
RULES = ("exact", "classic", "detached-reset", "leak-only", "spatial-only")


def width(surrogate: str, w: float) -> float:
    """Return the ``a`` that gives this surrogate the peak 1/w, so that w = area / peak."""
    return {
        "rectangle": w,
        "triangle": 4 / w**2,
        "sigmoid": w / 4,
        "gaussian": w**2 / (2 * np.pi),
    }[surrogate]


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


def folds(seed: int) -> Dataset:
    """Return this seed's images: test images from outside the development set, the rest to learn.

    Development images are learned from here, never tested on.
    """
    data = load_digits()
    part = split(
        data.train_images, data.train_labels, np.random.default_rng([7, seed]), fraction=0.25
    )
    return Dataset(
        np.concatenate([part.train_images, data.test_images]),
        np.concatenate([part.train_labels, data.test_labels]),
        part.test_images,
        part.test_labels,
    )


def run(settings: Settings, data: Dataset) -> dict[str, Any]:
    """Train once; return the accuracy over several encodings, the curve and the diagnosis."""
    curve, rates, kinds, last = [], (0.0,), [], None
    try:
        for event in train(settings, data):
            if isinstance(event, Epoch):
                last, rates = event.state, event.rates
                curve.append(round(event.accuracy, 4))
            elif isinstance(event, Advice):
                kinds.append(f"{event.where}: {event.kind}")
    except ValueError as error:  # a gradient ceased to be finite: the variant's own result
        kinds.append(str(error).partition(";")[0])
    chance = 1 / 10
    if last is None or len(curve) < settings.epochs:
        return {"accuracy": chance, "train_curve": curve, "rates": [], "diagnosis": kinds}
    rng = np.random.default_rng([8, settings.seed])
    found = evaluate(
        last.kept, data.test_images, data.test_labels, settings, rng, encodings=ENCODINGS
    )
    return {
        "accuracy": round(found.mean, 5),
        "train_curve": curve,
        "rates": [round(rate, 4) for rate in rates],
        "diagnosis": kinds,
    }


def tune(settings: Settings) -> dict[str, float]:
    """Return the accuracy on the development set for each learning rate."""
    data = load_digits()
    return {
        str(lr): run(replace(settings, lr=lr, seed=TUNING_SEED), data)["accuracy"] for lr in RATES
    }


def measure(change: dict[str, Any]) -> dict[str, Any]:
    """Return the result of one variant: its learning rate, then a run for each seed."""
    tuning = tune(replace(BASE, **change))
    lr = float(max(tuning, key=lambda key: tuning[key]))
    runs = [run(replace(BASE, **change, lr=lr, seed=seed), folds(seed)) for seed in SEEDS]
    accuracies = [r["accuracy"] for r in runs]
    return {
        "changed": change,
        "lr": lr,
        "tuning": tuning,
        "accuracies": accuracies,
        "mean": round(float(np.mean(accuracies)), 5),
        "spread": round(float(np.std(accuracies, ddof=1)), 5),
        "train_curve": runs[0]["train_curve"],
        "rates": runs[0]["rates"],
        "diagnosis": [r["diagnosis"] for r in runs],
    }


def main() -> None:
    """Measure every variant and write the record."""
    began = time.perf_counter()
    everything = list(variants())
    rows = [
        {"table": table, "shown": shown, **measure(change)}
        for table, shown, change in tqdm(everything, desc="variants", file=sys.stderr)
    ]
    record = {
        "what": "Ablations on the UCI digits; accuracies on images that were held out",
        "command": "OMP_NUM_THREADS=1 python -m benchmarks.ablations",
        "base": to_dict(BASE),
        "seeds": SEEDS,
        "learning_rates": RATES,
        "encodings": ENCODINGS,
        "test_images": len(folds(0).test_labels),
        "train_images": len(folds(0).train_labels),
        **environment(),
        "threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "seconds": round(time.perf_counter() - began, 1),
        "rows": rows,
    }
    write_json(RECORD, record)


if __name__ == "__main__":
    main()
