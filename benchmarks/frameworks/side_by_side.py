"""Measure all candidates at one size, each in a process of its own: times in turns, then memory."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.engine_speed import row
from benchmarks.frameworks.candidate import Entry
from benchmarks.frameworks.problem import Problem, Size, draw, read, save
from benchmarks.frameworks.processes import CandidateError, Process, ask
from benchmarks.frameworks.trainer_step import learned, perfect

STEPS = 8  # of a turn, after one that does not count
PAUSE = 0.3  # seconds before a turn, in which the last one's threads stop to look out for work


def measured_at(
    size: Size, entries: Sequence[Entry], rounds: int, folder: Path, *, with_memory: bool
) -> dict[str, Any]:
    """Compare the candidates at one size, by time and, if asked, by memory."""
    before = os.getloadavg()[0]
    problem, data = draw(size)
    files = write(problem, entries, folder)
    times, failed = turns(entries, files, rounds, size.describe())
    limit = times.get("products", next(iter(times.values())))
    rows = [
        row(
            e.name,
            times[e.name],
            limit,
            best=round(min(times[e.name]), 3),
            peak_mb=memory(e, files[e.learned]) if with_memory else None,
        )
        for e in tqdm(entries, desc="memory", leave=False)
        if e.name in times
    ]
    return {
        "T": size.T,
        "batch": size.batch,
        "width": size.width,
        "inputs": problem.pixels.shape[1],
        "lit": int(problem.pixels.any(axis=0).sum()),
        "lit_only": size.lit_only,
        "data": data,
        "perfect": perfect(read(files[True])) if any(e.learned for e in entries) else None,
        "rounds": rounds,
        "load": [round(before, 2), round(os.getloadavg()[0], 2)],
        "rows": rows,
        "failed": failed,
    }


def places(folder: Path) -> dict[bool, Path]:
    """Return where the problem of a new network is (False), and that of a learned one (True)."""
    return {False: folder / "problem.npz", True: folder / "learned.npz"}


def write(problem: Problem, entries: Sequence[Entry], folder: Path) -> dict[bool, Path]:
    """Write the problem, and the one after an epoch if an entry asks for it."""
    files = places(folder)
    save(problem, files[False])
    if any(e.learned for e in entries):
        save(learned(problem), files[True])
    return files


def turns(
    entries: Sequence[Entry], files: Mapping[bool, Path], rounds: int, label: str
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Time the processes in turns; a round's time is the median of the turn's steps."""
    with ExitStack() as stack:
        running: dict[str, Process] = {}
        failed: dict[str, str] = {}
        for entry in tqdm(entries, desc=f"{label}: start and compile", leave=False):
            process = stack.enter_context(Process(entry, files[entry.learned], "time"))
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


def memory(entry: Entry, path: Path) -> float | None:
    """Return the rise of the resident memory in MB, or None where it cannot be told."""
    try:
        rise: float | None = ask(entry, path, "memory").get("mb")
    except CandidateError:
        return None
    return rise


def agreement(entry: Entry, path: Path) -> dict[str, Any]:
    """Return how far a candidate's gradients are from ours, relative to the largest entry."""
    try:
        return ask(entry, path, "check")
    except CandidateError as error:
        return {"failed": str(error)}
