"""Where time decides: rules on tasks that need memory, over widths, silences and leaks.

``OMP_NUM_THREADS=1 python -m benchmarks.time_tasks --what width`` trains every cell of the plan and
writes ``docs/results/time-width.json``; a cell that is there already is not trained again, so the
same command goes on where it stopped. Footing: the same network, data, budget and seeds for every
rule of a cell, and for each rule and cell the learning rate, out of a grid, that serves it best. It
is chosen on other seeds and on validation images; a grid whose best rate lies at its edge is
widened. The images held out are the same for all, so that differences between rules are paired.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stbp_edu import checks, forward
from stbp_edu.arrows import RULES, lambdas, part_one
from stbp_edu.files import read_json, write_json
from stbp_edu.training import RECIPES, Dataset, Epoch, Settings, State, encode, to_dict, train
from stbp_edu.training.data import load_dataset, validation
from stbp_edu.training.runs import environment, measurements_folder

SEEDS = (0, 1, 2, 3, 4)
TUNING_SEEDS = (100, 101)
RATES = tuple(1.25e-3 * 2**k for k in range(5))
WIDEST = 9  # rates at most
LEARNS = 0.1  # above chance, for a rate at the edge to be worth a wider grid
TIED = 0.01  # below the best mean accuracy: two seeds do not tell such rates apart
LOOKED_AT = 64  # samples on which gradients are compared


@dataclass(frozen=True)
class Plan:
    """Cells to train: every combination of what is changed in the recipe of a task."""

    title: str
    task: str
    over: Mapping[str, Sequence[Any]]
    seeds: tuple[int, ...] = SEEDS

    def cells(self) -> Iterator[dict[str, Any]]:
        """Yield the changes of each cell."""
        for values in product(*self.over.values()):
            cell = dict(zip(self.over, values, strict=True))
            yield {k: tuple(v) if isinstance(v, list) else v for k, v in cell.items()}


def read_plans() -> dict[str, Plan]:
    """Return the plans of ``time_plans.toml`` by name."""
    text = Path(__file__).with_name("time_plans.toml").read_text(encoding="utf-8")
    return {name: Plan(**given) for name, given in tomllib.loads(text).items()}


PLANS = read_plans()


@cache
def _data(task: str, held_out: str) -> Dataset:
    data = load_dataset(task)
    return validation(data) if held_out == "validation" else data


def run(task: str, settings: Settings, held_out: str) -> dict[str, Any]:
    """Train once; return accuracy, loss, firing rates, and how the gradient compares with exact."""
    data, epochs = _data(task, held_out), []
    cosines, reach = [], []
    try:
        for event in train(settings, data):
            if isinstance(event, Epoch):
                epochs.append(event)
                cosine, reach = compare(settings, data, event.state)
                cosines.append(round(cosine, 4))
    except ValueError as error:  # a gradient ceased to be finite: the rule's own result
        chance = float(np.bincount(data.test_labels).max() / len(data.test_labels))
        return {"accuracy": round(chance, 4), "loss": None, "diverged": str(error).split(";")[0]}
    last = epochs[-1]
    return {
        "accuracy": round(last.test, 4), "loss": round(last.loss, 5), "cosine": cosines,
        "curve": [round(e.test, 4) for e in epochs], "rates": [round(r, 4) for r in last.rates],
        "reach": [float(f"{r:.3g}") for r in reach],
    }  # fmt: skip


def compare(settings: Settings, data: Dataset, state: State) -> tuple[float, list[float]]:
    """Return the cosine of the rule's gradient of W^1 with the exact one, and the rule's reach.

    The reach is the mean size of ε in the first hidden layer at each step.
    """
    rng = np.random.default_rng(0)
    images, labels = data.train_images[:LOOKED_AT], data.train_labels[:LOOKED_AT]
    spikes = encode(settings.encoder, images, settings.T, rng, hold=settings.hold)
    params, neuron, loss = state.params, settings.make_neuron(), settings.make_loss()
    trace = forward(spikes.astype(params.dtype), params, neuron)
    targets = np.eye(params.sizes[-1], dtype=params.dtype)[labels]
    local = part_one.as_local(trace, targets, params, neuron, loss)
    epsilon = {r: lambdas(local, r)[1]["u", RULES[r].start] for r in {settings.rule, "exact"}}
    ours, exact = (
        np.einsum("tsi,tsj->ij", epsilon[r], trace.O[0]).ravel() for r in (settings.rule, "exact")
    )
    size = float(np.linalg.norm(ours) * np.linalg.norm(exact))
    cosine = float(ours @ exact) / size if size else 0.0
    return cosine, np.abs(epsilon[settings.rule]).mean(axis=(1, 2)).tolist()


def tune(task: str, settings: Settings, pool: ProcessPoolExecutor) -> dict[float, list[float]]:
    """Return the accuracy of each learning rate and tuning seed; the grid grows at its edges."""
    found: dict[float, list[float]] = {}
    rates = list(RATES)
    while True:
        new = [lr for lr in rates if lr not in found]
        tries = [replace(settings, lr=lr, seed=seed) for lr in new for seed in TUNING_SEEDS]
        jobs = [pool.submit(run, task, s, "validation") for s in tries]
        for job, s in zip(jobs, tries, strict=True):
            found.setdefault(s.lr, []).append(job.result()["accuracy"])
        best, least, most = best_rate(found), min(found), max(found)
        learns = max(map(np.mean, found.values())) > 1 / _data(task, "test").classes + LEARNS
        if best not in (least, most) or not learns or len(found) >= WIDEST:
            return dict(sorted(found.items()))
        rates.append(best / 2 if best == least else best * 2)


def best_rate(found: dict[float, list[float]]) -> float:
    """Return the rate with the best mean accuracy; the middle one of those that tie.

    Where a task is learned, many rates do, and the largest of them is the next to fail.
    """
    means = {lr: float(np.mean(values)) for lr, values in found.items()}
    ties = sorted(lr for lr, mean in means.items() if mean >= max(means.values()) - TIED)
    return ties[len(ties) // 2]


def measure(plan: Plan, changes: dict[str, Any], pool: ProcessPoolExecutor) -> dict[str, Any]:
    """Return the result of one cell: its learning rate, then a run for each seed."""
    settings = replace(RECIPES[plan.task], **changes)
    tuning = tune(plan.task, settings, pool)
    lr = best_rate(tuning)
    chosen = [replace(settings, lr=lr, seed=seed) for seed in plan.seeds]
    jobs = [pool.submit(run, plan.task, one, "test") for one in chosen]
    runs = [job.result() for job in jobs]
    tuned = {f"{rate:g}": values for rate, values in tuning.items()}
    return {"cell": changes, "lr": lr, "tuning": tuned, "runs": runs}


def record(what: str, path: Path, processes: int) -> dict[str, Any]:
    """Train what is missing of a plan, writing the record after each cell, and return it."""
    plan = PLANS[checks.choice("what", what, PLANS)]
    rows = read_json(path)["rows"] if path.exists() else []
    cells = [to_json(cell) for cell in plan.cells()]
    rows = [row for row in rows if row["cell"] in cells]
    command = f"OMP_NUM_THREADS=1 python -m benchmarks.time_tasks --what {what}"
    found = {
        "title": plan.title, "command": command, "task": plan.task,
        "base": to_dict(RECIPES[plan.task]), "seeds": plan.seeds, "tuning_seeds": TUNING_SEEDS,
        **environment(), "rows": rows,
    }  # fmt: skip
    missing = [c for c in plan.cells() if to_json(c) not in [row["cell"] for row in rows]]
    with ProcessPoolExecutor(processes) as pool:
        for changes in tqdm(missing, desc=what, file=sys.stderr):
            rows.append(to_json(measure(plan, changes, pool)))
            rows.sort(key=lambda row: cells.index(row["cell"]))
            write_json(path, found)
    return found


def to_json(value: Any) -> Any:
    """Return a value as JSON gives it back: tuples as lists."""
    if isinstance(value, dict):
        return {key: to_json(v) for key, v in value.items()}
    return [to_json(v) for v in value] if isinstance(value, tuple | list) else value


def main() -> None:
    """Train a plan and write its record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", choices=PLANS, required=True)
    parser.add_argument("--out", type=Path, default=measurements_folder())
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    record(args.what, args.out / f"time-{args.what}.json", args.processes)


if __name__ == "__main__":
    main()
