"""Rerun any arm of the experiments on tasks of time: a task, a rule, and one thing that is changed.

``python -m benchmarks.arms delayed-xor exact sign`` trains one line of the record: its learning
rate is chosen on validation data with seeds of its own, then 20 runs are made at that rate by the
package's trainer. ``--lr 0.01`` fixes the rate, ``--seeds 0:5`` names the seeds, and ``T=59``
changes a setting of the task::

    python -m benchmarks.arms delayed-xor classic none hidden=[64,64] --lr 0.01 --seeds 0:5
    python -m benchmarks.arms --plan docs/results/sign-predictions.json --out runs/sign.json

A plan is a file of predictions, or a record. Each line becomes a row of the record ``--out``; a
row that is there is kept.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu import Gradients
from stbp_edu._support.checks import Array
from stbp_edu._support.files import read_json, write_json
from stbp_edu.parameters import named_arrays
from stbp_edu.program.threads import limit_threads, one_blas_thread
from stbp_edu.training import RECIPES, Settings, initial_state
from stbp_edu.training.data import load_dataset
from stbp_edu.training.evaluation import answers_to
from stbp_edu.training.measurements import environment, origin
from stbp_edu.training.model import Passes, encode_images
from stbp_edu.training.optimiser import gradient_norm
from stbp_edu.training.trainer import TEST, TrainingJob, stream, train_epoch

TUNING_SEEDS = range(3000, 3003)
RATES = (0.003, 0.01, 0.03)
FIRST_RATES = {
    "sgd": (0.03, 0.1, 0.3),
    **dict.fromkeys(("lion", "lion, sign"), (0.0003, 0.001, 0.003)),
}
AT_MOST = 6  # learning rates that are tried for a line
MOMENTS, PAIRS = (0, 1, 4, 8), 100  # epochs done, and pairs of batches, for cosines
STILL = 0.01  # of the learning rate: a parameter that moves by less is called frozen

TASKS: dict[str, dict[str, Any]] = {
    "delayed-xor": {"epochs": 12, "a": 0.02},
    "digits-by-rows": {"epochs": 20, "a": 0.02},
    # The notes' threshold and rectangle, each digit as a steady current.
    "digits": {
        "hidden": (128,), "T": 20, "v_th": 1.5, "surrogate": "rectangle", "a": 1.0,
        "encoder": "direct", "init_scale": 2.0, "epochs": 12, "averaging": 0.0,
    },
    "mnist": {"epochs": 4, "hidden": (128,), "shift": 0, "T_test": 0, "schedule": "constant",
              "averaging": 0.0, "init_scale": 1.0},
}  # fmt: skip
"""What each task changes in the package's recipe of this name."""


class Run(TrainingJob):
    """A run of the package's trainer, in which an arm may change gradients or updates."""

    def __init__(self, settings: Settings, data: Any, arm: "Arm") -> None:
        super().__init__(settings, data, initial_state(settings, data), arm.passes)
        self.arm, self.rng = arm, np.random.default_rng([settings.seed, 99])
        self.means: dict[str, Array] = {}
        self.moved: list[tuple[float, float]] = []

    def flat(self, arrays: Mapping[str, Array]) -> Array:
        """Return arrays by name as one."""
        names = self.state.params.arrays()
        return np.concatenate([arrays[name].ravel() for name in names])

    def update(self, grads: Any, lr: float) -> float:
        """Change the parameters, and note how far they move in units of the learning rate."""
        norm, params = gradient_norm(grads), self.state.params.arrays()
        if self.arm.gradient:
            self.arm.gradient(self, named_arrays(grads))
        before = self.flat(params)
        if self.arm.step is None:
            super().update(grads, lr)
        else:
            self.state.step += 1
            step, done = self.arm.step(self, self.flat(named_arrays(grads))), 0
            for p in params.values():
                p -= np.float32(lr) * step[done : done + p.size].reshape(p.shape)
                done += p.size
        moved = (before - self.flat(params)) / lr
        size = float(np.sqrt(np.mean(moved * moved)))
        self.moved.append((size, float(np.mean(np.abs(moved) < STILL))))
        return norm

    def adam(
        self, g: Array, of: str = "", eps: float = 1e-8, most: bool = False
    ) -> Array:
        """Return Adam's step over the learning rate; its means have the name ``of``."""
        m, v, largest = (
            self.means.setdefault(f"{name} {of}", np.zeros_like(g))
            for name in ("m", "v", "most")
        )
        beta1, beta2, k = self.settings.momentum, self.settings.beta2, self.state.step
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        if most:
            v = np.maximum(largest, v, out=largest)
        root = math.sqrt(1 - beta2**k)
        return m * (root / (1 - beta1**k)) / (np.sqrt(v) + eps * root)

    def result(self) -> dict[str, Any]:
        """Train; return the accuracy at the end, and how large updates were in each third.

        The size of an update is 1 where each parameter moves by the learning rate; ``frozen`` is
        the share of parameters that move by less than a hundredth of it.
        """
        s, data = self.settings, self.data
        try:
            for epoch in range(s.epochs):
                for _ in train_epoch(self, epoch):
                    pass
        except ValueError:  # the run diverged
            return {"accuracy": round(1 / data.classes, 4), "diverged": self.state.step}
        answers = answers_to(
            data.test_images, self.state.kept, s, stream(s, TEST, s.epochs)
        )
        found: dict[str, Any] = {
            "accuracy": round(float((answers == data.test_labels).mean()), 4)
        }
        for name, values in zip(
            ("size", "frozen"), np.transpose(self.moved), strict=True
        ):
            thirds = np.array_split(values, 3)
            found[name] = [round(float(np.median(part)), 4) for part in thirds]
        return found


Change = Callable[[Run, dict[str, Array]], None]
"""Changes gradients by name, in place."""
Update = Callable[[Run, Array], Array]
"""Returns an update over the learning rate, which is to be subtracted."""


@dataclass(frozen=True)
class Arm:
    """One thing that is changed: settings, the gradient, how updates are made, or the passes."""

    settings: dict[str, Any] = field(default_factory=dict)
    gradient: Change | None = None
    step: Update | None = None
    passes: Callable[..., Passes] = Passes


def signs_of(*names: str) -> Change:
    """Return a change that takes the sign of some parameters' gradients only."""

    def change(run: Run, g: dict[str, Array]) -> None:
        for name in names:
            np.sign(g[name], out=g[name])

    return change


def unit_norm(run: Run, g: dict[str, Array]) -> None:
    """Divide the gradient by its norm: every batch counts alike, coordinates do not."""
    norm = max(float(np.linalg.norm(run.flat(g))), 1e-30)
    for one in g.values():
        one /= np.float32(norm)


def signs_with_norm(run: Run, g: dict[str, Array]) -> None:
    """Take the sign times the gradient's norm: coordinates count alike, batches do not."""
    flat = run.flat(g)
    for one in g.values():
        one[...] = np.sign(one) * np.float32(np.linalg.norm(flat) / len(flat) ** 0.5)


def shuffle_sizes(run: Run, g: dict[str, Array]) -> None:
    """Shuffle the absolute values of the entries, and keep the signs; a new order each time."""
    sizes, done = np.abs(run.rng.permutation(run.flat(g))), 0
    for name in run.state.params.arrays():
        size = sizes[done : done + g[name].size].reshape(g[name].shape)
        g[name][...] = np.sign(g[name]) * size
        done += size.size


def clip_entries(limit: float) -> Change:
    """Return a change that clips every entry."""

    def change(run: Run, g: dict[str, Array]) -> None:
        for one in g.values():
            np.clip(one, -limit, limit, out=one)

    return change


def clip_neurons(limit: float) -> Change:
    """Return a change that clips the norm of each neuron's row of every parameter."""

    def change(run: Run, g: dict[str, Array]) -> None:
        for one in g.values():
            axes = tuple(range(1, one.ndim))
            norms = np.sqrt((one * one).sum(axis=axes, keepdims=True))
            one *= np.minimum(1, limit / np.maximum(norms, 1e-30))

    return change


def lion(run: Run, g: Array) -> Array:
    """Return the sign of a mean (Chen and others, 2023)."""
    m, beta = run.means.setdefault("m", np.zeros_like(g)), run.settings.momentum
    step = np.sign(beta * m + (1 - beta) * g)
    m += 0.01 * (g - m)
    return step


def lion_as_long_as_signs(run: Run, g: Array) -> Array:
    """Return up or down of Lion's step with the sizes of the mean of signs, as SGD on signs has."""
    m = run.means.setdefault("m of signs", np.zeros_like(g))
    m += (1 - run.settings.momentum) * (np.sign(g) - m)
    return lion(run, g) * np.abs(m)


def warm_up(run: Run, g: Array) -> Array:
    """Return Adam's step, with a learning rate that rises over 200 updates."""
    return run.adam(g) * np.float32(min(1, run.state.step / 200))


def crossed(run: Run, g: Array, *, keep: str) -> Array:
    """Return the direction or the size of Adam's step, the other one as Adam has it for signs."""
    own, of_signs = run.adam(g), run.adam(np.sign(g), "of signs")
    way, length = (own, of_signs) if keep == "direction" else (of_signs, own)
    sizes = (max(float(np.linalg.norm(x)), 1e-30) for x in (length, way))
    return way * np.float32(next(sizes) / next(sizes))


def crossed_by_entry(run: Run, g: Array, *, keep: str) -> Array:
    """Return the sign or the absolute value of each entry of Adam's step, the other of signs'."""
    own, of_signs = run.adam(g), run.adam(np.sign(g), "of signs")
    way, length = (own, of_signs) if keep == "direction" else (of_signs, own)
    return np.abs(length) * np.sign(way)


def kicked(run: Run, g: Array, *, where: str = "") -> Array:
    """Return Adam's step and half a learning rate of a random sign, everywhere or in places.

    "few" kicks as many frozen coordinates as there are moving ones, drawn at each update.
    """
    step = run.adam(g)
    kick = run.rng.choice(np.array([-0.5, 0.5], np.float32), len(step))
    still = np.abs(step) < STILL
    few = np.zeros_like(still)
    few[run.rng.permutation(np.flatnonzero(still))[: (~still).sum()]] = True
    places = {"": 1, "frozen": still, "moving": ~still, "few": few}
    return step + kick * places[where]


class OtherGains(Passes):
    """Passes of the exact rule in which the surrogate's height, or each gain, is another one.

    The gain is f + u f' h, the factor from a neuron's error at t + 1 to its error at t.
    """

    def __init__(
        self, params: Any, settings: Settings, height: float = 1.0, gains: str = ""
    ) -> None:
        super().__init__(params, settings)
        if settings.rule != "exact" or "R" in str(settings.hidden):
            raise ValueError(
                "arms that change gains need the exact rule and dense layers"
            )
        self.neuron, self.loss = settings.make_neuron(), settings.make_loss()
        self.height, self.gains = height, gains
        self.rng = np.random.default_rng([settings.seed, 99])

    def gradients(self, params: Any, trace: Any, targets: Array) -> Gradients:
        """Return the gradients with these gains."""
        W, b = list[Any](params.W), list[Any](params.b)
        delta = self.loss.direct(trace, targets).o
        for n in range(len(W) - 1, 0, -1):
            u, o = trace.U[n], trace.O[n]
            h = self.height * self.neuron.h(u)
            gain = self.used(self.neuron.f(o) + u * self.neuron.df(o) * h)
            epsilon = delta * h
            for t in range(len(u) - 2, -1, -1):
                epsilon[t] += gain[t] * epsilon[t + 1]
            delta = epsilon @ params.W[n]
            W[n] = np.tensordot(epsilon, trace.O[n - 1], ((0, 1), (0, 1)))
            b[n] = epsilon.sum(axis=(0, 1))
        return Gradients(W, b)

    def used(self, gain: Array) -> Array:
        """Return each gain's absolute value, or gains reduced as by a limit of 1, elsewhere."""
        if self.gains == "absolute":
            return np.abs(gain)
        if self.gains == "random":
            factor = (1 / np.abs(gain).clip(min=1)).reshape(len(gain), -1)
            return gain * factor[:, self.rng.permutation(factor.shape[1])].reshape(
                gain.shape
            )
        return gain


class Mixed(OtherGains):
    """Passes in which up or down and the size of an entry come from two choices of gains."""

    def __init__(
        self, params: Any, settings: Settings, ways: str = "", sizes: str = ""
    ) -> None:
        super().__init__(params, settings)
        self.ways, self.sizes = ways, sizes

    def gradients(self, params: Any, trace: Any, targets: Array) -> Gradients:
        """Return the signs of one gradient with the absolute values of the other, by entry."""
        self.gains = self.sizes
        sizes = named_arrays(super().gradients(params, trace, targets))
        self.gains = self.ways
        grads = super().gradients(params, trace, targets)
        for name, one in named_arrays(grads).items():
            one[...] = np.sign(one) * np.abs(sizes[name])
        return grads


SIGN, SGD = {"gradient_sign": True}, {"optimiser": "sgd"}
ARMS: dict[str, Arm] = {
    "none": Arm(),
    "sign": Arm(SIGN),
    "sign of layer 1": Arm(gradient=signs_of("W1", "b1")),
    "sign of the output": Arm(gradient=signs_of("W2", "b2")),
    "unit norm": Arm(gradient=unit_norm),
    "sign times norm": Arm(gradient=signs_with_norm),
    "sizes shuffled": Arm(gradient=shuffle_sizes),
    **{f"clip {c:g}": Arm({"clip_norm": c}) for c in (1.0, 0.05)},
    **{f"clip neuron {c:g}": Arm(gradient=clip_neurons(c)) for c in (0.1, 0.01)},
    **{f"clip entry {c:g}": Arm(gradient=clip_entries(c)) for c in (0.01, 0.001)},
    **{f"beta2 {beta:g}": Arm({"beta2": beta}) for beta in (0.9, 0.99)},
    **{f"limit {k:g}": Arm({"gain_limit": k}) for k in (0.5, 0.8, 0.9, 1.5, 2.0, 5.0)},
    "limit": Arm({"gain_limit": 1.0}),
    "limit, beta2 0.9": Arm({"gain_limit": 1.0, "beta2": 0.9}),
    "limit, sign": Arm({"gain_limit": 1.0, **SIGN}),
    "absolute gains": Arm(passes=partial(OtherGains, gains="absolute")),
    "absolute gains, sign": Arm(SIGN, passes=partial(OtherGains, gains="absolute")),
    "up or down of absolute gains": Arm(passes=partial(Mixed, ways="absolute")),
    "sizes of absolute gains": Arm(passes=partial(Mixed, sizes="absolute")),
    "random gains": Arm(passes=partial(OtherGains, gains="random")),
    "lower surrogate": Arm(passes=partial(OtherGains, height=0.3)),
    "rmsprop": Arm({"momentum": 0.0}),
    "sign, no momentum": Arm({"momentum": 0.0, **SIGN}),
    **{f"eps {e:g}": Arm(step=partial(Run.adam, eps=e)) for e in (1e-4, 1e-2)},
    "amsgrad": Arm(step=partial(Run.adam, most=True)),
    "warm-up": Arm(step=warm_up),
    "size of sign": Arm(step=partial(crossed, keep="direction")),
    "direction of sign": Arm(step=partial(crossed, keep="size")),
    "size of sign, by entry": Arm(step=partial(crossed_by_entry, keep="direction")),
    "direction of sign, by entry": Arm(step=partial(crossed_by_entry, keep="size")),
    "noise": Arm(step=kicked),
    "noise where frozen": Arm(step=partial(kicked, where="frozen")),
    "noise where moving": Arm(step=partial(kicked, where="moving")),
    "few kicks where frozen": Arm(step=partial(kicked, where="few")),
    "batch 256": Arm({"batch": 256, "epochs": 48}),
    "lion": Arm(step=lion),
    "lion, sign": Arm(gradient=signs_of("W1", "b1", "W2", "b2"), step=lion),
    "lion, sizes of signs": Arm(step=lion_as_long_as_signs),
    "sgd": Arm(SGD),
    "sgd, sign": Arm({**SGD, **SIGN}),
    "sgd, unit norm": Arm(SGD, unit_norm),
}  # fmt: skip
load = cache(load_dataset)


def run_of(
    line: Mapping[str, Any], seed: int, lr: float, held_out: str = "test"
) -> Run:
    """Return one run of a line, which names task, rule, arm and changes of settings."""
    task, arm = line["task"], ARMS[line["arm"]]
    changes = {**TASKS[task], **arm.settings, **line.get("changes", {})}
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    settings = replace(RECIPES[task], rule=line["rule"], seed=seed, lr=lr, **changes)
    return Run(settings, load(task, held_out=held_out), arm)


def chosen_rate(line: Mapping[str, Any]) -> tuple[float, dict[float, float]]:
    """Return the rate that serves a line best on validation data, and what was tried.

    The grid grows threefold as long as its best is at an edge; of equals that by 0.01 counts.
    """
    wanted, tried, best = (
        [*FIRST_RATES.get(line["arm"], RATES)],
        dict[float, float](),
        0.0,
    )
    while wanted and len(tried) < AT_MOST:
        for lr in wanted:
            runs = [
                run_of(line, seed, lr, "validation").result() for seed in TUNING_SEEDS
            ]
            tried[lr] = float(np.mean([run["accuracy"] for run in runs]))
        best = max(tried, key=lambda lr: (tried[lr], -abs(math.log(lr / 0.01))))
        beyond = {min(tried): best / 3, max(tried): best * 3}
        wanted = [float(f"{beyond[best]:.1g}")] if best in beyond else []
    return best, tried


def trained(line: Mapping[str, Any], seeds: Sequence[int]) -> dict[str, Any]:
    """Train a line with several seeds, and return its row."""
    rate, tried = (line["lr"], {}) if line.get("lr") else chosen_rate(line)
    runs = [run_of(line, seed, rate).result() for seed in seeds]
    sized = [run for run in runs if "size" in run]
    means = {
        name: np.mean([run[name] for run in sized], axis=0).round(4).tolist()
        for name in ("size", "frozen") if sized
    }  # fmt: skip
    return {
        "lr": rate, "tried": {f"{k:g}": round(accuracy, 4) for k, accuracy in tried.items()},
        "seeds": f"{seeds[0]}:{seeds[-1] + 1}",
        "accuracy": [run["accuracy"] for run in runs], **means,
    }  # fmt: skip


def cosines(line: Mapping[str, Any], seed: int, lr: float) -> Iterator[dict[str, Any]]:
    """Yield cosines between the gradients of two batches along a run, means over pairs."""
    run, rng = run_of(line, seed, lr), np.random.default_rng([seed, 98])
    s, data, params = run.settings, run.data, run.state.params
    answers = np.eye(params.sizes[-1], dtype=params.dtype)
    for epoch in range(max(MOMENTS) + 1):
        found = []
        for _ in range(PAIRS if epoch in MOMENTS else 0):
            pair = []
            for k in rng.choice(len(data.train_labels), (2, s.batch), replace=False):
                spikes = encode_images(data.train_images[k], s, s.T, rng, params.dtype)
                trace = run.passes.forward(params, spikes)
                g = run.passes.gradients(params, trace, answers[data.train_labels[k]])
                pair.append(run.flat(named_arrays(g)).astype(float))
            found.append([cosine(*pair), cosine(*np.sign(pair))])
        if found:
            mean, of_signs = np.mean(found, axis=0).round(4).tolist()
            yield {
                "along": line["arm"], "rule": line["rule"], "seed": seed,
                "updates": epoch * run.steps, "cosine": mean, "of signs": of_signs,
            }  # fmt: skip
        for _ in train_epoch(run, epoch):
            pass


def cosine(one: Array, two: Array) -> float:
    """Return the cosine of two arrays; 0 where one is 0."""
    length = float(np.linalg.norm(one) * np.linalg.norm(two))
    return float(one @ two) / length if length else 0.0


def asked(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the lines of a plan, and the one of the command line."""
    if args.plan:
        plan = read_json(args.plan)
        yield from plan.get("predictions") or plan["rows"]
    if args.line:
        task, rule, arm, *pairs = args.line
        changes = {k: json.loads(v) for k, v in (pair.split("=", 1) for pair in pairs)}
        yield {
            "task": task,
            "rule": rule,
            "arm": arm,
            "changes": changes,
            "lr": args.lr,
        }


def main(argv: Sequence[str] | None = None) -> int:
    """Train a line, or those of a plan."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.arms", description=__doc__)
    p.add_argument("line", nargs="*", help="TASK RULE ARM name=value...")
    p.add_argument("--plan", type=Path, help="a file of predictions, or a record")
    p.add_argument(
        "--out", type=Path, default=Path("runs/arms.json"), help="the record"
    )
    p.add_argument("--lr", type=float, help="the learning rate; chosen if not given")
    p.add_argument(
        "--seeds", default="4000:4020", help="FIRST:END, where a line names none"
    )
    p.add_argument(
        "--cosines", action="store_true", help="of batches along runs, in place of rows"
    )
    args = p.parse_args(argv)
    made = {
        "command": f"python -m benchmarks.arms {' '.join(argv or sys.argv[1:])}",
        **origin(),
    }
    record = {**made, **environment(), "rows": []}
    if args.out.exists():
        record = read_json(args.out)
    limit_threads(1)
    with one_blas_thread():
        for line in asked(args):
            if args.cosines:
                for seed in range(*map(int, args.seeds.split(":"))):
                    record.setdefault("cosines", []).extend(
                        cosines(line, seed, line["lr"])
                    )
                write_json(args.out, record)
                continue
            named = {key: line[key] for key in ("task", "rule", "arm")}
            named |= {"changes": line.get("changes", {}), "fixed": bool(line.get("lr"))}
            row = next(
                (row for row in record["rows"] if named.items() <= row.items()), None
            )
            if row is None:
                seeds = range(*map(int, line.get("seeds", args.seeds).split(":")))
                row = {**named, **trained(line, seeds[: line.get("n")])}
                record["rows"].append(row)
                write_json(args.out, record)
            right = np.array(row["accuracy"])
            learn = f"above 0.95: {(right > 0.95).sum()} of {len(right)}"
            print(
                *named.values(),
                f"rate {row['lr']:g}, mean {right.mean():.3f}, {learn}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
