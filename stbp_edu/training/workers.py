"""A pool of processes: a part of the work for each, and one BLAS thread in each.

Threads of one process would wait for the interpreter's lock: a training step is hundreds of array
operations, each of a few microseconds. So each process has an interpreter of its own, and the
arrays lie in memory that all of them see: nothing large is sent.
"""

import mmap
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Generic, TypeVar, TypeVarTuple, cast

import numpy as np

J = TypeVar("J")
R = TypeVar("R")
Args = TypeVarTuple("Args")
COMMAND = f"from {__name__} import serve; serve()"
ENDED = (
    "a process that works on a part of the batch has ended; if it said nothing, perhaps for "
    "want of memory: go on from the last checkpoint, with fewer shards or a smaller batch"
)
CACHE_LINE = 64  # bytes
Spans = list[tuple[int, int]]  # where in a file each array begins and ends
Shared = tuple[bytes, Spans, int]
"""A pickled object without its arrays, their places in a file, and the number of that file."""


class WorkerEndedError(ChildProcessError):
    """A process that works on a part of the batch has ended before its time."""


class WorkerPool(Generic[J]):
    """Processes that each hold the same job, with its arrays in common, and do parts of it.

    What a part writes to the job's arrays is seen by all; whatever else it changes stays with the
    process that does it. The result depends on ``size`` alone and not on the number of processes:
    where none can be started, such as on a web page or under Windows, the parts are done one after
    the other.

    Args:
        job: what to work on; it must be picklable. Arrays that are not contiguous are not shared,
            and must not be written to. The attribute is a copy whose arrays are shared, or the job
            itself where there is no other process.
        size: the number of parts; with more than one, processes are started.
    """

    def __init__(self, job: J, size: int) -> None:
        self.job, self.size = job, size
        self._workers: list[WorkerProcess] = []
        processes = min(size, os.cpu_count() or 1)
        if processes > 1 and sys.platform not in ("emscripten", "win32"):
            try:
                self._start(processes)
            except BaseException as error:
                self.close()
                if not isinstance(error, OSError):  # no memory or processes left: do without them
                    raise
        self._closed = False

    def _start(self, processes: int) -> None:
        """Move the job's arrays to shared memory, and start the other processes."""
        shared, file = share(self.job)
        with file:
            self.job = attach(shared)
            for first in range(1, processes):
                self._workers.append(WorkerProcess(file.fileno()))
                self._workers[-1].send((shared, range(first, self.size, processes)))
            for worker in self._workers:  # each has opened the file before we close it
                worker.receive()

    def map(self, function: Callable[[J, int, *Args], R], *args: *Args) -> list[R]:
        """Return ``function(job, i, *args)`` for each part i, in order.

        Args:
            function: a method of the job's class, or another function that a module defines.
            *args: what can be pickled.

        Raises:
            WorkerEndedError: if a process has ended, as when the system ran out of memory.
            RuntimeError: if the pool is closed.
            Exception: whatever a part raised, when all have ended.
        """
        if self._closed:
            raise RuntimeError("the pool must be open, but is closed; open another")
        processes = 1 + len(self._workers)
        try:
            for worker in self._workers:
                worker.send((function, args))
            own = do_parts(self.job, range(0, self.size, processes), function, args)
            replies = [own, *(worker.receive() for worker in self._workers)]
        except BaseException:  # a worker may still be busy, and its reply would be read as the next
            self.close()
            raise
        done: list[R | None] = [None] * self.size
        for k, reply in enumerate(replies):
            if isinstance(reply, Exception):
                raise reply
            done[k::processes] = reply
        return cast("list[R]", done)

    def close(self) -> None:
        """End the other processes."""
        self._closed = True
        while self._workers:
            self._workers.pop().end()


@contextmanager
def worker_pool(job: J, size: int) -> Iterator[WorkerPool[J]]:
    """Open a pool, with the BLAS limited to one thread while it is open."""
    with one_blas_thread():
        pool = WorkerPool(job, size)
        del job  # the pool may have its own, and this one's arrays need not be kept
        try:
            yield pool
        finally:
            pool.close()


class WorkerProcess:
    """A process that runs :func:`serve`, seen from the process that starts it.

    Args:
        file: number of an open file that the worker inherits.
    """

    def __init__(self, file: int) -> None:
        from multiprocessing import Pipe  # which a web page does not have

        path = os.pathsep.join(p for p in sys.path if isinstance(p, str))
        self._connection, theirs = Pipe()  # not stdout, where whatever Python runs first may print
        with theirs:  # the worker's copy is the only one: its end is seen here
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", COMMAND, str(theirs.fileno())],  # -P: our modules
                stdin=subprocess.DEVNULL,
                stdout=2,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=[file, theirs.fileno()],
                process_group=0,  # Ctrl-C is for the one that asks
            )

    def send(self, request: object) -> None:
        """Send an object that can be pickled."""
        try:
            self._connection.send(request)
        except ConnectionError:
            raise WorkerEndedError(ENDED) from None

    def receive(self) -> Any:
        """Wait for the reply and return it."""
        try:
            return self._connection.recv()
        except (EOFError, ConnectionError):
            raise WorkerEndedError(ENDED) from None

    def end(self) -> None:
        """End the process, whatever it does, and wait until it has ended."""
        self._process.kill()
        self._process.wait()
        self._connection.close()


def serve() -> None:
    """Do the parts that the process that started this one asks for, until that one ends."""
    from multiprocessing.connection import Connection

    asked = Connection(int(sys.argv[1]))
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        shared, parts = asked.recv()
        job, reply = attach(shared), None
        while True:
            try:
                asked.send(reply)
                function, args = asked.recv()
            except (ConnectionError, EOFError):  # the process that asks has ended
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

    return threadpool_limits(limits=1, user_api="blas")


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
    spans = []
    with ExitStack() as on_error:
        file = on_error.enter_context(tempfile.TemporaryFile(dir=folder))
        file.write(bytes(1))  # an empty file cannot be mapped
        for array in arrays:
            file.write(bytes(-file.tell() % CACHE_LINE))
            start = file.tell()
            file.write(array.raw())
            spans.append((start, file.tell()))
        file.flush()
        on_error.pop_all()  # the caller closes it, when all processes have opened it
    return spans, file


def attach(shared: Shared) -> Any:
    """Return the job, with its arrays in the file: what one process writes, all see."""
    pickled, spans, file = shared
    memory = memoryview(mmap.mmap(file, 0))
    return pickle.loads(pickled, buffers=[memory[a:b] for a, b in spans])
