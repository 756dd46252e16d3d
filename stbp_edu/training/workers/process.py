"""One worker process, and objects whose arrays lie in memory that several processes share."""

import mmap
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any, TypeVar, TypeVarTuple

import numpy as np

J = TypeVar("J")
R = TypeVar("R")
Args = TypeVarTuple("Args")
COMMAND = f"from {__name__} import serve; serve()"
CACHE_LINE = 64  # bytes
Spans = list[tuple[int, int]]
"""Where in a file each array begins and ends."""
Shared = tuple[bytes, Spans, int]
"""A pickled object without its arrays, their places in a file, and the number of that file."""


class WorkerProcess:
    """A process that runs :func:`serve`, seen from the process that starts it.

    Args:
        file: number of an open file that the worker inherits.
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

    def send(self, request: object) -> None:
        """Send an object that can be pickled."""
        assert self._process.stdin is not None
        try:
            pickle.dump(request, self._process.stdin, protocol=5)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _ended() from None

    def receive(self) -> Any:
        """Wait for the reply and return it."""
        assert self._process.stdout is not None
        try:
            return pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError):
            raise _ended() from None

    def end(self) -> None:
        """End the process, whatever it does, and wait until it has ended."""
        self._process.kill()
        self._process.communicate()


def _ended() -> RuntimeError:
    """Return the error to raise when a worker has ended."""
    return RuntimeError(
        "a process that works on a part of the batch has ended; if it said nothing, perhaps for "
        "want of memory: go on from the last checkpoint, with fewer shards or a smaller batch"
    )


def serve() -> None:
    """Do the parts that the process that started this one asks for, until that one ends."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed must not end up among the replies
    requests = sys.stdin.buffer
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        shared, parts = pickle.load(requests)
        job, reply = attach(shared), None
        while True:
            try:
                replies.write(pickle.dumps(reply, protocol=5))
                replies.flush()
                function, args = pickle.load(requests)
            except (BrokenPipeError, EOFError):  # nobody asks any more
                return
            reply = do_parts(job, parts, function, args)
            if isinstance(reply, Exception):
                reply.add_note("".join(traceback.format_exception(reply)))


def do_parts(
    job: J, parts: range, function: Callable[[J, int, *Args], R], args: tuple[*Args]
) -> list[R] | Exception:
    """Return what the function returns for each of these parts of the job, or what it raised."""
    try:
        return [function(job, i, *args) for i in parts]
    except Exception as error:
        return error


def one_blas_thread() -> AbstractContextManager[object]:
    """Limit the BLAS to one thread; it has as many as before at the end."""
    if sys.platform == "emscripten":  # a web page has no threads, and no need of the library
        return nullcontext()
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def share(job: object) -> tuple[Shared, IO[bytes]]:
    """Write the job's arrays to a file without a name, kept in memory where possible."""
    arrays: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(job, protocol=5, buffer_callback=arrays.append)
    memory = Path("/dev/shm")  # Linux keeps such files in memory
    try:
        spans, file = _write(arrays, memory if memory.is_dir() else None)
    except OSError:  # a small one, as containers have
        spans, file = _write(arrays, None)
    return (pickled, spans, file.fileno()), file


def _write(arrays: list[pickle.PickleBuffer], folder: Path | None) -> tuple[Spans, IO[bytes]]:
    """Write arrays to a file in a folder, each at the start of a cache line."""
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when all have opened it
    spans = []
    try:
        file.write(bytes(1))  # an empty file cannot be mapped
        for array in arrays:
            file.write(bytes(-file.tell() % CACHE_LINE))
            start = file.tell()
            file.write(array.raw())
            spans.append((start, file.tell()))
        file.flush()
    except OSError:
        file.close()
        raise
    return spans, file


def attach(shared: Shared) -> Any:
    """Return the job, with its arrays in the file: what one process writes, all see."""
    pickled, spans, file = shared
    memory = memoryview(mmap.mmap(file, 0))
    return pickle.loads(pickled, buffers=[memory[a:b] for a, b in spans])
