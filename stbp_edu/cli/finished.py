"""The commands for runs that are finished: eval and plot."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.files import write_text
from stbp_edu.parameters import Params, by_layer
from stbp_edu.training import evaluation
from stbp_edu.training.data import Dataset, load_dataset
from stbp_edu.training.encoders import TIMED
from stbp_edu.training.model import encode_images, passes
from stbp_edu.training.runs import FinishedRun, open_run
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import TEST

if TYPE_CHECKING:  # plotting needs matplotlib
    from stbp_edu.plotting import Shown

MISTAKES = 5  # pairs of label and answer to print
ROWS = 40  # neurons of a layer in a raster
FIELDS = (3, 6)  # rows and columns of weight images


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``eval``."""
    parser.add_argument(
        "run_folder", type=Path, metavar="RUN", help="such as runs/digits/exact"
    )
    parser.add_argument("--encodings", type=int, default=10, help="how many (10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the encodings (0)")
    parser.add_argument(
        "--data", type=Path, help="folder with the files of the data set"
    )


def evaluate(args: argparse.Namespace) -> int:
    """Encode the held-out images of a run again and again, and print the accuracy.

    Its mean and standard deviation are printed, and which class is most often taken for which.
    """
    checks.count("seed", args.seed, at_least=0)
    done = open_run(args.run_folder)
    data = data_of(done, args.data)
    # Another stream than the training's, so that the encodings are new to the network.
    rng = np.random.default_rng([args.seed, TEST, 0, 1])
    given = done.params, data.test_images, data.test_labels, done.settings, rng
    print(describe(evaluation.evaluate(*given, encodings=args.encodings), done.record))
    return 0


def data_of(run: FinishedRun, path: Path | None) -> Dataset:
    """Return the data set of a run, from where the run read it unless another path is given."""
    source = path or run.record.get("source")
    return load_dataset(run.record["dataset"], source, run.record["held_out"])


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
        mistakes = ", ".join(
            f"{a} for {y} ({wrong[y, a] / k:.1f} an encoding)" for y, a in pairs
        )
        lines.append(f"Most often mistaken: {mistakes}.")
    return "\n".join(lines)


def plot_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plot``."""
    parser.add_argument(
        "run_folders", type=Path, nargs="+", metavar="RUN", help="finished runs"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for the figures (the first run's)"
    )
    parser.add_argument(
        "--data", type=Path, help="folder with the files of the data set"
    )


def plot(args: argparse.Namespace) -> int:
    """Draw curves of runs side by side, and the spikes and weights of the first, as SVG files."""
    runs = {str(folder): open_run(folder) for folder in args.run_folders}
    first = runs[str(args.run_folders[0])]
    data = data_of(first, args.data)
    image, label = data.test_images[0], int(data.test_labels[0])
    rules = [run.settings.rule for run in runs.values()]
    # A run is called by its rule, or by its folder where rules repeat.
    names = (f if rules.count(r) > 1 else r for f, r in zip(runs, rules, strict=True))
    records = {name: run.record for name, run in zip(names, runs.values(), strict=True)}
    figures = {
        "curves": curves(records),
        "raster": raster(first.params, first.settings, image, label),
    }
    by_pixel = first.settings.encoder not in TIMED  # the inputs are the pixels
    if by_pixel and not first.settings.has_images:
        figures["weights"] = weights(first.params, image.shape)
    for name, shown in figures.items():
        print(save_figure((args.out or args.run_folders[0]) / f"{name}.svg", shown))
    return 0


def curves(records: Mapping[str, dict[str, Any]]) -> "Shown":
    """Draw the loss, the held-out accuracy and the firing rates of runs over the epochs."""
    from stbp_edu import plotting

    fig, axes = plotting.figure(3, 1, height=6.6)
    runs = {name: record["curves"] for name, record in records.items()}
    lines = {
        "loss": {name: [p["loss"] for p in c] for name, c in runs.items()},
        "held-out accuracy, %": {
            k: [100 * p["held_out"] for p in c] for k, c in runs.items()
        },
        "firing rate": {
            f"{name}, layer {n}": [p["rates"][n] for p in c]
            for name, c in runs.items()
            for n in range(1, len(c[0]["rates"]))
        },
    }
    for ax, (ylabel, values) in zip(axes, lines.items(), strict=True):
        plotting.learning_curve(ax, values, ylabel)
    last = {name: curves[-1] for name, curves in runs.items()}
    ends = ", ".join(
        f"{name}: loss {p['loss']:.3f}, accuracy {p['held_out']:.1%}"
        for name, p in last.items()
    )
    alt = f"Loss, held-out accuracy and firing rates after each epoch. At the end, {ends}."
    return plotting.show(fig, alt=alt)


def raster(
    params: Params, settings: Settings, image: NDArray[Any], label: int
) -> "Shown":
    """Draw the spikes of every layer for one image, with the answer."""
    from stbp_edu import plotting

    rng, steps = np.random.default_rng(settings.seed), settings.steps_to_answer
    spikes = encode_images(image[None], settings, steps, rng, params.dtype)
    trace = passes(params, settings).forward(spikes)
    layers = [o[:, 0, :] for o in trace.O[1:]]
    answer = int(settings.make_loss().scores(trace).argmax())
    ratios = [*[3.0] * (len(layers) - 1), 1.5]
    fig, axes = plotting.figure(
        len(layers), 1, height=2.2 * len(layers), height_ratios=ratios
    )
    for n, (ax, o) in enumerate(zip(np.atleast_1d(axes), layers, strict=True), start=1):
        if n == len(layers) and not set(np.unique(o)) <= {
            0,
            1,
        }:  # a read-out that does not spike
            ax.plot(
                np.arange(1, len(o) + 1), o, label=[str(k) for k in range(o.shape[1])]
            )
            ax.set_ylabel("read-out")
        elif n == len(layers):
            plotting.raster(ax, o, [str(k) for k in range(o.shape[1])])
            ax.set_ylabel("output")
        else:  # the neurons with the most spikes, the quickest to fire first
            chosen = np.argsort(-o.sum(axis=0), kind="stable")[:ROWS]
            plotting.raster(ax, o[:, chosen[::-1]])
            ax.set_ylabel(f"layer {n}")
    alt = f"Spikes of the layers for an image of {label}; the network answers {answer}."
    return plotting.show(fig, alt=alt)


def weights(params: Params, shape: tuple[int, ...]) -> "Shown":
    """Draw the weights into the hidden neurons that reach furthest, as images."""
    from stbp_edu import plotting

    rows, cols = FIELDS
    W, *above = (layer["W"] for layer in by_layer(params)[1:])
    reach = np.abs(above[0]).sum(axis=0) if above else np.ones(len(W))
    chosen = np.argsort(-reach, kind="stable")[: rows * cols]
    fig, axes = plotting.figure(rows, cols, height=2.8)
    peak = float(np.abs(W[chosen]).max()) or 1.0
    for k, ax in enumerate(np.ravel(axes)):
        ax.set_axis_off()
        if k < len(chosen):
            field = W[chosen[k]].reshape(shape)
            ax.imshow(
                field, cmap="RdBu", vmin=-peak, vmax=peak, interpolation="nearest"
            )
    alt = (
        f"Weights from the pixels to {len(chosen)} neurons of layer 1, as images: blue excites, "
        f"red inhibits; the strongest is {peak:.2f}."
    )
    return plotting.show(fig, alt=alt)


def save_figure(path: Path, shown: "Shown") -> Path:
    """Write a figure as an SVG file and return its path, or say what to do if that fails."""
    try:
        write_text(path, shown.svg)
    except OSError as error:
        raise OSError(
            f"{path} could not be written ({error}); make room, or name another folder with --out"
        ) from error
    return path
