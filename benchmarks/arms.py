"""Rerun any arm of the experiments on tasks of time: a task, a rule, and one thing that is changed.

``python -m benchmarks.arms delayed-xor exact sign`` trains one line of the record: its learning
rate is chosen on validation data with seeds of its own, then 20 runs are made at that rate by the
package's trainer. ``--lr 0.01`` fixes the rate, ``--seeds 0:5`` names the seeds, and ``T=59``
changes a setting of the task::

    python -m benchmarks.arms delayed-xor classic none hidden=[64,64] --lr 0.01 --seeds 0:5
    python -m benchmarks.arms --plan docs/results/sign-predictions.json --out runs/sign.json

A plan is a file of predictions, or a record. Each line becomes a row of the record ``--out``,
unless it is there. Tasks and arms are those of ``arms.toml``.
"""

import argparse
import json
import math
import sys
import tomllib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gains import Gains
from stbp_edu._support.checks import Array
from stbp_edu._support.files import read_json, write_json
from stbp_edu.parameters import named_arrays
from stbp_edu.program.machine import limit_threads, one_blas_thread
from stbp_edu.training import RECIPES, Settings, initial_state
from stbp_edu.training.data import load_dataset
from stbp_edu.training.evaluation import answers_to
from stbp_edu.training.measurements import environment, origin
from stbp_edu.training.model import network_for
from stbp_edu.training.optimiser import gradient_norm
from stbp_edu.training.trainer import TEST, TrainingJob, stream

TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
TASKS, ARMS, FIRST_RATES = TABLE["tasks"], TABLE["arms"], TABLE["rates"]
TUNING_SEEDS = range(3000, 3003)
RATES = (0.003, 0.01, 0.03)
AT_MOST = 6  # rates that are tried for a line
OWN = ("adam", "lion", "mean", "kicked", "clip_neurons")  # of Run, for expressions
STILL = 0.01  # of the learning rate: a parameter that moves by less is called frozen


def norm(x: Array) -> Any:
    """Return the norm of an array, or a tiny number."""
    return max(np.linalg.norm(x), x.dtype.type(1e-30))


def lengthened(way: Array, length: Array) -> Array:
    """Return an array in the direction of one with the norm of the other."""
    return way * np.float32(float(norm(length)) / float(norm(way)))


class Run(TrainingJob):
    """A run of the package's trainer with an arm: its row of ``arms.toml``, but for settings."""

    def __init__(self, settings: Settings, data: Any, arm: Mapping[str, Any]) -> None:
        network = partial(Gains, **arm["gains"]) if "gains" in arm else network_for
        super().__init__(settings, data, initial_state(settings, data), network)
        self.arm, self.rng = arm, np.random.default_rng([settings.seed, 99])
        self.means: dict[str, Array] = {}
        self.moved: list[tuple[float, float]] = []
        arrays = self.state.params.arrays().items()
        self.layers = self.flat({k: np.full(a.shape, int(k[-1])) for k, a in arrays})

    def flat(self, arrays: Mapping[str, Array]) -> Array:
        """Return arrays by name as one."""
        return np.concatenate([arrays[k].ravel() for k in self.state.params.arrays()])

    def parts(self, flat: Array) -> dict[str, Array]:
        """Return the parts by name of what :meth:`flat` returned."""
        arrays = self.state.params.arrays()
        ends = np.cumsum([array.size for array in arrays.values()])
        parts = zip(arrays.items(), np.split(flat, ends), strict=False)
        return {name: part.reshape(array.shape) for (name, array), part in parts}

    def fill(self, arrays: Mapping[str, Array], flat: Array) -> None:
        """Write the parts of one array into arrays by name."""
        for name, part in self.parts(flat).items():
            arrays[name][...] = part

    def update(self, grads: Any, lr: float) -> None:
        """Change the parameters, and note how far they move in units of the learning rate."""
        gradient_norm(grads)  # which raises where an entry is not finite
        named = named_arrays(grads)
        params = self.state.params.arrays()
        before = self.flat(params)
        if "gradient" in self.arm:
            self.fill(named, self.value(self.arm["gradient"], self.flat(named)))
        if "step" in self.arm:
            self.state.step += 1
            step = self.value(self.arm["step"], self.flat(named))
            self.fill(params, before - np.float32(lr) * step)
        else:
            super().update(grads, lr)
        moved = (before - self.flat(params)) / lr
        rms = float(np.sqrt(np.mean(moved * moved)))
        self.moved.append((rms, float(np.mean(np.abs(moved) < STILL))))

    def value(self, expression: str, g: Array) -> Array:
        """Return the value of an expression of an arm, from the gradient g."""
        numbers = {"g": g, "k": self.state.step, "layers": self.layers, "rng": self.rng}
        own = {"min": min} | {name: getattr(self, name) for name in OWN}
        return np.asarray(eval(expression, {**vars(np), **globals(), **numbers, **own}))

    def mean(self, name: str, x: Array, decay: float) -> Array:
        """Return a running mean, after it has seen x."""
        kept = self.means.setdefault(name, np.zeros_like(x))
        kept += (1 - decay) * (x - kept)
        return kept

    def adam(
        self, g: Array, of: str = "", eps: float = 1e-8, most: bool = False
    ) -> Array:
        """Return Adam's step over the learning rate; its means have the name ``of``."""
        beta1, beta2, k = self.settings.momentum, self.settings.beta2, self.state.step
        m, v = self.mean(f"m {of}", g, beta1), self.mean(f"v {of}", g * g, beta2)
        if most:
            largest = self.means.setdefault("largest", np.zeros_like(v))
            v = np.maximum(largest, v, out=largest)
        root = math.sqrt(1 - beta2**k)
        return m * (root / (1 - beta1**k)) / (np.sqrt(v) + eps * root)

    def lion(self, g: Array) -> Array:
        """Return the sign of a mean (Chen and others, 2023)."""
        beta, m = self.settings.momentum, self.mean("lion", np.zeros_like(g), 1.0)
        step: Array = np.sign(beta * m + (1 - beta) * g)
        self.mean("lion", g, 0.99)
        return step

    def kicked(self, step: Array, where: str) -> Array:
        """Return a step and half a learning rate of a random sign, everywhere or in places.

        "few" kicks as many frozen coordinates as there are moving ones, drawn at each update.
        """
        kick = self.rng.choice(np.array([-0.5, 0.5], np.float32), len(step))
        still = np.abs(step) < STILL
        few = np.zeros_like(still)
        few[self.rng.permutation(np.flatnonzero(still))[: (~still).sum()]] = True
        places = {"all": 1, "frozen": still, "moving": ~still, "few": few}
        return step + kick * places[where]

    def clip_neurons(self, g: Array, limit: float) -> Array:
        """Return the gradient, each neuron's row of a parameter with at most this norm."""
        g = g.copy()
        for part in self.parts(g).values():
            rows = part.reshape(len(part), -1)
            norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
            rows *= np.minimum(1, limit / np.maximum(norms, 1e-30))
        return g

    def result(self) -> dict[str, Any]:
        """Train; return the accuracy at the end, and how large updates were in each third.

        The size of an update is 1 where each parameter moves by the learning rate; ``frozen`` is
        the share of parameters that move by less than a hundredth of it.
        """
        s, data = self.settings, self.data
        try:
            for epoch in range(s.epochs):
                deque(self.epoch(epoch), maxlen=0)
        except ValueError:  # the run diverged
            return {"accuracy": round(1 / data.classes, 4), "diverged": self.state.step}
        rng = stream(s, TEST, s.epochs)
        answers = answers_to(data.test_images, self.state.kept, s, rng)
        right = round(float((answers == data.test_labels).mean()), 4)
        thirds = np.array_split(np.array(self.moved), 3)
        medians = np.array([np.median(part, axis=0) for part in thirds]).round(4)
        size, frozen = medians.T.tolist()
        return {"accuracy": right, "size": size, "frozen": frozen}


load = cache(load_dataset)


def run_of(
    line: Mapping[str, Any], seed: int, lr: float, held_out: str = "test"
) -> Run:
    """Return one run of a line, which names task, rule, arm and changes of settings."""
    task, arm = line["task"], dict(ARMS[line["arm"]])
    own = {k: arm.pop(k) for k in ("gradient", "step", "gains") if k in arm}
    changes = {**TASKS[task], **arm, **line.get("changes", {})}
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    settings = replace(RECIPES[task], rule=line["rule"], seed=seed, lr=lr, **changes)
    return Run(settings, load(task, held_out=held_out), own)


def chosen_rate(line: Mapping[str, Any]) -> tuple[float, dict[float, float]]:
    """Return the rate that serves a line best on validation data, and what was tried.

    The grid grows threefold as long as its best is at an edge; of equals that by 0.01 counts.
    """
    wanted, best = [*FIRST_RATES.get(line["arm"], RATES)], 0.0
    tried: dict[float, float] = {}
    while wanted and len(tried) < AT_MOST:
        for lr in wanted:
            runs = [run_of(line, seed, lr, "validation") for seed in TUNING_SEEDS]
            tried[lr] = float(np.mean([run.result()["accuracy"] for run in runs]))
        best = max(tried, key=lambda lr: (tried[lr], -abs(math.log(lr / 0.01))))
        beyond = {min(tried): best / 3, max(tried): best * 3}
        wanted = [float(f"{beyond[best]:.1g}")] if best in beyond else []
    return best, tried


def trained(line: Mapping[str, Any], seeds: Sequence[int]) -> dict[str, Any]:
    """Train a line with several seeds, and return its row."""
    rate, tried = (line["lr"], {}) if line.get("lr") else chosen_rate(line)
    runs = [run_of(line, seed, rate).result() for seed in seeds]
    row = {
        "lr": rate, "tried": {f"{k:g}": round(accuracy, 4) for k, accuracy in tried.items()},
        "seeds": f"{seeds[0]}:{seeds[-1] + 1}", "accuracy": [run["accuracy"] for run in runs],
    }  # fmt: skip
    for name in ("size", "frozen"):
        if sized := [run[name] for run in runs if name in run]:
            row[name] = np.mean(sized, axis=0).round(4).tolist()
    return row


def main(argv: Sequence[str] | None = None) -> int:
    """Train a line, or those of a plan."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.arms", description=__doc__)
    p.add_argument("line", nargs="*", help="TASK RULE ARM name=value...")
    p.add_argument("--plan", type=Path, help="a file of predictions, or a record")
    p.add_argument("--out", type=Path, default="runs/arms.json", help="the record")
    p.add_argument("--lr", type=float, help="the learning rate; chosen if not given")
    p.add_argument("--seeds", default="4000:4020", help="where a line names none")
    args = p.parse_args(argv)
    plan = read_json(args.plan) if args.plan else {}
    lines = plan.get("predictions", plan.get("rows", []))
    if args.line:
        line = dict(zip(("task", "rule", "arm"), args.line, strict=False), lr=args.lr)
        pairs = (pair.split("=", 1) for pair in args.line[3:])
        lines = [*lines, {**line, "changes": {k: json.loads(v) for k, v in pairs}}]
    words = ["python -m benchmarks.arms", *(argv or sys.argv[1:])]
    new = {"command": " ".join(words), **origin(), **environment(), "rows": []}
    record = read_json(args.out) if args.out.exists() else new
    limit_threads(1)
    with one_blas_thread():
        for line in lines:
            ends = map(int, line.get("seeds", args.seeds).split(":"))
            seeds = range(*ends)[: line.get("n")]
            named = {key: line[key] for key in ("task", "rule", "arm")}
            named |= {"changes": line.get("changes", {}), "fixed": bool(line.get("lr"))}
            row = next((r for r in record["rows"] if named.items() <= r.items()), None)
            if row is None:
                row = {**named, **trained(line, seeds)}
                record["rows"].append(row)
                write_json(args.out, record)
            right = np.array(row["accuracy"])
            learn = f"above 0.95: {(right > 0.95).sum()} of {len(right)}"
            said = f"rate {row['lr']:g}, mean {right.mean():.3f}, {learn}"
            print(*named.values(), said, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
