"""What matters to a step: the input, neurons and samples that its gradient depends on.

A pixel that is dark in every image adds nothing to any potential, and its weights' gradient is
zero; an image whose rates are its target sends no error back. A step without them is cheaper. So is
one with dropout: the hidden neurons left out are the same for the whole batch.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import Workspace
from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams
from stbp_edu.engine import SparseInput
from stbp_edu.losses import RATE
from stbp_edu.losses.reading import Built
from stbp_edu.network import Gradients, Params, Trace
from stbp_edu.training.encoders import TIMED, encode
from stbp_edu.training.settings import Settings

Kept = Sequence[NDArray[np.intp] | None]
"""For each layer 0..N the neurons kept; None: all."""

EVERY, ACTIVE, SINGLY = WAYS = ("every pixel", "active pixels", "image by image")
"""How a network may read images: all pixels; those that are active in some image of the batch; or
the active pixels of each image by themselves. The gradient is the same up to rounding."""

GATHERING = 16  # steps; with fewer, gathering weights takes longer than multiplying by zeros
SPARSE = 0.4  # of the pixels active in any image; with more, there is too little to leave out


@dataclass(frozen=True)
class NetworkInput:
    """Some images, and the way in which a network reads them.

    Attributes:
        way: one of :data:`WAYS`.
        images: what is encoded: images (S, height, width) where the encoder is one of ``TIMED``,
            else the pixels that are read, one row for each image.
        pixels: the input neurons of the network that are read; None: all of them.
        settings: name the encoder.
        T: number of steps.
    """

    way: str
    images: NDArray[Any]
    pixels: NDArray[np.intp] | None
    settings: Settings
    T: int

    def encode(self, rng: np.random.Generator, work: Workspace, dtype: Any) -> Array | SparseInput:
        """Return the input of all steps, drawn anew; it lives in the workspace.

        With the encoder ``direct``, all steps are the same memory.
        """
        s = self.settings
        if s.encoder in TIMED:
            return encode(s.encoder, self.images, self.T, rng, hold=s.hold).astype(
                dtype, copy=False
            )
        singly = self.way == SINGLY
        rows, columns = self.images.nonzero() if singly else (None, None)
        pixels = self.images[rows, columns][None] if singly else self.images
        steps = 1 if s.encoder == "direct" else self.T
        out = work.array("spikes", 0, (steps, *pixels.shape), dtype)
        encode(s.encoder, pixels, steps, rng, out=out)
        spikes = np.broadcast_to(out, (self.T, *pixels.shape))
        if rows is None or columns is None:
            return spikes
        return SparseInput(spikes[:, 0], rows, columns, self.images.shape)


def read_images(
    images: NDArray[Any], settings: Settings, T: int, ways: Collection[str] = WAYS
) -> NetworkInput:
    """Choose how a network reads images (S, height, width): the quickest of the given ways.

    Every pixel is read where the image's shape is needed: by encoders that depend on the step, and
    by convolutions.
    """
    if settings.encoder in TIMED:
        return NetworkInput(EVERY, images, None, settings, T)
    rows = images.reshape(len(images), -1)
    if settings.has_images or ACTIVE not in ways:
        return NetworkInput(EVERY, rows, None, settings, T)
    columns = active_pixels(rows)
    sparse = 0 < np.count_nonzero(rows) < SPARSE * len(rows) * len(columns)
    if SINGLY in ways and T >= GATHERING and sparse:
        return NetworkInput(SINGLY, rows, None, settings, T)
    return NetworkInput(ACTIVE, np.take(rows, columns, axis=1), columns, settings, T)


def active_pixels(pixels: NDArray[Any]) -> NDArray[np.intp]:
    """Return the pixels (columns) that are not black in every image (row).

    >>> active_pixels(np.array([[0.0, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    array([1, 2])
    """
    active = np.flatnonzero(pixels.max(axis=0))
    return active if len(active) else np.arange(1)  # a layer needs a neuron


def samples_with_error(trace: Trace, targets: Array, loss: Built = RATE) -> NDArray[np.intp]:
    """Return the samples that send an error back: with the rate loss, those that miss their target.

    Where the direct term of a sample is zero at every step, so are all its δ and ε. The first
    sample is returned where there would be none.

    >>> O = np.array([[[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]])  # (T, S, n[1])
    >>> samples_with_error(Trace(U=[None, O], O=[O, O]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    array([1])
    """
    terms = [term for term in loss.terms(trace, targets, len(targets)) if term is not None]
    samples = np.flatnonzero(np.any([term.any(axis=(0, 2)) for term in terms], axis=0))
    return samples if len(samples) else np.arange(1)  # a pass needs a sample


def select_samples(trace: Trace, samples: NDArray[np.intp]) -> Trace:
    """Return the forward pass of these samples alone."""
    if len(samples) == trace.O[0].shape[1]:
        return trace
    U, O = ([np.take(a, samples, axis=1) for a in of[1:]] for of in (trace.U, trace.O))
    first = trace.O[0]
    if isinstance(first, SparseInput):
        first = first.select(samples)
    elif first.strides[0] == 0:  # the same at every step, and so it stays
        first = np.broadcast_to(first[0, samples], (len(first), len(samples), first.shape[2]))
    else:
        first = first[:, samples]
    return Trace(U=[None, *U], O=[first, *O])


def draw_dropout(sizes: Sequence[int], dropout: float, rng: np.random.Generator) -> Kept:
    """Return the neurons that dropout keeps in each of the layers 1..N; of the output, all."""
    if dropout == 0:
        return [None] * (len(sizes) - 1)
    share = 1 - dropout
    kept = (rng.permutation(m)[: max(1, round(share * m))] for m in sizes[1:-1])
    return [*map(np.sort, kept), None]


def keeps_all(kept: Kept) -> bool:
    """Tell whether no neuron is left out."""
    return all(k is None for k in kept)


def subnetwork(params: AnyParams, kept: Kept) -> AnyParams:
    """Return the network of the kept neurons alone.

    Where hidden neurons are left out, the weights that leave the others are scaled up, so that
    the input of the next layer keeps its mean.
    """
    if keeps_all(kept):
        return params
    checks.instance("params", params, Params)
    W: list[Any] = [None]
    b = [b if k is None else b[k] for b, k in zip(params.b[1:], kept[1:], strict=True)]
    for n in range(1, params.N + 1):
        above, below = kept[n], kept[n - 1]
        w = params.W[n] if above is None else params.W[n][above]
        w = w if below is None else np.take(w.T, below, axis=0).T
        factor = _factor(params, kept, n)
        W.append(w if factor == 1 else w * factor)
    return Params(W=W, b=[None, *b])


def scatter(grads: Gradients, params: AnyParams, kept: Kept, out: Gradients) -> None:
    """Write the gradients of the subnetwork to ``out``, those of the whole network.

    Weights and biases that are left out have a gradient of zero.
    """
    for n in range(1, params.N + 1):
        factor = _factor(params, kept, n)
        _put(out.W[n], (kept[n], kept[n - 1]), grads.W[n] if factor == 1 else grads.W[n] * factor)
        _put(out.b[n], (kept[n],), grads.b[n])


def _put(out: Array, at: Kept, values: Array) -> None:
    """Write values to the kept rows and columns, and zero elsewhere."""
    if not keeps_all(at):
        out[...] = 0
    if all(k is not None for k in at):
        out[np.ix_(*at)] = values
    else:
        out[tuple(slice(None) if k is None else k for k in at)] = values


def _factor(params: AnyParams, kept: Kept, n: int) -> float:
    """Return the scale of the weights into layer n: 1 / (share of hidden neurons kept)."""
    below = kept[n - 1]
    return 1.0 if n == 1 or below is None else params.sizes[n - 1] / len(below)
