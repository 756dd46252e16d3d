"""The problem that every candidate is given: a batch of spikes, parameters, and the neuron."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stbp_edu
from benchmarks.frameworks.candidate import Candidate
from stbp_edu import LIF, Gaussian, Params
from stbp_edu.training.data import digits, load_dataset
from stbp_edu.training.encoders import bernoulli

CLASSES = 10
# So small that the network stays what it is, however many steps are timed. A batch learned by heart
# has ε below the smallest normal float32, over which some processors take twice as long.
LR = 1e-6
A = 0.125  # makes the Gaussian equal to surrogates that Norse and SpikingJelly have
# The linear gate is decay times hard reset to zero, which every framework can be told.
NEURON = LIF(tau=0.1, v_th=0.5, surrogate=Gaussian(a=A), gate="linear")


@dataclass(frozen=True)
class Size:
    """One size: steps, batch, width and number of hidden layers, and the rate of the input.

    Attributes:
        rate: mean of the input spikes in percent; 0 for that of the images.
    """

    T: int = 30
    batch: int = 100
    width: int = 800
    hidden: int = 1
    rate: int = 0


@dataclass(frozen=True)
class SizedProblem:
    """The arrays of one size.

    Attributes:
        size: how large they are.
        data: the name of the data set.
        pixels: bytes, shape (S, n[0]).
        targets: Y, shape (S, 10).
        spikes: shape (T, S, n[0]).
        params: initial weights, and biases of zero.
    """

    size: Size
    data: str
    pixels: NDArray[np.uint8]
    targets: NDArray[Any]
    spikes: NDArray[Any]
    params: Params


def everything() -> tuple[NDArray[np.uint8], NDArray[Any], str]:
    """Return all training images as rows of 784 bytes, their labels, and the data set's name.

    MNIST where it can be had; else the digits of this package, enlarged to its size.
    """
    try:
        data = load_dataset("mnist")
        images, labels, name = data.train_images, data.train_labels, "MNIST"
    except (OSError, ValueError):
        small, labels = digits()
        large = np.kron(small, np.ones((3, 3), np.float32))
        images = np.rint(np.pad(large, ((0, 0), (2, 2), (2, 2))) * 255).astype(np.uint8)
        name = "the package's digits, enlarged to 28×28"
    return images.reshape(len(labels), -1), labels, name


def draw(size: Size, dtype: Any = np.float32) -> SizedProblem:
    """Draw a problem; the same one in every dtype."""
    rows, labels, data = everything()
    chosen = np.random.default_rng(0).choice(len(rows), size.batch, replace=False)
    pixels, targets = rows[chosen], np.eye(CLASSES, dtype=dtype)[labels[chosen]]
    if size.rate:
        scale = size.rate / 100 * 255 / pixels.mean()
        pixels = np.rint(pixels * scale).astype(np.uint8)
    rng = np.random.default_rng(1)
    spikes = bernoulli(pixels, size.T, rng).astype(dtype, copy=False)
    sizes = (pixels.shape[1], *[size.width] * size.hidden, CLASSES)
    drawn = stbp_edu.init_params(sizes, rng, np.float32, scheme="uniform")
    W, b = ([None, *(a.astype(dtype) for a in of[1:])] for of in (drawn.W, drawn.b))
    return SizedProblem(size, data, pixels, targets, spikes, Params(W, b))


def products_alone(problem: SizedProblem) -> Candidate:
    """Return the products of a step and nothing else, with as many threads as the BLAS takes."""
    W, below = problem.params.W, problem.spikes.reshape(-1, problem.pixels.shape[1])
    layers = []  # what is multiplied, and where the products go
    for w in W[1:]:
        o = np.zeros((len(below), len(w)), below.dtype)
        layers.append((below, w, o, np.zeros_like(o), np.empty_like(w)))
        below = o

    def run() -> None:
        for below, w, o, _, _ in layers:
            np.matmul(below, w.T, out=o)
        for n, (below, w, _, error, gradient) in reversed([*enumerate(layers)]):
            np.matmul(error.T, below, out=gradient)
            if n:
                np.matmul(error, w, out=layers[n - 1][3])

    return Candidate(run)
