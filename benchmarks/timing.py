"""Times of steps that take turns, their summary, and the record that is made of them."""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stbp_edu import Params
from stbp_edu._support.files import write_json
from stbp_edu.training.measurements import environment, origin

TimedStep = Callable[[], object]
SETTLE = 0.15
"""Seconds of untimed steps before each timed one.

The threads of a matrix product go on spinning for some 50 ms after it, so that a step that follows
another candidate's products takes up to twice its time in a training, where each step follows its
like.
"""


def products(spikes: np.ndarray, params: Params) -> TimedStep:
    """Return the matrix products of a step and nothing else: the limit for dense input."""
    x, W = spikes.reshape(-1, spikes.shape[2]), params.W
    O = [x, *(np.zeros((len(x), len(w)), x.dtype) for w in W[1:])]
    E = [np.empty_like(o) for o in O]
    E[-1][...] = 0
    G = [None, *map(np.empty_like, W[1:])]

    def run() -> None:
        for n in range(1, len(W)):
            np.matmul(O[n - 1], W[n].T, out=O[n])
        for n in range(len(W) - 1, 0, -1):
            np.matmul(E[n].T, O[n - 1], out=G[n])
            if n > 1:
                np.matmul(E[n], W[n], out=E[n - 1])

    return run


def measure(
    candidates: Mapping[str, TimedStep],
    rounds: int,
    label: str = "",
    settle: float = SETTLE,
) -> dict[str, list[float]]:
    """Time each candidate once a round, in turns, after steps of its own; in ms."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in tqdm(range(rounds), desc=label, leave=False):
        for name, run in candidates.items():
            settled = time.perf_counter() + settle
            while time.perf_counter() < settled:
                run()
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) * 1e3)
    return times


def row(
    name: str, times: list[float], limit: list[float], **more: Any
) -> dict[str, Any]:
    """Sum up one candidate: the median, the quartiles, and the ratio to the limit."""
    low, median, high = statistics.quantiles(times, n=4)
    ratio = statistics.median(t / x for t, x in zip(times, limit, strict=True))
    figures = {"ms": median, "ms_low": low, "ms_high": high, "ratio": ratio}
    return {"name": name, **{k: round(v, 3) for k, v in figures.items()}, **more}


def publish(
    what: str, path: Path, rounds: int, made: Callable[[int], dict[str, Any]]
) -> None:
    """Measure what the command line asks for, print it, and write the record where asked."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--write", action="store_true", help=f"write {path.name}")
    args = parser.parse_args()
    before = os.getloadavg()[0]
    record = made(args.rounds)
    load = [round(before, 2), round(os.getloadavg()[0], 2)]
    for part in record.values():
        for line in part if isinstance(part, list) else ():
            for one in ({**line, "rows": ""}, *line.get("rows", ())):
                print("  ".join(f"{k} {v}" for k, v in one.items() if v != ""))
    if args.write:
        about = {"rounds": args.rounds, "load": load, **environment(), **origin()}
        write_json(path, {**record, **about})
