"""One process more, as the one that starts it sees it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

COMMAND = "from stbp_edu.training.workers.parallel import serve; serve()"


class Worker:
    """A process that serves: see :func:`stbp_edu.training.workers.parallel.serve`.

    Args:
        file: number of an open file that it shall have open, too.
    """

    def __init__(self, file: int) -> None:
        path = os.pathsep.join(p for p in sys.path if isinstance(p, str))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", COMMAND],  # -P: it imports nothing else than we would
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[file],
            process_group=0,  # Ctrl-C is for the one that asks
        )

    def send(self, what: Any) -> None:
        """Send what can be pickled."""
        assert self._process.stdin is not None
        try:
            pickle.dump(what, self._process.stdin, protocol=5)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _ended() from None

    def receive(self) -> Any:
        """Wait for a reply."""
        assert self._process.stdout is not None
        try:
            return pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError):
            raise _ended() from None

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.communicate()


def attempt(job: object, parts: range, method: str, args: tuple[Any, ...]) -> list[Any] | Exception:
    """Return what the job's method returns for each of these parts, or what it raised."""
    try:
        return [getattr(job, method)(i, *args) for i in parts]
    except Exception as error:
        return error


def _ended() -> RuntimeError:
    """Return what to say when a process is no more."""
    return RuntimeError(
        "a process that works on a part of the batch has ended; if it said nothing, perhaps for "
        "want of memory: go on from the last checkpoint, with fewer shards or a smaller batch"
    )
