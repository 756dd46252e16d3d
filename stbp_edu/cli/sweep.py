"""The command that trains the runs of a plan, by processes of this machine or by a cluster."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.cli.main import format_duration, tell
from stbp_edu.training.measurements import plus_minus
from stbp_edu.training.sweeps import (
    PLAN_RECORD,
    Plan,
    Results,
    by_processes,
    on_cluster,
    read_plan,
    run_plan,
)


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
        carry_out = by_processes(checks.count("processes", count))
    else:
        carry_out = on_cluster(args.dask)
    try:
        results = watch_runs(run_plan(plan, carry_out, args.data), len(runs))
    except KeyboardInterrupt:
        tell(
            "\nfinished runs and every checkpoint are kept: give the same command to continue"
        )
        raise
    print(report(plan, results))
    return int(any("error" in result for result in results.values()))


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
