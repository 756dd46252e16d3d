"""Start the candidates' processes, and exchange lines with them."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Self

from benchmarks.frameworks.candidate import Entry

ROOT = Path(__file__).resolve().parents[2]
WORKER = "benchmarks.frameworks.candidate_process"
LIMIT = 900  # seconds for an answer; compiling a hundred steps takes minutes
# PyTorch and JAX ask the system for the memory of every intermediate anew, which costs them a
# page fault for each 4 KB. These settings make the C library keep it; other systems ignore them.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "MALLOC_TOP_PAD_": str(2**26),
}


class CandidateError(RuntimeError):
    """A candidate's process ended, or took too long; the message is its last line."""


class Process:
    """The process of a candidate: see :mod:`benchmarks.frameworks.candidate_process`."""

    def __init__(self, entry: Entry, path: Path, how: str) -> None:
        """Start it. While times are taken, the frameworks get the better allocator settings."""
        better = ALLOCATOR if how == "time" and entry.packages else {}
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
        return next((x.strip() for x in reversed(lines) if x.strip()), "it ended without a word")


def ask(entry: Entry, path: Path, how: str) -> dict[str, Any]:
    """Start a process, return its one answer, and end it."""
    with Process(entry, path, how) as process:
        return process.answer()
