"""Draw the curves of runs, side by side, and the spikes and weights of the first, as SVG files."""

import argparse
from pathlib import Path

from stbp_edu.cli.messages import tell
from stbp_edu.training.data import load_dataset
from stbp_edu.training.encoders import TIMED
from stbp_edu.training.runs import open_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plot``."""
    parser.add_argument("run_folders", type=Path, nargs="+", metavar="RUN", help="finished runs")
    parser.add_argument("--out", type=Path, help="folder for the figures (the first run's)")
    parser.add_argument("--data", type=Path, help="folder with the files of the data set")


def run(args: argparse.Namespace) -> int:
    """Draw the figures, save them, and print their paths."""
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
