"""The command that trains the runs of a plan, by processes of this machine or by a cluster."""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.cli.main import format_duration, tell
from stbp_edu.training import sweeps
from stbp_edu.training.measurements import mean_share
from stbp_edu.training.sweeps import Plan, Results


def sweep_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``sweep``: the plan, and who is to train its runs."""
    parser.add_argument("plan", type=Path, metavar="PLAN.toml", help="what to train")
    parser.add_argument(
        "--data", type=Path, help="folder with the files of the data set"
    )
    where = parser.add_mutually_exclusive_group()
    count, dask = "runs at a time (as the cores allow)", "scheduler of a Dask cluster"
    where.add_argument("--processes", type=int, default=os.cpu_count() or 1, help=count)
    where.add_argument("--dask", metavar="ADDRESS", help=f"{dask} to train on")


def sweep(args: argparse.Namespace) -> int:
    """Train every combination of the settings and seeds in a plan, several at a time.

    The plan is a TOML file. The same command goes on where an earlier one stopped, and trains
    nothing twice.
    """
    plan = sweeps.read_plan(args.plan)
    workers = (
        sweeps.cluster(args.dask)
        if args.dask
        else sweeps.processes(checks.count("processes", args.processes))
    )
    try:
        results = watch_runs(plan, sweeps.run_plan(plan, workers, args.data))
    except KeyboardInterrupt:
        tell(
            "\nfinished runs and every checkpoint are kept: give the same command to continue"
        )
        raise
    print(report(plan, results))
    return int(any("error" in result for result in results.values()))


def watch_runs(plan: Plan, ended: Iterator[Results]) -> Results:
    """Print a line for each run of a sweep as it ends, and return what has ended."""
    results, total = next(ended), len(plan.runs())
    if results:
        tell(f"{len(results)} of {total} runs are finished already")
    for results in ended:
        run = next(reversed(results))
        tell(f"{len(results)}/{total} {run}: {summary([results[run]])}")
    return results


def report(plan: Plan, results: Results) -> str:
    """Return the results as text: one line for each combination of settings, over its seeds."""
    lines = [
        f"{plan.dataset}, runs in {plan.folder}/, recorded in {sweeps.PLAN_RECORD}. Accuracy on "
        f"the held-out images ({plan.held_out}), mean and 95 % interval over the seeds:"
    ]
    for row, group in groupby(plan.runs(), lambda run: run.rpartition("seed=")[0]):
        found = [results[run] for run in group]
        done = [result for result in found if "error" not in result]
        lines.append(
            f"  {row.rstrip(',') or 'the base'}   {len(done)} of {len(found)} seeds  "
            f"{summary(found)}"
        )
    return "\n".join(lines)


def summary(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the accuracy over some runs, and the mean time of one; and the errors of others."""
    words = [f"failed: {result['error']}" for result in results if "error" in result]
    done = [result for result in results if "error" not in result]
    if done:
        means = [result["accuracy"]["mean"] for result in done]
        time = format_duration(float(np.mean([result["seconds"] for result in done])))
        words.insert(0, f"{mean_share(means)}   {time} each")
    return "; ".join(words)
