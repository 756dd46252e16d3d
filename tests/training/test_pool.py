"""The pool of processes: parts in order, arrays in common, and no process left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from stbp_edu.training.workers import (
    WorkerEndedError,
    WorkerPool,
    WorkerProcess,
    worker_pool,
)

pytestmark = pytest.mark.slow  # processes take their time to start


class Job:
    """Something to do in parts."""

    def __init__(self) -> None:
        self.seen = np.zeros(5)
        self.columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
        self.mine: list[int] = []

    def square(self, i: int, factor: int) -> int:
        self.seen[i] += 1
        self.mine.append(i)
        return factor * i * i

    def who(self, _: int) -> tuple[int, list[int]]:
        return os.getpid(), self.mine

    def raises(self, i: int) -> None:
        if i == 1:
            raise ValueError(f"not {i}")
        self.seen[i] = -1

    def interrupted(self, i: int) -> None:
        if i == 0:
            raise KeyboardInterrupt
        time.sleep(60)

    def ends(self, i: int) -> None:
        if i == 1:
            os._exit(1)

    def lives(self, i: int) -> Callable[[], None] | None:
        return (lambda: None) if i else None  # cannot be pickled

    def prints(self, i: int) -> bytes:
        print("this must not end up among the answers")
        os.write(1, b"nor this\n")
        return bytes(1_000_000 + i)

    def blas(self, _: int) -> set[int]:
        return blas_threads()


def blas_threads() -> set[int]:
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two(monkeypatch) -> None:
    """Two processors, whatever this machine has."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def gone(process: int) -> bool:
    """Tell whether a process has ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_parts_come_back_in_order_and_share_their_arrays(tmp_path: Path, monkeypatch) -> None:
    before = blas_threads()
    for name in ("secrets", "threading", "numpy"):  # files beside the reader are no modules
        (tmp_path / f"{name}.py").write_text("print('mine'); raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p] + [tmp_path])  # a Path: ignored
    given = Job()
    with worker_pool(given, 5) as workers:
        assert workers.map(Job.square, 3) == [0, 3, 12, 27, 48]
        assert workers.map(Job.square, 1) == [0, 1, 4, 9, 16]
        assert workers.job.seen.tolist() == [2, 2, 2, 2, 2]
        (here, own), (there, other) = workers.map(Job.who)[:2]
        assert here == os.getpid() != there
        assert (own, other) == ([0, 2, 4, 0, 2, 4], [1, 3, 1, 3])
        assert workers.job.columns.flags.f_contiguous
        assert workers.job.columns.flags.writeable
        assert [len(b) for b in workers.map(Job.prints)] == [1_000_000 + i for i in range(5)]
        assert set().union(*workers.map(Job.blas)) == {1}
        assert not gone(there)
    assert gone(there)
    assert blas_threads() == before
    assert given.seen.tolist() == [0] * 5  # the caller's own is left alone
    assert workers.job.seen.tolist() == [2] * 5  # and the shared one can be read when all have gone


def test_when_a_part_fails_the_others_end_before_anybody_goes_on() -> None:
    with worker_pool(Job(), 2) as workers:
        with pytest.raises(ValueError, match="not 1") as caught:
            workers.map(Job.raises)
        assert "in raises" in caught.value.__notes__[0]  # where it was, in the other process
        assert workers.job.seen.tolist() == [-1, 0, 0, 0, 0]
        assert workers.map(Job.square, 1) == [0, 1]


@pytest.mark.parametrize(
    ("method", "error", "words"),
    [
        ("interrupted", KeyboardInterrupt, "^$"),
        ("ends", WorkerEndedError, "has ended; if it said nothing, perhaps for want of memory"),
        ("lives", WorkerEndedError, "go on from the last checkpoint"),
    ],
)
def test_a_pool_that_is_out_of_step_is_closed(method, error, words) -> None:
    with worker_pool(Job(), 2) as workers:
        (_, _), (there, _) = workers.map(Job.who)
        with pytest.raises(error, match=words):
            workers.map(getattr(Job, method))
        assert gone(there)
        with pytest.raises(RuntimeError, match="the pool must be open, but is closed"):
            workers.map(Job.square, 1)


def test_an_interrupt_while_a_pool_starts_leaves_no_process(monkeypatch) -> None:
    started, real = [], WorkerProcess.send

    def send(self: WorkerProcess, what: object) -> None:
        real(self, what)
        started.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(WorkerProcess, "send", send)
    with pytest.raises(KeyboardInterrupt):
        WorkerPool(Job(), 2)
    assert [w._process.poll() is None for w in started] == [False]


def refuse(*_: object, **__: object) -> None:
    raise OSError(28, "no space left")


@pytest.mark.parametrize(
    "change",
    [
        (sys, "platform", "emscripten"),
        (sys, "platform", "win32"),
        (subprocess, "Popen", refuse),
        (tempfile, "TemporaryFile", refuse),
        (os, "cpu_count", lambda: None),
    ],
)
def test_where_no_process_can_be_started_the_parts_are_done_in_turn(change, monkeypatch) -> None:
    monkeypatch.setattr(*change)
    workers = WorkerPool(Job(), 3)
    assert workers.map(Job.square, 2) == [0, 2, 8]
    assert {process for process, _ in workers.map(Job.who)} == {os.getpid()}
    workers.close()
