"""Why do some rules fail on delayed XOR and on steady digits? Interventions, one at a time.

``python -m benchmarks.time.cause`` trains the cells in order, and goes on where it was interrupted;
``--part 0/2`` takes every second one, so that two processes share them. A cell is a task, a rule,
a surrogate and an *arm*, the one thing that is changed. Its learning rate is chosen on validation
data and seeds of its own, and the grid grows until its best is not at an edge. Then 20 runs are
trained at that rate. ``python -m benchmarks.time.cause_record`` writes ``docs/results/cause.json``.

``--plan cause-fixed`` trains a few cells at one learning rate for all, 0.01, and its record is
``docs/results/cause-fixed.json``: does an arm help, or the rate that was chosen for it? ``--plan
cause-updates`` does the same for ``docs/results/cause-updates.json``: how large are the updates?
``--plan cause-rows`` is about digits by rows, and its record is ``docs/results/cause-rows.json``.
``--only T=59`` trains the cells whose names contain this text.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.time.arms import HOLD_OTHERS, TURN, DivergedError, FastRun, Intervention
from stbp_edu._support.files import read_json, write_json
from stbp_edu.program.threads import limit_threads, one_blas_thread
from stbp_edu.training import RECIPES, Dataset, Settings
from stbp_edu.training.data import load_dataset
from stbp_edu.training.measurements import environment, origin

ROOT = Path(__file__).parents[2]
SEEDS = range(200, 220)
TUNING_SEEDS = range(300, 303)
DAMPING = 0.3  # of the pseudo-derivative, as in Bellec and others (2018)

TASKS: dict[str, dict[str, Any]] = {
    "delayed-xor": {"epochs": 12},
    # The notes' threshold and rectangle, as in the ablations on the digits.
    "digits": {
        "hidden": (128,), "T": 20, "v_th": 1.5, "surrogate": "rectangle", "a": 1.0,
        "encoder": "direct", "init_scale": 2.0, "epochs": 12,
    },
    "digits-by-rows": {"a": 0.02, "epochs": 20},
}  # fmt: skip
RATES = {
    "delayed-xor": (0.005, 0.01, 0.02),
    "digits": (0.001, 0.003, 0.009),
    "digits-by-rows": (0.0025, 0.005, 0.01),
}
SGD_RATES = (0.03, 0.1, 0.3)

ARMS: dict[str, dict[str, Any]] = {
    "none": {},
    "beta2 0.99": {"beta2": 0.99},
    "beta2 0.9": {"beta2": 0.9},
    "clip": {"clip_norm": 1.0},
    "limit": {"gain_limit": 1.0},
    "limit, beta2 0.9": {"gain_limit": 1.0, "beta2": 0.9},
    "lower surrogate": {},
    "random clip": {},
    "turned": {},
    "sgd": {"optimiser": "sgd"},
    **{f"limit {k}": {"gain_limit": k} for k in (0.5, 0.8, 1.5, 2.0, 5.0)},
}
"""The settings that an arm changes; for three more see :data:`INTERVENTIONS`."""


@dataclass(frozen=True)
class Cell:
    """One cell of the experiment: what is trained with 20 seeds.

    Attributes:
        arm: a name of :data:`ARMS`.
        changes: of the settings, beside those of task and arm.
        lr: its learning rate, where none is to be chosen.
    """

    task: str
    rule: str
    arm: str
    changes: dict[str, Any] = field(default_factory=dict)
    lr: float | None = None

    @property
    def name(self) -> str:
        """The name of its folder."""
        more = [f"{key}={value}" for key, value in self.changes.items()]
        return ",".join([self.task, self.rule, self.arm, *more])

    def settings(self, seed: int, lr: float) -> Settings:
        """Return the settings of one run."""
        changes = {**TASKS[self.task], **ARMS[self.arm], **self.changes}
        return replace(RECIPES[self.task], rule=self.rule, seed=seed, lr=lr, **changes)


def xor(rule: str, arm: str, a: float = 0.02, **changes: Any) -> Cell:
    """Return a cell of delayed XOR."""
    return Cell("delayed-xor", rule, arm, {"a": a, **changes})


def cells() -> Iterator[Cell]:
    """Yield the cells by worth: what is most needed comes first."""
    main = ("none", "beta2 0.9", "limit", "clip")
    others = (
        "limit, beta2 0.9",
        "lower surrogate",
        "random clip",
        "sgd",
        "beta2 0.99",
        "turned",
    )
    both = ("exact", "classic")
    for arm in main[:3]:
        yield from (xor(rule, arm) for rule in both)
    for arm in ("none", "limit", "beta2 0.9", "clip"):
        yield from (Cell("digits", rule, arm) for rule in both)
    yield xor("detached-reset", "none")
    yield Cell("digits", "detached-reset", "none")
    yield from (xor(rule, "clip") for rule in both)
    for arm in others[:4]:
        yield from (xor(rule, arm) for rule in both)
    for arm in (*main, "limit, beta2 0.9"):
        yield xor("classic", arm, a=0.045)
    yield from (xor("exact", arm, a=0.045) for arm in ("none", "limit"))
    for arm in others[4:]:
        yield from (xor(rule, arm) for rule in both)
    yield from (xor("detached-reset", arm) for arm in ("beta2 0.9", "clip"))
    for arm in ("limit, beta2 0.9", "lower surrogate", "random clip"):
        yield from (Cell("digits", rule, arm) for rule in both)
    for delay in (10, 50, 100):
        for arm in ("none", "beta2 0.9", "limit"):
            yield from (xor(rule, arm, T=9 + delay) for rule in both)
        yield xor("detached-reset", "none", T=9 + delay)
    yield from (xor("exact", f"limit {k}") for k in (0.5, 0.8, 1.5, 2.0, 5.0))
    yield from (xor("exact", arm, a=0.045) for arm in ("beta2 0.9", "clip"))
    for rule in ("e-prop-reset", "ottt"):
        yield from (xor(rule, arm) for arm in ("none", "beta2 0.9", "limit"))
    yield from (xor(rule, "none", epochs=60) for rule in both)


def fixed_cells() -> Iterator[Cell]:
    """Yield cells of delayed XOR whose learning rate is 0.01, without a choice."""
    for arm in ("beta2 0.9", "none", "limit", "clip"):
        for rule in ("classic", "exact"):
            yield replace(xor(rule, arm), lr=0.01)
    yield replace(xor("classic", "none", a=0.045), lr=0.01)
    yield replace(xor("classic", "beta2 0.9", a=0.045), lr=0.01)


def update_cells() -> Iterator[Cell]:
    """Yield cells whose updates are compared, at the learning rate 0.01."""
    for arm in ("none", "beta2 0.9", "turned", "clip", "limit"):
        yield replace(xor("exact", arm), lr=0.01)
    for arm in ("none", "beta2 0.9", "limit"):
        yield replace(xor("classic", arm), lr=0.01)


def rows_cells() -> Iterator[Cell]:
    """Yield cells of the digits row by row, a second task that asks for memory."""
    for arm in ("none", "beta2 0.9", "limit"):
        for rule in ("exact", "classic"):
            yield Cell("digits-by-rows", rule, arm)
    yield Cell("digits-by-rows", "detached-reset", "none")


PLANS = {
    "cause": cells,
    "cause-fixed": fixed_cells,
    "cause-updates": update_cells,
    "cause-rows": rows_cells,
}
"""The cells of each record."""

INTERVENTIONS = {
    "lower surrogate": Intervention(height=DAMPING),
    "random clip": Intervention(gains=HOLD_OTHERS),
    "turned": Intervention(gains=TURN),
}
"""The arms that change the backward pass, not the settings."""


@lru_cache(maxsize=4)
def load(task: str, held_out: str) -> Dataset:
    """Return the data of a task."""
    return load_dataset(task, held_out=held_out)


def train_one(
    cell: Cell, seed: int, lr: float, folder: Path, held_out: str
) -> dict[str, Any]:
    """Train one run, or read it where it is finished; return what each epoch showed.

    A run that diverges is a result: it has no curve, and the accuracy of a guess.
    """
    place = folder / f"lr={lr:g},seed={seed}.json"
    if place.exists():
        return dict(read_json(place))
    data = load(cell.task, held_out)
    change = INTERVENTIONS.get(cell.arm, Intervention())
    found: dict[str, Any] = {**origin(), **environment()}
    try:
        curve = FastRun(cell.settings(seed, lr), data, change).train()
        found |= {"accuracy": curve[-1]["held_out"], "curve": curve}
    except DivergedError as error:
        found |= {"accuracy": 1 / data.classes, "curve": [], "diverged": str(error)}
    write_json(place, found)
    return found


def chosen_rate(cell: Cell, folder: Path) -> tuple[float, dict[str, float]]:
    """Return the learning rate that serves a cell best on validation data, and what was tried.

    The grid grows by its own factor as long as its best rate is at an edge.
    """
    rates = list(SGD_RATES if cell.arm == "sgd" else RATES[cell.task])
    ratio = rates[1] / rates[0]
    tried: dict[float, float] = {}
    while True:
        for lr in rates:
            if lr not in tried:
                runs = [
                    train_one(cell, s, lr, folder, "validation") for s in TUNING_SEEDS
                ]
                tried[lr] = float(np.mean([run["accuracy"] for run in runs]))
        best = max(rates, key=tried.__getitem__)
        if best == rates[0] and len(rates) < 9:
            rates.insert(0, float(f"{best / ratio:.3g}"))
        elif best == rates[-1] and len(rates) < 9:
            rates.append(float(f"{best * ratio:.3g}"))
        else:
            return best, {f"{lr:g}": round(tried[lr], 4) for lr in rates}


def measure(
    cell: Cell, work: Path
) -> tuple[float, dict[str, float], list[dict[str, Any]]]:
    """Return the rate of a cell, what was tried, and the records of its 20 runs."""
    folder = work / cell.name.replace(" ", "-")
    if cell.lr is None:
        lr, tried = chosen_rate(cell, folder / "tuning")
    else:
        lr, tried = cell.lr, {}
    runs = [train_one(cell, seed, lr, folder / "test", "test") for seed in SEEDS]
    return lr, tried, runs


def is_finished(cell: Cell, work: Path) -> bool:
    """Return whether all runs of a cell are there."""
    test = work / cell.name.replace(" ", "-") / "test"
    return len([*test.glob("*.json")]) == len(SEEDS)


def main(argv: Sequence[str] | None = None) -> int:
    """Train the cells of a part."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.time.cause", description=__doc__
    )
    p.add_argument("--plan", choices=PLANS, default="cause", help="which cells")
    p.add_argument("--part", default="0/1", help="which cells: 0/2 is every second one")
    p.add_argument(
        "--work", type=Path, help="where runs are kept; runs/PLAN by default"
    )
    p.add_argument("--only", default="", help="text in the names of the cells")
    args = p.parse_args(argv)
    work = args.work or ROOT / "runs" / args.plan
    limit_threads(1)
    part, parts = map(int, args.part.split("/"))
    wanted = [cell for cell in PLANS[args.plan]() if args.only in cell.name]
    with one_blas_thread():
        for number, cell in enumerate(wanted):
            if number % parts == part:
                lr, _, runs = measure(cell, work)
                accuracy = np.mean([run["accuracy"] for run in runs])
                print(
                    f"{cell.name}: lr {lr:g}, mean accuracy {accuracy:.3f}", flush=True
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
