"""The problem that every candidate is given: a batch of spikes, parameters, and the neuron."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import stbp_edu
from benchmarks.frameworks.candidate import Candidate
from benchmarks.timing import products
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
    """The arrays of one size, in the dtype that is asked for.

    Attributes:
        size: how large they are.
        pixels: bytes, shape (S, n[0]).
        labels: shape (S,).
        spikes: shape (T, S, n[0]).
        params: initial weights, and biases of zero.
    """

    size: Size
    pixels: NDArray[np.uint8]
    labels: NDArray[Any]
    spikes: NDArray[Any]
    params: Params

    @property
    def targets(self) -> NDArray[Any]:
        """Y, shape (S, 10)."""
        return np.eye(CLASSES, dtype=self.spikes.dtype)[self.labels]

    def cast(self, dtype: Any) -> Self:
        """Return the same problem in another dtype."""
        of = self.params.W, self.params.b
        W, b = ([None, *(a.astype(dtype) for a in arrays[1:])] for arrays in of)
        return replace(self, spikes=self.spikes.astype(dtype), params=Params(W=W, b=b))


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
    return images.reshape(len(labels), -1), labels.astype(np.int64), name


def draw(size: Size) -> tuple[SizedProblem, str]:
    """Draw a problem in float32, and return it with the name of the data set."""
    rows, classes, name = everything()
    chosen = np.random.default_rng(0).choice(len(rows), size.batch, replace=False)
    pixels, labels = rows[chosen], classes[chosen]
    if size.rate:
        scale = size.rate / 100 * 255 / pixels.mean()
        pixels = np.rint(pixels * scale).astype(np.uint8)
    rng = np.random.default_rng(1)
    spikes = bernoulli(pixels, size.T, rng)
    sizes = (pixels.shape[1], *[size.width] * size.hidden, CLASSES)
    params = stbp_edu.init_params(sizes, rng, np.float32, scheme="uniform")
    return SizedProblem(size, pixels, labels, spikes, params), name


def products_alone(problem: SizedProblem) -> Candidate:
    """Return the products of a step and nothing else, with as many threads as the BLAS takes."""
    return Candidate(products(problem.spikes, problem.params))
