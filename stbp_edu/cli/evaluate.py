"""Encode the held-out images of a run again and again, and print the accuracy.

Its mean and standard deviation are printed, and what is taken for what.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.cli.messages import tell
from stbp_edu.training.data import load_dataset
from stbp_edu.training.evaluation import Evaluation, evaluate, plus_minus
from stbp_edu.training.runs import open_run
from stbp_edu.training.trainer import TEST

MISTAKES = 5  # pairs of label and answer to print


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``eval``."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="such as runs/digits/exact")
    parser.add_argument("--encodings", type=int, default=10, help="how many (10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the encodings (0)")
    parser.add_argument("--data", type=Path, help="folder with the files of the data set")


def run(args: argparse.Namespace) -> int:
    """Evaluate a run, and print the result."""
    checks.count("seed", args.seed, at_least=0)
    done = open_run(args.run_folder)
    data = load_dataset(done.record["dataset"], args.data, tell, done.record["held_out"])
    images, labels = data.test_images, data.test_labels
    # Another stream than the training's, so that the encodings are new to the network.
    rng = np.random.default_rng([args.seed, TEST, 0, 1])
    result = evaluate(done.params, images, labels, done.settings, rng, encodings=args.encodings)
    print(describe(result, done.record))
    return 0


def describe(result: Evaluation, record: dict[str, Any]) -> str:
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
    order = np.argsort(wrong, axis=None)[::-1][:MISTAKES]
    pairs = [np.unravel_index(i, wrong.shape) for i in order if wrong.flat[i]]
    if pairs:
        mistakes = ", ".join(f"{a} for {y} ({wrong[y, a] / k:.1f} an encoding)" for y, a in pairs)
        lines.append(f"Most often mistaken: {mistakes}.")
    return "\n".join(lines)
