"""Measure candidates, each in a process of its own: times in turns, memory, and gradients."""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.frameworks.candidate import BY_NAME, Entry
from benchmarks.frameworks.problem import NEURON, Size, SizedProblem, draw
from stbp_edu import cases, forward_pass
from stbp_edu._support.files import write_json
from stbp_edu.parameters import named_arrays
from stbp_edu.training.measurements import environment, origin

# PyTorch asks the system for new memory for every intermediate, which costs it a page fault
# for each 4 KB. These settings make the C library keep it; other systems ignore them.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "MALLOC_TOP_PAD_": str(2**26),
}
WARM_UP = 3  # steps
STEPS = 8  # timed in each turn, after one to warm up
PAUSE = 0.3  # seconds before a turn, in which the last one's threads stop to look out for work
PROC = Path("/proc/self")
STEP: list[Callable[[], object]] = []
"""In the process of a candidate, its step."""


def prepare(name: str, problem: SizedProblem) -> None:
    """Make the step of a candidate in its own process, and warm it up."""
    STEP.append(BY_NAME[name].make(problem).step)
    for _ in range(WARM_UP):
        STEP[0]()


def turn() -> float:
    """Return the median time of some steps in ms."""
    times = []
    for _ in range(1 + STEPS):
        start = time.perf_counter()
        STEP[0]()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[1:])


def peak(name: str, problem: SizedProblem) -> float | None:
    """Return how far the resident memory rises in MB, where Linux tells.

    That is during steps, above what it is after imports.
    """
    __import__(f"benchmarks.frameworks.{BY_NAME[name].build.partition(':')[0]}")
    before = resident("VmRSS") - problem.spikes.nbytes / 1e6  # which has come already
    prepare(name, problem)
    with suppress(OSError):  # so that compiling does not count, where Linux allows it
        (PROC / "clear_refs").write_text("5")
    turn()
    return round(resident("VmHWM") - before, 1) if PROC.exists() else None


def resident(which: str) -> float:
    """Return the resident memory now (VmRSS) or at its peak (VmHWM) in MB, where Linux tells."""
    status = PROC / "status"
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(x.split()[1]) * 1024 / 1e6 for x in lines if x.startswith(which))


def check(name: str, problem: SizedProblem) -> float | None:
    """Return how far the gradients are from those of stbp_edu; None where there are none."""
    candidate = BY_NAME[name].make(problem)
    if candidate.gradients is None:
        return None
    return distance(candidate.gradients(), reference(problem, BY_NAME[name].rule))


def reference(problem: SizedProblem, rule: str) -> list[Any]:
    """Return the gradients of the readable sweep of the five cases."""
    trace = forward_pass.forward(problem.spikes, problem.params, NEURON)
    adjoints = cases.sweep(trace, problem.targets, problem.params, NEURON, rule=rule)
    return [*named_arrays(adjoints.gradients).values()]


def distance(got: list[Any], wanted: list[Any]) -> float:
    """Return the largest error of an array, relative to that array's largest entry."""
    pairs = zip(got, wanted, strict=True)
    return float(max(np.abs(f - w).max() / np.abs(w).max() for f, w in pairs))


@contextmanager
def process(**environment: str) -> Iterator[ProcessPoolExecutor]:
    """Give a process that began with these variables in its environment."""
    before = dict(os.environ)
    os.environ.update(environment, PYTHONWARNINGS="ignore")
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        alone.submit(int).result()  # it starts here
        os.environ.clear()
        os.environ.update(before)
        yield alone


def alone(what: Any, *arguments: Any) -> Any:
    """Call a function in a new process, and return its result."""
    with process() as other:
        return other.submit(what, *arguments).result()


def turns(
    entries: Sequence[Entry], problem: SizedProblem, rounds: int
) -> dict[str, list[float]]:
    """Time the candidates in turns; the frameworks get the better allocator settings."""
    times: dict[str, list[float]] = {entry.name: [] for entry in entries}
    with ExitStack() as stack:
        running = []
        for entry in entries:
            better = {**entry.environment, **(ALLOCATOR if entry.packages else {})}
            own = stack.enter_context(process(**better))
            own.submit(prepare, entry.name, problem).result()
            running.append((entry.name, own))
        for _ in tqdm(range(rounds), desc=str(problem.size), leave=False):
            for name, own in running:
                time.sleep(PAUSE)
                times[name].append(own.submit(turn).result())
            running.append(running.pop(0))  # nobody always follows the same one
    return times


def measured_at(
    size: Size, entries: Sequence[Entry], rounds: int, with_memory: bool = False
) -> dict[str, Any]:
    """Compare the candidates at one size, by time and, if asked, by memory; print the times."""
    before = os.getloadavg()[0]
    problem = draw(size)
    times, rows = turns(entries, problem, rounds), []
    limit = times.get("products", times[entries[0].name])
    print(size)
    for name, own in times.items():
        low, median, high = statistics.quantiles(own, n=4)
        ratio = statistics.median(t / x for t, x in zip(own, limit, strict=True))
        figures = {
            "ms": median, "ms_low": low, "ms_high": high, "ratio": ratio, "best": min(own),
        }  # fmt: skip
        rise = alone(peak, name, problem) if with_memory else None
        rounded = {key: round(value, 3) for key, value in figures.items()}
        rows.append({"name": name, **rounded, "peak_mb": rise})
        print(f"  {name:26} {median:8.1f} ms, {ratio:5.2f} of the products", flush=True)
    return {
        **asdict(size), "inputs": problem.pixels.shape[1],
        "mean": round(float(problem.spikes.mean()), 4), "data": problem.data,
        "rounds": rounds, "rows": rows,
        "load": [round(before, 2), round(os.getloadavg()[0], 2)],
    }  # fmt: skip


def publish(what: str, path: Path, made: Callable[[], dict[str, Any]]) -> None:
    """Make a record, and write it where the command line asks for that."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--write", action="store_true", help=f"write {path.name}")
    write = parser.parse_args().write
    record = made()
    if write:
        write_json(path, {**record, **environment(), **origin()})
