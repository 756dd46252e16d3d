"""Measure all candidates at one size, each in a process of its own: times in turns, then memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from tqdm import tqdm

from benchmarks.engine_speed import row
from benchmarks.frameworks.candidate import Entry
from benchmarks.frameworks.problem import Size, draw, save

ROOT = Path(__file__).resolve().parents[2]
WORKER = "benchmarks.frameworks.candidate_process"
LIMIT = 900  # seconds for an answer; compiling a hundred steps takes minutes
# PyTorch asks the system for the memory of every intermediate anew, which costs it a page fault
# for each 4 KB. These settings make the C library keep it; other systems ignore them.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "MALLOC_TOP_PAD_": str(2**26),
}
STEPS = 8  # timed in each turn, after one to warm up
PAUSE = 0.3  # seconds before a turn, in which the last one's threads stop to look out for work


class CandidateError(RuntimeError):
    """A candidate's process ended, or took too long; the message is its last line."""


class Process:
    """The process of a candidate: see :mod:`benchmarks.frameworks.candidate_process`."""

    def __init__(self, entry: Entry, path: Path, how: str) -> None:
        """Start it. While times are taken, the frameworks get the better allocator settings."""
        better: dict[str, str] = {}
        if how == "time":
            better.update(entry.environment)
            if entry.packages:
                better.update(ALLOCATOR)
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER, entry.name, str(path), how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, cwd=ROOT,
            env={**os.environ, **better, "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def answer(self) -> dict[str, Any]:
        """Return the next line of JSON from the process; frameworks may print other lines.

        Raises:
            CandidateError: if there is none within the limit.
        """
        assert self._process.stdout is not None
        alarm = threading.Timer(LIMIT, self._process.kill)
        alarm.start()
        try:
            for line in self._process.stdout:
                if line.startswith("{"):
                    answer: dict[str, Any] = json.loads(line)
                    return answer
        finally:
            alarm.cancel()
        raise CandidateError(self._last_words())

    def turn(self, steps: int) -> list[float]:
        """Make the process time some steps; return their times in ms."""
        assert self._process.stdin is not None
        try:
            print(steps, file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise CandidateError(self._last_words()) from error
        times: list[float] = self.answer()["ms"]
        return times

    def _last_words(self) -> str:
        """Return the last line that the process wrote to its error stream."""
        self._log.seek(0)
        lines = self._log.read().split("\n")
        return next(
            (x.strip() for x in reversed(lines) if x.strip()), "it ended without a word"
        )


def measured_at(
    size: Size,
    entries: Sequence[Entry],
    rounds: int,
    folder: Path,
    with_memory: bool = False,
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
            for name in (
                names[shift:] + names[:shift]
            ):  # nobody always follows the same one
                time.sleep(PAUSE)
                times[name].append(statistics.median(running[name].turn(STEPS)))
        return times, failed


def asked(entry: Entry, path: Path, how: str) -> dict[str, Any]:
    """Return a candidate's one answer, "memory" or "check"; or the words with which it failed."""
    try:
        with Process(entry, path, how) as process:
            return process.answer()
    except CandidateError as error:
        return {"failed": str(error)}
