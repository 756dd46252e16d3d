"""The record of a sweep: what ``docs/results`` keeps of it, and the page on time prints.

``stbp-edu sweep benchmarks/time/limit.toml`` trains the runs of a plan, and goes on where it was
interrupted; then ``python -m benchmarks.time_record benchmarks/time/limit.toml`` writes
``docs/results/time-limit.json``. Runs that are not finished are left out and counted.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu._support.files import write_json
from stbp_edu.case_rules import CASE_RULES
from stbp_edu.forward_pass import Trace
from stbp_edu.parameters import Params
from stbp_edu.training import Dataset, Settings, encode, to_dict
from stbp_edu.training.data import load_dataset
from stbp_edu.training.measurements import measurements_folder, origin
from stbp_edu.training.model import Passes
from stbp_edu.training.plans import Plan, read_plan
from stbp_edu.training.runs import RECORD, FinishedRun, open_run

LOOKED_AT = 500  # held-out samples on which a trained network is looked at
MADE_ON = ("machine", "versions")


def record(path: Path, plan: Plan, data: Dataset) -> dict[str, Any]:
    """Return the record of a plan: where it comes from, and a row for each cell of its axes.

    Raises:
        ValueError: if runs are of several machines or versions, or none is finished.
    """

    def cell(run: tuple[str, Settings]) -> dict[str, Any]:
        return {name: to_dict(run[1])[name] for name in plan.axes}

    rows, made, ended = [], [], [0.0]
    for values, runs in groupby(plan.runs().items(), cell):
        folders = [plan.folder / name for name, _ in runs]
        done = [folder for folder in folders if (folder / RECORD).exists()]
        found = [open_run(folder) for folder in done]
        made += [{key: run.record[key] for key in MADE_ON} for run in found]
        ended += [(folder / RECORD).stat().st_mtime for folder in done]
        entries = [summary(run, data) for run in found]
        rows.append({"cell": values, "planned": len(folders), "runs": entries})
    if not made or any(one != made[0] for one in made):
        raise ValueError(
            f"{plan.folder} must hold runs of one machine and one set of versions"
        )
    base = next(iter(plan.runs().values()))
    return {
        "command": f"stbp-edu sweep {path.as_posix()}", **origin(max(ended)), **made[0],
        "dataset": plan.dataset, "base": to_dict(base) | {"seed": None}, "rows": rows,
    }  # fmt: skip


def summary(run: FinishedRun, data: Dataset) -> dict[str, Any]:
    """Return a run as the record has it: accuracy, learning curve, spikes and gains."""
    return {
        "seed": run.settings.seed,
        "accuracy": round(run.record["accuracy"]["mean"], 5),
        "curve": [round(point["held_out"], 4) for point in run.record["curves"]],
        "rate": round(run.record["curves"][-1]["rates"][1], 4),
        **(
            inside(run.params, run.settings, data)
            if isinstance(run.params, Params)
            else {}
        ),
    }


def inside(params: Params, settings: Settings, data: Dataset) -> dict[str, Any]:
    """Return what a trained network does on some of the samples held out.

    ``fires`` is the share of hidden neurons that spike at all, and ``beyond`` the share of gains
    above 1 in size in each layer, as they are without a limit; None where they are not counted.
    """
    rng, images = np.random.default_rng(0), data.test_images[:LOOKED_AT]
    if settings.encoder in ("bernoulli", "direct"):  # the others read rows and frames
        images = images.reshape(len(images), -1)
    spikes = encode(
        settings.encoder, images, settings.steps_to_answer, rng, hold=settings.hold
    )
    trace = Passes(params, settings).forward(params, spikes)
    return {
        "fires": round(float(trace.O[1].any(axis=(0, 1)).mean()), 3),
        "beyond": [None if b is None else round(b, 4) for b in beyond(trace, settings)],
    }


def beyond(trace: Trace, settings: Settings) -> Iterator[float | None]:
    """Yield for each layer the share of gains above 1 in size, as the rule has them."""
    neuron = settings.make_neuron()
    for u, o in zip(trace.U[1:], trace.O[1:], strict=True):
        reset: Array = -neuron.v_th * neuron.h(u)
        if neuron.gate != "soft":
            reset = u * neuron.df(o) * neuron.h(u)
        carry = neuron.f(o) if settings.rule != "classic" else 0.0
        if settings.rule in CASE_RULES:
            yield float(np.mean(np.abs(carry + reset) > 1))
        else:  # f alone is at most tau
            yield 0.0 if settings.rule in ("detached-reset", "ottt") else None


def main(argv: Sequence[str] | None = None) -> int:
    """Write the record of a plan."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.time_record", description=__doc__
    )
    p.add_argument("plan", type=Path, metavar="PLAN.toml")
    p.add_argument("--data", type=Path, help="folder with the files of the data set")
    p.add_argument(
        "--commit", help="of the program that trained the runs (that of the checkout)"
    )
    p.add_argument(
        "--out", type=Path, default=measurements_folder(), help="folder of the record"
    )
    args = p.parse_args(argv)
    plan = read_plan(args.plan)
    found = record(
        args.plan, plan, load_dataset(plan.dataset, args.data, held_out=plan.held_out)
    )
    if args.commit:
        found["commit"] = args.commit
    write_json(args.out / f"time-{args.plan.stem}.json", found)
    missing = sum(row["planned"] - len(row["runs"]) for row in found["rows"])
    print(
        f"{args.out}/time-{args.plan.stem}.json: {missing} runs of {len(plan.runs())} missing"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
