"""`stbp-edu train`, `eval` and `plot`: the arguments, and what is printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from stbp_edu.cli import review
from stbp_edu.cli.progress_bar import clock, watch
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data import sources
from stbp_edu.training.data.datasets import Dataset, validation
from stbp_edu.training.loop.evaluation import plus_minus
from stbp_edu.training.runs import run as runs
from stbp_edu.training.runs.checkpoint import Checkpoint
from stbp_edu.training.settings import RECIPES, Settings

HELD_OUT = ("test", "validation")
INTERRUPTED = 130  # what a shell reports for Ctrl-C


def add_parsers(subparsers: Any) -> None:
    """Register `train`, `eval` and `plot`; each sets ``run``, a function of the arguments."""
    _add_train(subparsers)
    review.add_eval(subparsers)
    review.add_plot(subparsers)


def _add_train(subparsers: Any) -> None:
    """Register `train`: one option for each setting, and where to read and write."""
    p = subparsers.add_parser(
        "train",
        help="train a network on a data set",
        description="Train a spiking network, and save its parameters and a record of the run. "
        "Options that are not given come from the recipe of the data set.",
    )
    p.add_argument("dataset", choices=sorted(RECIPES))
    p.add_argument("--out", type=Path, help="folder for the results (runs/DATASET)")
    p.add_argument("--data", type=Path, help="folder with the files of the data set")
    p.add_argument(
        "--held-out",
        choices=HELD_OUT,
        default="test",
        help="images to judge on; validation: some of the training images, to choose settings",
    )
    p.add_argument("--encodings", type=int, default=5, help="encodings for the last word (5)")
    p.add_argument(
        "--checkpoint-every", type=int, default=1, metavar="EPOCHS", help="how often (1)"
    )
    again = p.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    again.add_argument("--restart", action="store_true", help="begin anew, whatever is there")
    own = p.add_argument_group("settings")
    for f in fields(Settings):
        flag, words = f"--{f.name.replace('_', '-')}", f.metadata["help"]
        if f.name == "rule":
            own.add_argument(
                flag,
                choices=("both", *RULES, *ABLATIONS),
                help=f"{words}; both rules for the digits, exact for the rest",
            )
        elif f.name == "hidden":
            own.add_argument(flag, type=_widths, metavar="N[,N]", help=words)
        else:
            own.add_argument(flag, type=type(f.default), metavar="X", help=words)
    p.set_defaults(run=run_train)


def _widths(text: str) -> tuple[int, ...]:
    """Parse ``"800"`` or ``"400,200"``."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be widths such as 800 or 400,200, got {text!r}"
        ) from None


def chosen(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with the settings that were given instead."""
    given = {f.name: getattr(args, f.name) for f in fields(Settings) if f.name != "rule"}
    return replace(RECIPES[args.dataset], **{k: v for k, v in given.items() if v is not None})


def run_train(args: argparse.Namespace) -> int:
    """Train with each rule that was asked for, and print the results side by side."""
    settings = chosen(args)
    data = sources.load(args.dataset, args.data, partial(print, file=sys.stderr))
    if args.held_out == "validation":
        data = validation(data)
    rule = args.rule or ("both" if args.dataset == "digits" else settings.rule)
    rules = RULES if rule == "both" else (rule,)
    folder = args.out or Path("runs") / args.dataset
    jobs = [
        runs.Job(
            args.dataset,
            replace(settings, rule=rule),
            data,
            folder / rule,
            args.held_out,
            args.encodings,
            args.checkpoint_every,
        )
        for rule in rules
    ]
    starts = [_start(job, args) for job in jobs]  # before any of them runs
    summaries = []
    for job, (start, done) in zip(jobs, starts, strict=True):
        summary = done or _run(job, start)
        if summary is None:
            return INTERRUPTED
        summaries.append(summary)
    print(report(summaries, data, folder))
    return 0


def _start(
    job: runs.Job, args: argparse.Namespace
) -> tuple[Checkpoint | None, dict[str, Any] | None]:
    """Return where a job goes on from, and its record where --resume finds it done.

    An unfinished run is never thrown away unasked.
    """
    start = None if args.restart else runs.unfinished(job)
    if start is not None and not args.resume:
        raise ValueError(
            f"{job.folder} holds an unfinished run, {start.state.epoch} of "
            f"{job.settings.epochs} epochs done: --resume to go on, --restart to begin anew"
        )
    done = runs.finished(job) if start is None and args.resume else None
    if start is None and args.resume and done is None:
        print(f"{job.folder} holds no run to resume; this one begins anew", file=sys.stderr)
    return start, done


def _run(job: runs.Job, start: Checkpoint | None) -> dict[str, Any] | None:
    """Run one job; return its record, or None if the reader stopped it."""
    label = f"{job.dataset}, {job.settings.rule}"
    try:
        return runs.run(job, partial(watch, settings=job.settings, label=label), start)
    except KeyboardInterrupt:
        kept = job.folder / runs.CHECKPOINT
        words = f"{kept} is kept: add --resume to go on" if kept.exists() else "nothing saved yet"
        print(f"\nStopped. {words}.", file=sys.stderr)
        return None
    except OSError as error:  # a full disk, most likely
        raise OSError(
            f"{job.folder} could not be written ({error}); what was saved before is whole: make "
            "room, and add --resume to go on"
        ) from error


def report(summaries: Sequence[dict[str, Any]], data: Dataset, folder: Path) -> str:
    """Return the results as text: one line for each rule."""
    first = summaries[0]
    images, encodings = first["accuracy"]["images"], len(first["accuracy"]["encodings"])
    sizes = "-".join(map(str, (data.pixels, *first["settings"]["hidden"], 10)))
    lines = [
        f"{first['dataset']}: {sizes}, T = {first['settings']['T']}, seed "
        f"{first['settings']['seed']}. Accuracy on {images} held-out images ({first['held_out']}), "
        f"mean and standard deviation over {encodings} encodings:",
    ]
    for s in summaries:
        a, rule = s["accuracy"], s["settings"]["rule"]
        around = plus_minus(a["spread"], len(a["encodings"]))
        lines.append(
            f"  {rule:<14} {a['mean']:7.2%}{around}   {clock(s['seconds']):>8}   {folder / rule}/"
        )
    return "\n".join(lines)
