"""Measure candidates, each in a process of its own: times in turns, memory, and gradients."""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.frameworks import problem as problems
from benchmarks.frameworks.candidate import BY_NAME, Entry
from benchmarks.timing import measure, row
from stbp_edu import cases, forward_pass
from stbp_edu.parameters import named_arrays

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
STEP: dict[str, Any] = {}
"""In the process of a candidate, its step."""


def prepare(name: str, problem: problems.SizedProblem) -> None:
    """Make the step of a candidate in its own process, and warm it up."""
    STEP[name] = BY_NAME[name].make(problem).step
    for _ in range(WARM_UP):
        STEP[name]()


def turn(name: str) -> float:
    """Return the median time of some steps in ms."""
    STEP[name]()
    return statistics.median(measure(STEP, STEPS, settle=0)[name])


def peak(name: str, problem: problems.SizedProblem) -> float | None:
    """Return how far the resident memory rises in MB, where Linux tells.

    That is during steps, above what it is after imports.
    """
    __import__(f"benchmarks.frameworks.{BY_NAME[name].build.partition(':')[0]}")
    before = resident("VmRSS") - problem.spikes.nbytes / 1e6  # which has come already
    prepare(name, problem)
    with suppress(OSError):  # so that compiling does not count, where Linux allows it
        (PROC / "clear_refs").write_text("5")
    turn(name)
    return round(resident("VmHWM") - before, 1) if PROC.exists() else None


def resident(which: str) -> float:
    """Return the resident memory now (VmRSS) or at its peak (VmHWM) in MB, where Linux tells."""
    status = PROC / "status"
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(x.split()[1]) * 1024 / 1e6 for x in lines if x.startswith(which))


def check(name: str, problem: problems.SizedProblem) -> dict[str, float]:
    """Compare the gradients with those of stbp_edu: in float64, where rounding moves no spike."""
    errors = {}
    for dtype in (np.float32, np.float64):
        cast = problem.cast(dtype)
        candidate = BY_NAME[name].make(cast)
        if candidate.gradients:
            wanted = reference(cast, BY_NAME[name].rule)
            errors[np.dtype(dtype).name] = distance(candidate.gradients(), wanted)
    return errors


def reference(problem: problems.SizedProblem, rule: str) -> list[Any]:
    """Return the gradients of the readable sweep of the five cases."""
    trace = forward_pass.forward(problem.spikes, problem.params, problems.NEURON)
    args = (trace, problem.targets, problem.params, problems.NEURON)
    return [*named_arrays(cases.sweep(*args, rule=rule).gradients).values()]


def distance(got: list[Any], wanted: list[Any]) -> float:
    """Return the largest error of an array, relative to that array's largest entry."""
    pairs = zip(got, wanted, strict=True)
    return float(max(np.abs(f - w).max() / np.abs(w).max() for f, w in pairs))


@contextmanager
def process(**environment: str) -> Iterator[ProcessPoolExecutor]:
    """Give a process that began with these variables in its environment."""
    before = dict(os.environ)
    os.environ.update(environment, TQDM_DISABLE="1", PYTHONWARNINGS="ignore")
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        alone.submit(int).result()  # it starts here
        os.environ.clear()
        os.environ.update(before)
        yield alone


def alone(what: Any, *arguments: Any, **environment: str) -> Any:
    """Call a function in a new process, and return its result."""
    with process(**environment) as other:
        return other.submit(what, *arguments).result()


def turns(
    entries: Sequence[Entry], problem: problems.SizedProblem, rounds: int
) -> dict[str, list[float]]:
    """Time the candidates in turns; the frameworks get the better allocator settings."""
    with ExitStack() as stack:
        running: dict[str, ProcessPoolExecutor] = {}
        for entry in tqdm(entries, desc="start and compile", leave=False):
            better = {**entry.environment, **(ALLOCATOR if entry.packages else {})}
            running[entry.name] = stack.enter_context(process(**better))
            running[entry.name].submit(prepare, entry.name, problem).result()
        times: dict[str, list[float]] = {name: [] for name in running}
        for r in tqdm(range(rounds), desc=str(problem.size), leave=False):
            names = list(running)
            shift = r % len(names)  # nobody always follows the same one
            for name in names[shift:] + names[:shift]:
                time.sleep(PAUSE)
                times[name].append(running[name].submit(turn, name).result())
        return times


def measured_at(
    size: problems.Size,
    entries: Sequence[Entry],
    rounds: int,
    with_memory: bool = False,
) -> dict[str, Any]:
    """Compare the candidates at one size, by time and, if asked, by memory."""
    before = os.getloadavg()[0]
    problem, data = problems.draw(size)
    times = turns(entries, problem, rounds)
    limit = times.get("products", next(iter(times.values())))
    rows = []
    for e in tqdm(entries, desc="memory", leave=False):
        rise = alone(peak, e.name, problem) if with_memory else None
        best = round(min(times[e.name]), 3)
        rows.append(row(e.name, times[e.name], limit, best=best, peak_mb=rise))
    return {
        **asdict(size), "inputs": problem.pixels.shape[1],
        "mean": round(float(problem.spikes.mean()), 4), "data": data, "rounds": rounds,
        "load": [round(before, 2), round(os.getloadavg()[0], 2)], "rows": rows,
    }  # fmt: skip
