"""`stbp-edu eval` and `plot`: look again at a run that is done, in the folder that it left."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.files import load_params
from stbp_edu.network import Params
from stbp_edu.training.data import sources
from stbp_edu.training.data.datasets import Dataset, validation
from stbp_edu.training.loop.evaluation import Evaluation, evaluate, plus_minus
from stbp_edu.training.loop.state import TEST
from stbp_edu.training.runs import run as runs
from stbp_edu.training.settings import Settings, from_dict


@dataclass(frozen=True)
class Done:
    """A run that is done: its record, settings and parameters."""

    record: dict[str, Any]
    settings: Settings
    params: Params


def open_run(folder: Path) -> Done:
    """Read a run's folder.

    Raises:
        FileNotFoundError: if there is no finished run in it.
        ValueError: if its files are damaged, or do not belong together.
    """
    path = folder / runs.RECORD
    if not path.exists():
        below = sorted(str(p.parent) for p in folder.glob(f"*/{runs.RECORD}"))
        hint = f"there are runs in {', '.join(below)}" if below else "train one first"
        if (folder / runs.CHECKPOINT).exists():
            hint = "the run in it is not finished: train with --resume"
        raise FileNotFoundError(f"{folder} must hold the {runs.RECORD} of a finished run; {hint}")
    record = runs.read_record(folder)
    settings = from_dict(record["settings"])
    params = load_params(folder / runs.PARAMS)
    if params.sizes[1:-1] != settings.hidden:
        raise ValueError(
            f"{folder / runs.PARAMS} must have hidden widths {settings.hidden} as the record says, "
            f"got {params.sizes[1:-1]}; these files are of two runs"
        )
    return Done(record, settings, params)


def data_of(done: Done, folder: Path | None) -> Dataset:
    """Return the images that the run was trained and judged on."""
    data = sources.load(done.record["dataset"], folder, partial(print, file=sys.stderr))
    return validation(data) if done.record.get("held_out") == "validation" else data


def add_eval(subparsers: Any) -> None:
    """Register `eval`."""
    p = subparsers.add_parser(
        "eval",
        help="evaluate a trained network over several encodings",
        description="Encode the held-out images of a run again and again, and print the mean and "
        "standard deviation of the accuracy, and what is taken for what.",
    )
    p.add_argument("run_folder", type=Path, metavar="RUN", help="such as runs/digits/exact")
    p.add_argument("--encodings", type=int, default=10, help="how many (10)")
    p.add_argument("--seed", type=int, default=0, help="seed of the encodings (0)")
    p.add_argument("--data", type=Path, help="folder with the files of the data set")
    p.set_defaults(run=run_eval)


def run_eval(args: argparse.Namespace) -> int:
    """Evaluate a run, and print the result."""
    checks.count("encodings", args.encodings)
    checks.count("seed", args.seed, at_least=0)
    done = open_run(args.run_folder)
    data = data_of(done, args.data)
    # Another stream than the training's, so that the encodings are new to the network.
    rng = np.random.default_rng([args.seed, TEST, 0, 1])
    result = evaluate(
        done.params, data.test_images, data.test_labels, done.settings, rng,
        encodings=args.encodings,
    )  # fmt: skip
    print(in_words(result, done.record))
    return 0


def in_words(result: Evaluation, record: dict[str, Any]) -> str:
    """Return an evaluation as text."""
    table, k = result.confusion, len(result.accuracies)
    n = int(table.sum()) // k
    sampling = float(np.sqrt(result.mean * (1 - result.mean) / n))
    lines = [
        f"{record['dataset']}, {record['settings']['rule']}: {result.mean:.2%}"
        f"{plus_minus(result.spread, k)} over {k} encoding{'s' * (k > 1)} of {n} held-out images "
        f"(from {min(result.accuracies):.2%} to {max(result.accuracies):.2%}).",
        f"Another sample of images would move the mean by about ± {sampling:.2%}.",
    ]
    wrong = table * (1 - np.eye(len(table), dtype=np.int64))
    order = np.argsort(wrong, axis=None)[::-1][:5]
    pairs = [np.unravel_index(i, wrong.shape) for i in order if wrong.flat[i]]
    if pairs:
        said = ", ".join(f"{a} for {y} ({wrong[y, a] / k:.1f} an encoding)" for y, a in pairs)
        lines.append(f"Most often mistaken: {said}.")
    return "\n".join(lines)


def add_plot(subparsers: Any) -> None:
    """Register `plot`."""
    p = subparsers.add_parser(
        "plot",
        help="draw the curves, spikes and weights of a run",
        description="Draw the curves of runs, side by side, and the spikes and weights of the "
        "first, as SVG files.",
    )
    p.add_argument("run_folders", type=Path, nargs="+", metavar="RUN", help="finished runs")
    p.add_argument("--out", type=Path, help="folder for the figures (the first run's)")
    p.add_argument("--image", type=int, default=0, help="which held-out image to encode (0)")
    p.add_argument("--data", type=Path, help="folder with the files of the data set")
    p.set_defaults(run=run_plot)


def run_plot(args: argparse.Namespace) -> int:
    """Draw, save, and print the paths."""
    from stbp_edu.training.runs import figures  # it loads matplotlib

    done = {folder: open_run(folder) for folder in args.run_folders}
    first = done[args.run_folders[0]]
    data = data_of(first, args.data)
    if not 0 <= args.image < len(data.test_labels):
        raise ValueError(
            f"image must be from 0 to {len(data.test_labels) - 1}, got {args.image}; "
            "it is a number among the held-out images"
        )
    out = args.out or args.run_folders[0]
    drawn = {
        "curves": figures.curves({_name(f, done): d.record for f, d in done.items()}),
        "raster": figures.raster(
            first.params, first.settings, data.test_images[args.image],
            int(data.test_labels[args.image]),
        ),
        "weights": figures.weights(first.params, data.test_images.shape[1:]),
    }  # fmt: skip
    for name, shown in drawn.items():
        print(figures.save(out / f"{name}.svg", shown))
    return 0


def _name(folder: Path, done: dict[Path, Done]) -> str:
    """Return a short name for a run: its rule, or its folder where rules repeat."""
    rules = [d.settings.rule for d in done.values()]
    rule = done[folder].settings.rule
    return rule if rules.count(rule) == 1 else str(folder)
