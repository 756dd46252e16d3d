"""The command for a run that is finished: eval."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.training import evaluation
from stbp_edu.training.data import load_dataset
from stbp_edu.training.measurements import mean_share
from stbp_edu.training.runs import open_run
from stbp_edu.training.trainer import TEST

MISTAKES = 5  # pairs of label and answer to print


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``eval``."""
    add = parser.add_argument
    add("run_folder", type=Path, metavar="RUN", help="such as runs/digits/exact")
    add("--encodings", type=int, default=10, help="how many (10)")
    add("--seed", type=int, default=0, help="seed of the encodings (0)")
    add("--data", type=Path, help="folder with the files of the data set")


def evaluate(args: argparse.Namespace) -> int:
    """Encode the held-out images of a run again and again, and print the accuracy.

    Its mean and 95 % interval are printed, and which class is most often taken for which.
    """
    checks.count("seed", args.seed, at_least=0)
    run = open_run(args.run_folder)
    source = args.data or run.record.get("source")
    data = load_dataset(run.record["dataset"], source, run.record["held_out"])
    # Not the training's stream, so the encodings are new to the network.
    rng = np.random.default_rng([args.seed, TEST, 0, 1])
    images, labels = data.test_images, data.test_labels
    result = evaluation.evaluate(
        run.params, images, labels, run.settings, rng, encodings=args.encodings
    )
    print(describe(result, run.record))
    return 0


def describe(result: evaluation.Evaluation, record: dict[str, Any]) -> str:
    """Return an evaluation as text."""
    k = len(result.accuracies)
    images = int(result.confusion.sum()) // k
    sampling = float(np.sqrt(result.mean * (1 - result.mean) / images))
    wrong = result.confusion - np.diag(np.diag(result.confusion))
    commonest = np.argsort(wrong, axis=None)[: -MISTAKES - 1 : -1]
    pairs = (np.unravel_index(place, wrong.shape) for place in commonest)
    mistakes = [
        f"{answer} for {label} ({wrong[label, answer] / k:.1f} an encoding)"
        for label, answer in pairs
        if wrong[label, answer]
    ]
    return (
        f"{record['dataset']}, {record['settings']['rule']}: {mean_share(result.accuracies)} over "
        f"{k} encodings of {images} held-out images.\n"
        f"Different images would change the mean by about {sampling:.2%} (standard error).\n"
        f"Most often mistaken: {', '.join(mistakes) or 'none'}."
    )
