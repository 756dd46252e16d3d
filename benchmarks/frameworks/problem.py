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
    """Draw a problem, with the same spikes in every dtype."""
    rows, labels, data = everything()
    chosen = np.random.default_rng(0).choice(len(rows), size.batch, replace=False)
    pixels, targets = rows[chosen], np.eye(CLASSES, dtype=dtype)[labels[chosen]]
    if size.rate:
        scale = size.rate / 100 * 255 / pixels.mean()
        pixels = np.rint(pixels * scale).astype(np.uint8)
    rng = np.random.default_rng(1)
    spikes = bernoulli(pixels, size.T, rng).astype(dtype, copy=False)
    sizes = (pixels.shape[1], *[size.width] * size.hidden, CLASSES)
    params = stbp_edu.init_params(sizes, rng, dtype, scheme="uniform")
    return SizedProblem(size, data, pixels, targets, spikes, params)


def products_alone(problem: SizedProblem) -> Candidate:
    """Return the products of a step and nothing else, with as many threads as the BLAS takes."""
    x, W = problem.spikes.reshape(-1, problem.pixels.shape[1]), problem.params.W[1:]
    O = [x, *(np.zeros((len(x), len(w)), x.dtype) for w in W)]
    E = [np.zeros_like(o) for o in O[1:]]
    G = [np.empty_like(w) for w in W]
    forward = zip(O, (w.T for w in W), O[1:], strict=False)
    gradients = zip((e.T for e in E), O, G, strict=False)
    back = zip(E[1:], W[1:], E, strict=False)
    products = [*forward, *gradients, *back]

    def run() -> None:
        for a, b, out in products:
            np.matmul(a, b, out=out)

    return Candidate(run)
