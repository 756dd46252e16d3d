"""The command that trains the runs of a plan, by processes of this machine or by a cluster."""

import argparse
import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.cli.main import format_duration, tell
from stbp_edu.training.measurements import plus_minus
from stbp_edu.training.plans import PLAN_RECORD, Plan, Results, read_plan, run_plan

PATIENCE = 10.0  # seconds for a scheduler to answer, and for its first worker to come


def sweep_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``sweep``: the plan, and who is to train its runs."""
    parser.add_argument("plan", type=Path, metavar="PLAN.toml", help="what to train")
    parser.add_argument(
        "--data", type=Path, help="folder with the files of the data set"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--processes", type=int, help="runs at a time (as the cores allow)"
    )
    where.add_argument(
        "--dask", metavar="ADDRESS", help="scheduler of a Dask cluster to train on"
    )


def sweep(args: argparse.Namespace) -> int:
    """Train every combination of the settings and seeds in a plan, several at a time.

    The plan is a TOML file. The same command goes on where an earlier one stopped, and trains
    nothing twice.
    """
    plan = read_plan(args.plan)
    runs = plan.runs()
    if args.dask is None:
        count = (os.cpu_count() or 1) if args.processes is None else args.processes
        opened = partial(processes, min(checks.count("processes", count), len(runs)))
    else:
        opened = partial(dask, args.dask)
    try:
        results = watch_runs(run_plan(plan, opened, args.data), len(runs))
    except KeyboardInterrupt:
        tell(
            "\nfinished runs and every checkpoint are kept: give the same command to continue"
        )
        raise
    print(report(plan, results))
    return int(any("error" in result for result in results.values()))


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Open an executor with this many processes; the end of the block ends them at once."""
    spawn, others = (
        multiprocessing.get_context("spawn"),
        set(multiprocessing.active_children()),
    )
    with ProcessPoolExecutor(count, spawn, end_with_parent) as executor:
        try:
            yield executor
        finally:
            # The executor would wait: until they are done, where something stopped the block, and
            # else for one to stop by itself, for ever if another was killed as it took its turn.
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()


def end_with_parent() -> None:
    """End this process when the one that started it has ended, and leave Ctrl-C to that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)  # or it would train on, and keep the folder of its run locked

    Thread(target=watch, daemon=True).start()


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """Open an executor on a Dask cluster.

    Raises:
        ImportError: if Dask is not installed.
        ValueError: if no scheduler answers at the address, or it has no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError(
            f"--dask needs Dask ({error}); install it with: pip install distributed"
        ) from error
    try:
        asyncio.run(asyncio.wait_for(identity(address), PATIENCE))
        client = Client(address, timeout=PATIENCE)
    except Exception as error:  # whatever is at this address, it may answer anything
        raise ValueError(
            f"dask must be the address of a scheduler, and none answers at {address!r} "
            f"({str(error) or type(error).__name__}); start one with: dask scheduler"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except OSError as error:
            raise ValueError(
                f"dask must be the scheduler of at least one worker, and {address!r} has none; "
                f"start one with: dask worker {address} --nthreads 1"
            ) from error
        yield OnCluster(client)


class OnCluster(Executor):
    """Runs calls on a Dask cluster.

    Unlike the executor of Dask itself, it keeps a result where a worker ends just after it has
    handed it over, and does not take that for an error.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Start a call, and return its future; a call is made again where its worker has ended."""
        ended: Future[Any] = Future()

        def hand_over(task: Any) -> None:
            try:
                ended.set_result(task.result())
            except BaseException as error:
                ended.set_exception(error)

        self.client.submit(fn, *args, **kwargs).add_done_callback(hand_over)
        return ended


async def identity(address: str) -> object:
    """Ask who is there; a client would wait for ever where its call is taken and never answered."""
    from distributed import Security
    from distributed.core import rpc

    options = Security().get_connection_args("client")
    async with rpc(address, timeout=PATIENCE, connection_args=options) as other:
        return await other.identity()


def watch_runs(ended: Iterator[Results], total: int) -> Results:
    """Show the runs of a sweep as they end, a line for each, and return what has ended."""
    from tqdm import tqdm

    results = next(ended)
    if results:
        tell(f"{len(results)} of {total} runs are finished already")
    shown: dict[str, Any] = {"bar_format": "{n}/{total} runs |{bar}| {remaining} left"}
    shown |= {"disable": None, "leave": False, "dynamic_ncols": True}
    with tqdm(total=total, initial=len(results), **shown) as bar:
        for results in ended:
            run, result = next(reversed(results.items()))
            said = (
                f"failed: {result['error']}" if "error" in result else summary([result])
            )
            bar.write(f"{len(results)}/{total} {run}: {said}", file=sys.stderr)
            bar.update()
    return results


def report(plan: Plan, results: Results) -> str:
    """Return the results as text: one line for each combination of settings, over its seeds."""
    rows: dict[str, list[str]] = {}
    for name in plan.runs():
        rows.setdefault(
            name.rpartition("seed=")[0].rstrip(",") or "the base", []
        ).append(name)
    lines = [
        f"{plan.dataset}, runs in {plan.folder}/, recorded in {PLAN_RECORD}. Accuracy on the "
        f"held-out images ({plan.held_out}), mean and 95 % interval over the seeds:"
    ]
    width = max(map(len, rows))
    for row, names in rows.items():
        done = [results[name] for name in names if "error" not in results[name]]
        lines.append(
            f"  {row:<{width}}  {len(done)} of {len(names)} seeds  {summary(done)}"
        )
    failed = [
        f"  {name} failed: {r['error']}" for name, r in results.items() if "error" in r
    ]
    return "\n".join([*lines, *failed])


def summary(done: Sequence[Mapping[str, Any]]) -> str:
    """Return the accuracy over some runs, and the mean time of one; nothing where there is none."""
    if not done:
        return ""
    means = [result["accuracy"]["mean"] for result in done]
    around = plus_minus(means)
    time = format_duration(float(np.mean([result["seconds"] for result in done])))
    return f"{np.mean(means):7.2%}{around}   {time} each"
