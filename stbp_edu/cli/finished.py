"""The commands for runs that are finished: eval and plot."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu._support.files import write_text
from stbp_edu.parameters import Params, by_layer
from stbp_edu.training import evaluation
from stbp_edu.training.data import Dataset, load_dataset
from stbp_edu.training.measurements import plus_minus
from stbp_edu.training.model import Passes, encode_images
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

    Its mean and 95 % interval are printed, and which class is most often taken for which.
    """
    checks.count("seed", args.seed, at_least=0)
    done = open_run(args.run_folder)
    data = data_of(done, args.data)
    # Not the training's stream, so the encodings are new to the network.
    rng = np.random.default_rng([args.seed, TEST, 0, 1])
    result = evaluation.evaluate(
        done.params,
        data.test_images,
        data.test_labels,
        done.settings,
        rng,
        encodings=args.encodings,
    )
    print(describe(result, done.record))
    return 0


def data_of(run: FinishedRun, path: Path | None) -> Dataset:
    """Return the data set of a run, from where the run read it unless another path is given."""
    source = path or run.record.get("source")
    return load_dataset(run.record["dataset"], source, run.record["held_out"])


def describe(result: evaluation.Evaluation, record: dict[str, Any]) -> str:
    """Return an evaluation as text."""
    k = len(result.accuracies)
    images = int(result.confusion.sum()) // k
    encodings = "1 encoding" if k == 1 else f"{k} encodings"
    around = plus_minus(result.accuracies)
    lowest, highest = min(result.accuracies), max(result.accuracies)
    sampling = float(np.sqrt(result.mean * (1 - result.mean) / images))
    lines = [
        f"{record['dataset']}, {record['settings']['rule']}: {result.mean:.2%}{around} over "
        f"{encodings} of {images} held-out images (from {lowest:.2%} to {highest:.2%}).",
        f"Different images would change the mean by about {sampling:.2%} (standard error).",
    ]
    mistakes = commonest_mistakes(result.confusion)
    if mistakes:
        listed = ", ".join(
            f"{answer} for {label} ({count / k:.1f} an encoding)"
            for label, answer, count in mistakes
        )
        lines.append(f"Most often mistaken: {listed}.")
    return "\n".join(lines)


def commonest_mistakes(confusion: NDArray[Any]) -> list[tuple[int, int, int]]:
    """Return the most frequent pairs of label and wrong answer, each with its count.

    >>> commonest_mistakes(np.array([[8, 2, 0], [0, 9, 1], [0, 0, 7]]))
    [(0, 1, 2), (1, 2, 1)]
    """
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    found = []
    for place in np.argsort(wrong, axis=None)[::-1][:MISTAKES]:
        label, answer = divmod(int(place), len(wrong))
        count = int(wrong[label, answer])
        if count > 0:
            found.append((label, answer, count))
    return found


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
    runs = [open_run(folder) for folder in args.run_folders]
    first = runs[0]
    data = data_of(first, args.data)
    image, label = data.test_images[0], int(data.test_labels[0])
    figures = {
        "curves": curves(named_records(args.run_folders, runs)),
        "raster": raster(first.params, first.settings, image, label),
    }
    shows_pixels = first.settings.encoder != "rows"
    if shows_pixels and not first.settings.has_images:
        figures["weights"] = weights(first.params, image.shape)
    out = args.out or args.run_folders[0]
    for name, shown in figures.items():
        print(save_figure(out / f"{name}.svg", shown))
    return 0


def named_records(
    folders: Sequence[Path], runs: Sequence[FinishedRun]
) -> dict[str, dict[str, Any]]:
    """Return the record of each run by its rule, or by its folder where rules repeat."""
    rules = [run.settings.rule for run in runs]
    records = {}
    for folder, run in zip(folders, runs, strict=True):
        rule = run.settings.rule
        name = rule if rules.count(rule) == 1 else str(folder)
        records[name] = run.record
    return records


def curves(records: Mapping[str, dict[str, Any]]) -> "Shown":
    """Draw the loss, the held-out accuracy and the firing rates of runs over the epochs."""
    from stbp_edu import plotting

    loss, accuracy, rates = {}, {}, {}
    last = []
    for name, record in records.items():
        points = record["curves"]
        loss[name] = [point["loss"] for point in points]
        accuracy[name] = [100 * point["held_out"] for point in points]
        for n in range(1, len(points[0]["rates"])):
            rates[f"{name}, layer {n}"] = [point["rates"][n] for point in points]
        end = points[-1]
        last.append(f"{name}: loss {end['loss']:.3f}, accuracy {end['held_out']:.1%}")
    fig, (above, middle, below) = plotting.figure(3, 1, height=6.6)
    plotting.learning_curve(above, loss, "loss")
    plotting.learning_curve(middle, accuracy, "held-out accuracy, %")
    plotting.learning_curve(below, rates, "firing rate")
    alt = (
        "Loss, held-out accuracy and firing rates after each epoch. At the end, "
        f"{', '.join(last)}."
    )
    return plotting.show(fig, alt=alt)


def raster(
    params: Params, settings: Settings, image: NDArray[Any], label: int
) -> "Shown":
    """Draw the spikes of every layer for one image, with the answer."""
    from stbp_edu import plotting

    rng, steps = np.random.default_rng(settings.seed), settings.steps_to_answer
    spikes = encode_images(image[None], settings, steps, rng, params.dtype)
    trace = Passes(params, settings).forward(params, spikes)
    *hidden, output = [o[:, 0, :] for o in trace.O[1:]]
    answer = int(settings.make_loss().scores(trace).argmax())
    rows = len(hidden) + 1
    ratios = [3.0 for _ in hidden] + [1.5]
    fig, axes = plotting.figure(rows, 1, height=2.2 * rows, height_ratios=ratios)
    *above, last = np.atleast_1d(axes)
    for n, (ax, o) in enumerate(zip(above, hidden, strict=True), start=1):
        # The neurons with the most spikes, the quickest to fire first.
        chosen = np.argsort(-o.sum(axis=0), kind="stable")[:ROWS]
        plotting.raster(ax, o[:, chosen[::-1]])
        ax.set_ylabel(f"layer {n}")
    classes = [str(k) for k in range(output.shape[1])]
    if np.isin(output, (0, 1)).all():
        plotting.raster(last, output, classes)
        last.set_ylabel("output")
    else:  # a read-out that does not spike
        last.plot(np.arange(1, len(output) + 1), output, label=classes)
        last.set_ylabel("read-out")
    alt = f"Spikes of the layers for an image of {label}; the network answers {answer}."
    return plotting.show(fig, alt=alt)


def weights(params: Params, shape: tuple[int, ...]) -> "Shown":
    """Draw the weights into the hidden neurons that reach furthest, as images."""
    from stbp_edu import plotting

    rows, cols = FIELDS
    W, *above = (layer["W"] for layer in by_layer(params)[1:])
    reach = np.ones(len(W))
    if above:
        reach = np.abs(above[0]).sum(axis=0)
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
