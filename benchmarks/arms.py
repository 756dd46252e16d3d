"""Rerun any arm of the experiments on tasks of time: a task, a rule, and one thing that is changed.

``python -m benchmarks.arms delayed-xor exact sign`` trains one *cell*: its learning rate is chosen
on validation data with seeds of its own, then 20 runs are made at that rate. ``--lr 0.01`` fixes
the rate, ``--seeds 0:5`` names the seeds, and ``a=0.045 T=59`` changes settings of the task::

    python -m benchmarks.arms delayed-xor classic none hidden=[64,64] --lr 0.01 --seeds 0:5
    python -m benchmarks.arms --plan docs/results/sign-predictions.json --out runs/sign.jsonl

A plan is a file of predictions: each of them names its cell. Every run is appended to ``--out`` as
a line of JSON; a run that is there already is not made again.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm_passes import FastPasses
from stbp_edu._support.checks import Array
from stbp_edu._support.files import read_json
from stbp_edu.engine.threads import limit_threads, one_blas_thread
from stbp_edu.networks import network
from stbp_edu.parameters import named_arrays
from stbp_edu.training import RECIPES, Dataset, Settings, initial_state
from stbp_edu.training.data import load_dataset
from stbp_edu.training.encoders import TIMED, encode

SEEDS = range(4000, 4020)
TUNING_SEEDS = range(3000, 3003)
RATES = (0.003, 0.01, 0.03)
AT_MOST = 6  # learning rates that are tried for a cell
EPOCH, TEST = 1, 2  # streams of random numbers, as stbp_edu.training draws them
CHUNK = 500  # examples that are evaluated together

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

Change = Callable[["Run", Array], Array]


def signs(run: "Run", g: Array) -> Array:
    """Return the sign of every entry."""
    return np.sign(g)


def signs_of(*names: str) -> Change:
    """Return a change that takes the sign of some parameters' gradients only."""

    def change(run: "Run", g: Array) -> Array:
        g = g.copy()
        for name in names:
            g[run.places[name]] = np.sign(g[run.places[name]])
        return g

    return change


def unit_norm(run: "Run", g: Array) -> Array:
    """Return the gradient over its norm: every batch counts alike, coordinates do not."""
    return g / max(float(np.linalg.norm(g)), 1e-30)


def signs_with_norm(run: "Run", g: Array) -> Array:
    """Return the sign times the gradient's norm: coordinates count alike, batches do not."""
    return np.sign(g) * np.float32(np.linalg.norm(g) / math.sqrt(len(g)))


def sizes_shuffled(run: "Run", g: Array) -> Array:
    """Return every entry's sign with the absolute value of another one, drawn anew each time."""
    return np.sign(g) * np.abs(run.rng.permutation(g))


def clipped_entries(limit: float) -> Change:
    """Return a change that clips every entry."""
    return lambda run, g: g.clip(-limit, limit)


def clipped_norm(limit: float) -> Change:
    """Return a change that clips the norm of the whole gradient."""
    return lambda run, g: g * np.float32(min(1, limit / max(np.linalg.norm(g), 1e-30)))


def clipped_neurons(limit: float) -> Change:
    """Return a change that clips the norm of each neuron's row of every parameter."""

    def change(run: "Run", g: Array) -> Array:
        g = g.copy()
        for name, shape in run.shapes.items():
            rows = g[run.places[name]].reshape(shape[0], -1)  # a view
            norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
            rows *= np.minimum(1, limit / np.maximum(norms, 1e-30)).astype(g.dtype)
        return g

    return change


@dataclass(frozen=True)
class Arm:
    """One thing that is changed.

    Attributes:
        settings: changes of the settings of the run.
        gradient: a change of the gradient before the optimiser sees it.
        update: how updates are made; see :meth:`Run.step`.
        eps: Adam's ε.
        height: a factor on the surrogate in the backward pass.
        gains: "absolute" for each gain's absolute value; "random" for as many reduced gains as a
            limit of 1 reduces, by the same factors, at places that are drawn.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    gradient: Change | None = None
    update: str = "adam"
    eps: float = 1e-8
    height: float = 1.0
    gains: str = ""


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
    "noise": Arm(update="noise"),
    "batch 256": changed(batch=256, epochs=48),
    "lion": Arm(update="lion"),
    "sgd": Arm(update="sgd"),
    "sgd, sign": Arm(gradient=signs, update="sgd"),
    "sgd, unit norm": Arm(gradient=unit_norm, update="sgd"),
}


class Run:
    """One run: parameters and optimiser as flat arrays, gradients by the package's network."""

    def __init__(self, settings: Settings, data: Dataset, arm: Arm = Arm()) -> None:
        self.settings, self.data, self.arm = settings, data, arm
        self.params = initial_state(settings, data).params
        self.arrays = named_arrays(self.params)
        self.shapes = {name: a.shape for name, a in self.arrays.items()}
        ends = np.cumsum([0, *(a.size for a in self.arrays.values())])
        places = (slice(*pair) for pair in pairwise(ends))
        self.places = dict(zip(self.arrays, places, strict=True))
        self.p = self.flat(self.arrays)
        self.m, self.v, self.most, self.m_sign, self.v_sign = (
            np.zeros_like(self.p) for _ in range(5)
        )
        self.done, self.moved = 0, []
        self.rng = np.random.default_rng([settings.seed, 99])
        self.answers = np.eye(data.classes, dtype=np.float32)
        self.loss, self.rule = settings.make_loss(), settings.make_rule()
        hidden, last = settings.make_neurons()
        self.net = network(
            settings.shape(data.shape, data.classes),
            [*[hidden] * len(settings.hidden), last],
            self.loss,
            settings.backend,
        )
        self.fast = None
        if FastPasses.fit(settings):
            self.fast = FastPasses(settings, arm.height, arm.gains, self.rng)
        elif arm.gains or arm.height != 1:
            raise ValueError("arms that change gains need one hidden layer of LIF neurons")

    def flat(self, arrays: Any) -> Array:
        """Return arrays by name as one."""
        return np.concatenate([arrays[name].ravel() for name in self.shapes])

    def forward(self, images: Array, rng: np.random.Generator) -> Any:
        """Return all states, from newly drawn spikes of images."""
        s = self.settings
        seen = images if s.encoder in TIMED else images.reshape(len(images), -1)
        steps = {"direct": 1, "rows": s.hold * images.shape[1]}.get(s.encoder, s.T)
        shown = encode(s.encoder, seen, steps, rng, hold=s.hold).astype(np.float32)
        for name, place in self.places.items():
            self.arrays[name][...] = self.p[place].reshape(self.shapes[name])
        if self.fast:
            return self.fast.forward(self.arrays, shown)
        if s.encoder == "direct":
            shown = np.broadcast_to(shown, (s.T, *shown.shape[1:]))
        silence = np.zeros((s.T - len(shown), *shown.shape[1:]), np.float32)
        return self.net.forward(self.params, np.concatenate([shown, silence]))

    def gradient(self, images: Array, labels: Array, rng: np.random.Generator) -> Array:
        """Return the gradient on a batch as one array."""
        trace, targets = self.forward(images, rng), self.answers[labels]
        if self.fast:
            found = self.fast.gradient(self.arrays, trace, targets)
            return np.concatenate([g.ravel() for g in found])
        grads = self.net.backward(self.params, trace, targets, self.rule)
        return self.flat(named_arrays(grads))

    def adam(self, g: Array, m: Array, v: Array) -> Array:
        """Return Adam's step over the learning rate, and change its means in place."""
        beta1, beta2 = self.settings.momentum, self.settings.beta2
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        if self.arm.update == "amsgrad":
            v = np.maximum(self.most, v, out=self.most)
        root = math.sqrt(1 - beta2**self.done)
        return m * (root / (1 - beta1**self.done)) / (np.sqrt(v) + self.arm.eps * root)

    def step(self, g: Array) -> Array:
        """Return an update over the learning rate, which is to be subtracted.

        "size of sign" has the direction of Adam's step and the norm of the step that Adam would
        make of the signs; "direction of sign" is the reverse. "noise" adds to Adam's step half a
        learning rate of a random sign in every coordinate. "warm-up" raises the learning rate
        over 200 updates.
        """
        kind, beta = self.arm.update, self.settings.momentum
        if kind == "sgd":
            self.m = beta * self.m + g
            return self.m
        if kind == "lion":  # Chen and others (2023)
            step = np.sign(beta * self.m + (1 - beta) * g)
            self.m += 0.01 * (g - self.m)
            return step
        step = self.adam(g, self.m, self.v)
        if kind.endswith("of sign"):
            other = self.adam(np.sign(g), self.m_sign, self.v_sign)
            sizes = [max(float(np.linalg.norm(x)), 1e-30) for x in (step, other)]
            if kind == "size of sign":
                return step * np.float32(sizes[1] / sizes[0])
            return other * np.float32(sizes[0] / sizes[1])
        if kind == "noise":
            return step + 0.5 * self.rng.choice(np.float32([-1, 1]), len(step))
        return step * np.float32(min(1, self.done / 200) if kind == "warm-up" else 1)

    def update(self, g: Array, lr: float) -> None:
        """Change the parameters."""
        if not np.isfinite(g).all():
            raise FloatingPointError("a gradient is not finite")
        self.done += 1
        step = self.step(self.arm.gradient(self, g) if self.arm.gradient else g)
        self.p -= np.float32(lr) * step
        size = float(np.sqrt(np.mean(step * step)))
        self.moved.append((size, float(np.mean(np.abs(step) < 0.01))))

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array, np.random.Generator]]:
        """Yield the images and labels of an epoch, and the generator of their spikes."""
        order_rng = np.random.default_rng([self.settings.seed, EPOCH, epoch])
        (spikes,) = order_rng.spawn(1)
        order = order_rng.permutation(len(self.data.train_labels))
        for start in range(0, len(order), self.settings.batch):
            chosen = order[start : start + self.settings.batch]
            yield self.data.train_images[chosen], self.data.train_labels[chosen], spikes

    def train(self) -> dict[str, Any]:
        """Train; return the accuracy at the end, and how large updates were in each third.

        The size of an update is 1 where each parameter moves by the learning rate; ``frozen`` is
        the share of parameters that move by less than a hundredth of it.
        """
        s, found = self.settings, {}
        steps = s.epochs * -(-len(self.data.train_labels) // s.batch)
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                for epoch in range(s.epochs):
                    for batch in self.batches(epoch):
                        g = self.gradient(*batch)
                        self.update(g, s.learning_rate(self.done / steps))
        except FloatingPointError:
            return {"accuracy": round(1 / self.data.classes, 4), "diverged": self.done}
        for name, values in zip(("size", "frozen"), zip(*self.moved, strict=True), strict=True):
            thirds = np.array_split(values, 3)
            found[name] = [round(float(np.median(part)), 4) for part in thirds]
        return {"accuracy": round(self.accuracy(), 4), **found}

    def accuracy(self) -> float:
        """Return the share of right answers on what is held out."""
        images, labels = self.data.test_images, self.data.test_labels
        rng = np.random.default_rng([self.settings.seed, TEST, self.settings.epochs])
        right = 0
        for k in range(0, len(images), CHUNK):
            trace = self.forward(images[k : k + CHUNK], rng)
            if self.fast:
                read = self.settings.read or self.settings.T
                scores = trace[2][1][-read:].sum(axis=0)
            else:
                scores = self.loss.scores(trace)
            right += int((scores.argmax(axis=1) == labels[k : k + CHUNK]).sum())
        return right / len(images)


@dataclass(frozen=True)
class Cell:
    """What is trained with several seeds: a task, a rule, an arm, and changes of the task."""

    task: str
    rule: str
    arm: str
    changes: dict[str, Any] = field(default_factory=dict)

    def run(self, seed: int, lr: float, held_out: str = "test") -> dict[str, Any]:
        """Train one run, and return what it showed."""
        return Run(self.settings(seed, lr), load(self.task, held_out), ARMS[self.arm]).train()

    def settings(self, seed: int, lr: float) -> Settings:
        """Return the settings of one run."""
        changes = {**TASKS[self.task], **ARMS[self.arm].settings, **self.changes}
        return replace(RECIPES[self.task], rule=self.rule, seed=seed, lr=lr, **changes)

    def key(self, **more: Any) -> dict[str, Any]:
        """Return what names a run of the cell."""
        return {"task": self.task, "rule": self.rule, "arm": self.arm, **self.changes, **more}


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

    def run(self, cell: Cell, seed: int, lr: float, held_out: str = "test") -> dict[str, Any]:
        """Return a run, which is made if it is not there."""
        key = cell.key(seed=seed, lr=lr, held_out=held_out)
        for run in self.runs:
            if all(run.get(name) == value for name, value in key.items()):
                return dict(run)
        begun = time.perf_counter()
        found = {**key, **cell.run(seed, lr, held_out)}
        found["seconds"] = round(time.perf_counter() - begun, 2)
        self.runs.append(found)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(found) + "\n")
        return found

    def chosen_rate(self, cell: Cell, seeds: Sequence[int] = TUNING_SEEDS) -> float:
        """Return the rate that serves a cell best on validation data: of equals the nearest to 0.01.

        The grid grows threefold as long as its best is at an edge.
        """
        rates = [*RATES]
        if cell.arm.startswith("sgd"):
            rates = [0.001, 0.003, 0.01] if cell.arm != "sgd" else [0.03, 0.1, 0.3]
        if cell.arm == "lion":
            rates = [0.0003, 0.001, 0.003]
        while True:
            mean = {
                lr: np.mean([self.run(cell, s, lr, "validation")["accuracy"] for s in seeds])
                for lr in rates
            }
            best = max(rates, key=lambda lr: (mean[lr], -abs(math.log(lr / 0.01))))
            if len(rates) >= AT_MOST or best not in (rates[0], rates[-1]):
                return best
            lower = best == rates[0]
            new = float(f"{best / 3 if lower else best * 3:.1g}")
            rates.insert(0 if lower else len(rates), new)


def planned(path: Path) -> Iterator[tuple[Cell, float | None, Sequence[int]]]:
    """Yield the cells of a plan, each with its rate, None where it is chosen, and its seeds."""
    for line in read_json(path)["predictions"]:
        cell = Cell(line["task"], line["rule"], line["arm"], line.get("changes", {}))
        yield cell, line.get("lr"), SEEDS[: line.get("n", len(SEEDS))]


def main(argv: Sequence[str] | None = None) -> int:
    """Train a cell, or those of a plan."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.arms", description=__doc__)
    p.add_argument("cell", nargs="*", help="TASK RULE ARM name=value...")
    p.add_argument("--plan", type=Path, help="a file of predictions")
    p.add_argument("--out", type=Path, default=Path("runs/arms.jsonl"), help="the runs")
    p.add_argument("--lr", type=float, help="the learning rate; chosen if not given")
    p.add_argument("--seeds", default="4000:4020", help="FIRST:END")
    args = p.parse_args(argv)
    if args.plan:
        wanted = [*planned(args.plan)]
    else:
        (task, rule, arm), pairs = args.cell[:3], [x.split("=", 1) for x in args.cell[3:]]
        cell = Cell(task, rule, arm, {name: json.loads(value) for name, value in pairs})
        wanted = [(cell, args.lr, range(*map(int, args.seeds.split(":"))))]
    log = Log(args.out)
    limit_threads(1)
    with one_blas_thread():
        for cell, lr, seeds in wanted:
            rate = lr or log.chosen_rate(cell)
            runs = [log.run(cell, seed, rate) for seed in seeds]
            right = [run["accuracy"] for run in runs]
            above = sum(x > 0.95 for x in right)
            said = " ".join(map(str, cell.key().values()))
            print(f"{said}: rate {rate:g}, mean {np.mean(right):.3f}, above 0.95: "
                  f"{above} of {len(right)}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
