"""Measure all candidates at one size, each in a process of its own: times in turns, then memory."""

import os
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.engine_speed import row
from benchmarks.frameworks.candidate import Entry
from benchmarks.frameworks.problem import Size, draw, save
from benchmarks.frameworks.processes import CandidateError, Process, ask

STEPS = 8  # timed in each turn, after one to warm up
PAUSE = 0.3  # seconds before a turn, in which the last one's threads stop to look out for work


def measured_at(
    size: Size, entries: Sequence[Entry], rounds: int, folder: Path, with_memory: bool = False
) -> dict[str, Any]:
    """Compare the candidates at one size, by time and, if asked, by memory."""
    before = os.getloadavg()[0]
    problem, data = draw(size)
    path = folder / "problem.npz"
    save(problem, path)
    times, failed = turns(entries, path, rounds, size.describe())
    limit = times.get("products", next(iter(times.values())))
    rows = []
    for e in tqdm([e for e in entries if e.name in times], desc="memory", leave=False):
        rise = asked(e, path, "memory").get("mb") if with_memory else None
        best = round(min(times[e.name]), 3)
        rows.append(row(e.name, times[e.name], limit, best=best, peak_mb=rise))
    return {
        **asdict(size), "inputs": problem.pixels.shape[1],
        "mean": round(float(problem.spikes.mean()), 4), "data": data, "rounds": rounds,
        "load": [round(before, 2), round(os.getloadavg()[0], 2)], "rows": rows, "failed": failed,
    }  # fmt: skip


def turns(
    entries: Sequence[Entry], path: Path, rounds: int, label: str
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Time the processes in turns; a round's time is the median of the turn's steps."""
    with ExitStack() as stack:
        running: dict[str, Process] = {}
        failed: dict[str, str] = {}
        for entry in tqdm(entries, desc=f"{label}: start and compile", leave=False):
            process = stack.enter_context(Process(entry, path, "time"))
            try:
                process.answer()
            except CandidateError as error:
                failed[entry.name] = str(error)
            else:
                running[entry.name] = process
        times: dict[str, list[float]] = {name: [] for name in running}
        for r in tqdm(range(rounds), desc=label, leave=False):
            names = list(running)
            shift = r % len(names)
            for name in names[shift:] + names[:shift]:  # nobody always follows the same one
                time.sleep(PAUSE)
                times[name].append(statistics.median(running[name].turn(STEPS)))
        return times, failed


def asked(entry: Entry, path: Path, how: str) -> dict[str, Any]:
    """Return a candidate's one answer, "memory" or "check"; or the words with which it failed."""
    try:
        return ask(entry, path, how)
    except CandidateError as error:
        return {"failed": str(error)}
