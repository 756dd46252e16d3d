"""The commands for runs that are finished: eval and plot."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.cli import tell
from stbp_edu.training import evaluation
from stbp_edu.training.data import load_dataset
from stbp_edu.training.encoders import TIMED
from stbp_edu.training.runs import open_run
from stbp_edu.training.trainer import TEST

MISTAKES = 5  # pairs of label and answer to print


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``eval``."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="such as runs/digits/exact")
    parser.add_argument("--encodings", type=int, default=10, help="how many (10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the encodings (0)")
    parser.add_argument("--data", type=Path, help="folder with the files of the data set")


def evaluate(args: argparse.Namespace) -> int:
    """Encode the held-out images of a run again and again, and print the accuracy.

    Its mean and standard deviation are printed, and which class is most often taken for which.
    """
    checks.count("seed", args.seed, at_least=0)
    done = open_run(args.run_folder)
    data = load_dataset(done.record["dataset"], args.data, tell, done.record["held_out"])
    images, labels = data.test_images, data.test_labels
    # Another stream than the training's, so that the encodings are new to the network.
    rng = np.random.default_rng([args.seed, TEST, 0, 1])
    result = evaluation.evaluate(
        done.params, images, labels, done.settings, rng, encodings=args.encodings
    )
    print(describe(result, done.record))
    return 0


def describe(result: evaluation.Evaluation, record: dict[str, Any]) -> str:
    """Return an evaluation as text."""
    table, k = result.confusion, len(result.accuracies)
    n = int(table.sum()) // k
    sampling = float(np.sqrt(result.mean * (1 - result.mean) / n))
    around = evaluation.plus_minus(result.spread, k)
    lines = [
        f"{record['dataset']}, {record['settings']['rule']}: {result.mean:.2%}{around} over {k} "
        f"encoding{'s' * (k > 1)} of {n} held-out images "
        f"(from {min(result.accuracies):.2%} to {max(result.accuracies):.2%}).",
        f"Another sample of images would move the mean by about ± {sampling:.2%}.",
    ]
    wrong = table * (1 - np.eye(len(table), dtype=np.int64))
    order = np.argsort(wrong, axis=None)[::-1][:MISTAKES]
    pairs = [np.unravel_index(i, wrong.shape) for i in order if wrong.flat[i]]
    if pairs:
        mistakes = ", ".join(f"{a} for {y} ({wrong[y, a] / k:.1f} an encoding)" for y, a in pairs)
        lines.append(f"Most often mistaken: {mistakes}.")
    return "\n".join(lines)


def plot_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plot``."""
    parser.add_argument("run_folders", type=Path, nargs="+", metavar="RUN", help="finished runs")
    parser.add_argument("--out", type=Path, help="folder for the figures (the first run's)")
    parser.add_argument("--data", type=Path, help="folder with the files of the data set")


def plot(args: argparse.Namespace) -> int:
    """Draw curves of runs side by side, and the spikes and weights of the first, as SVG files."""
    runs = {folder: open_run(folder) for folder in args.run_folders}
    from stbp_edu.training.runs import run_figures

    first = runs[args.run_folders[0]]
    data = load_dataset(first.record["dataset"], args.data, tell, first.record["held_out"])
    image, label = data.test_images[0], int(data.test_labels[0])
    rules = [run.settings.rule for run in runs.values()]
    # A run is called by its rule, or by its folder where rules repeat.
    names = [str(f) if rules.count(r) > 1 else r for f, r in zip(runs, rules, strict=True)]
    records = {name: run.record for name, run in zip(names, runs.values(), strict=True)}
    figures = {
        "curves": run_figures.curves(records),
        "raster": run_figures.raster(first.params, first.settings, image, label),
    }
    by_pixel = first.settings.encoder not in TIMED  # the inputs are the pixels
    if by_pixel and not first.settings.has_images:
        figures["weights"] = run_figures.weights(first.params, image.shape)
    for name, shown in figures.items():
        print(run_figures.save_figure((args.out or args.run_folders[0]) / f"{name}.svg", shown))
    return 0
