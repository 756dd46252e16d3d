"""The figures of a run, drawn by the plotting package, which needs matplotlib."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import plotting
from stbp_edu.arrays import Trained, by_layer
from stbp_edu.files import write_whole
from stbp_edu.training.model import encode_images, passes
from stbp_edu.training.settings import Settings

ROWS = 40  # neurons of a layer in a raster
FIELDS = (3, 6)  # rows and columns of weight images


def curves(records: Mapping[str, dict[str, Any]]) -> plotting.Shown:
    """Draw the loss, the held-out accuracy and the firing rates of runs over the epochs."""
    fig, axes = plotting.figure(3, 1, height=6.6)
    points = {name: r["curves"] for name, r in records.items()}
    lines = {
        "loss": {name: [p["loss"] for p in c] for name, c in points.items()},
        "held-out accuracy, %": {
            name: [100 * p["held_out"] for p in c] for name, c in points.items()
        },
        "firing rate": {
            f"{name}, layer {n}": [p["rates"][n] for p in c]
            for name, c in points.items()
            for n in range(1, len(c[0]["rates"]))
        },
    }
    for ax, (ylabel, values) in zip(axes, lines.items(), strict=True):
        plotting.learning_curve(ax, values, ylabel)
    ends = ", ".join(
        f"{name}: loss {c[-1]['loss']:.3f}, accuracy {c[-1]['held_out']:.1%}"
        for name, c in points.items()
    )
    alt = f"Loss, held-out accuracy and firing rates after each epoch. At the end, {ends}."
    return plotting.show(fig, alt=alt)


def raster(params: Trained, settings: Settings, image: NDArray[Any], label: int) -> plotting.Shown:
    """Draw the spikes of every layer for one image, with the answer."""
    rng, steps = np.random.default_rng(settings.seed), settings.steps_to_answer
    spikes = encode_images(image[None], settings, steps, rng, params.dtype)
    trace = passes(params, settings).forward(spikes)
    layers = [o[:, 0, :] for o in trace.O[1:]]
    answer = int(settings.make_loss().scores(trace).argmax())
    ratios = [*[3.0] * (len(layers) - 1), 1.5]
    fig, axes = plotting.figure(len(layers), 1, height=2.2 * len(layers), height_ratios=ratios)
    for n, (ax, o) in enumerate(zip(np.atleast_1d(axes), layers, strict=True), start=1):
        if n == len(layers) and not set(np.unique(o)) <= {0, 1}:  # a read-out that does not spike
            ax.plot(np.arange(1, len(o) + 1), o, label=[str(k) for k in range(o.shape[1])])
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


def weights(params: Trained, shape: tuple[int, ...]) -> plotting.Shown:
    """Draw the weights into the hidden neurons that reach furthest, as images."""
    rows, cols = FIELDS
    W: list[Any] = [None, *(layer["W"] for layer in by_layer(params)[1:])]
    reach = np.abs(W[2]).sum(axis=0) if params.N > 1 else np.ones(params.sizes[1])
    chosen = np.argsort(-reach, kind="stable")[: rows * cols]
    fig, axes = plotting.figure(rows, cols, height=2.8)
    peak = float(np.abs(W[1][chosen]).max()) or 1.0
    for k, ax in enumerate(np.ravel(axes)):
        ax.set_axis_off()
        if k < len(chosen):
            field = W[1][chosen[k]].reshape(shape)
            ax.imshow(field, cmap="RdBu", vmin=-peak, vmax=peak, interpolation="nearest")
    alt = (
        f"Weights from the pixels to {len(chosen)} neurons of layer 1, as images: blue excites, "
        f"red inhibits; the strongest is {peak:.2f}."
    )
    return plotting.show(fig, alt=alt)


def save_figure(path: Path, shown: plotting.Shown) -> Path:
    """Write a figure as an SVG file and return its path, or say what to do if that fails."""
    try:
        write_whole(path, lambda file: file.write(shown.svg.encode()))
    except OSError as error:
        raise OSError(
            f"{path} could not be written ({error}); make room, or name another folder with --out"
        ) from error
    return path
