"""Convolution, and average pooling in front of weights, as linear maps in fast matrix products.

Each has the three passes of :class:`.passes.Dense`: ``forward``, ``transpose`` and ``gradient``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stbp_edu._support.checks import Array
from stbp_edu.arrows.link import AveragePool, Link, Patches, Shape
from stbp_edu.engine.machine_code import kernel
from stbp_edu.engine.passes import Dense
from stbp_edu.engine.threads import run_in_parts

PATCHES = 2**18
"""Numbers that are read or written at a time: 1 MB in float32, which stay in the cache."""
SUMS = 16
"""How many sums a gradient is made of, however many threads add them up."""


def linear_map(link: Link, W: Array, compiled: bool) -> Any:
    """Return a layer's weights: fully connected or a convolution, perhaps behind pooling."""
    *pools, (last, shape) = zip(link.maps, link.shapes, strict=False)
    found: Any = Dense(W)
    if isinstance(last, Patches):
        found = Convolution(W, shape, compiled)
    for pool, shape in reversed(pools):
        if isinstance(pool, AveragePool):
            found = Pooled(found, pool.k, shape, W.dtype)
    return found


@dataclass(frozen=True)
class Convolution:
    """A convolution: for each image, a matrix product with its patches, of a few images at a time.

    Attributes:
        W: shape (units, C, k, k).
        source: the shape of an image below, (C, H, W).
        compiled: whether patches are cut out in compiled loops.
    """

    W: Array
    source: Shape
    compiled: bool

    @property
    def copies(self) -> int:
        """How many neurons share a bias: those of a channel, which lie side by side."""
        h, w = self._places
        return h * w

    def forward(self, below: Array, out: Array) -> None:
        """Write W on each patch."""
        x, y = self._images(below), self._channels(out)

        def loop(some: slice) -> None:
            """Do some images."""
            patches = self._patches(x[some])
            np.matmul(self._matrix, patches, out=y[some])  # p2-conv-x, p2-conv-image-x

        for_each(self._blocks(len(x)), loop, self._work(len(x)))

    def transpose(self, signal: Array, out: Array) -> None:
        """Write what each patch gets, added up where it was cut out."""
        error, back = self._channels(signal), self._images(out)

        def loop(some: slice) -> None:
            """Do some images."""
            patches = self._matrix.T @ error[some]
            self._put_back(patches, back[some])

        for_each(self._blocks(len(error)), loop, self._work(len(error)))

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε patchᵀ over places, steps and samples."""
        error, x = self._channels(epsilon), self._images(below)
        units, numbers = self._matrix.shape
        sums = np.zeros((SUMS, numbers, units), self.W.dtype)
        every = self._blocks(len(x))

        def loop(k: int) -> None:
            """Add up one of the sums, of its own images."""
            for some in every[k::SUMS]:
                by_place = np.ascontiguousarray(np.swapaxes(error[some], 1, 2))
                found = self._patches(x[some]) @ by_place
                sums[k] += found.sum(axis=0)  # p2-conv-w, p2-conv-image-w

        for_each(range(SUMS), loop, self._work(len(x)))
        out[...] = sums.sum(axis=0).T.reshape(out.shape)

    @property
    def _places(self) -> tuple[int, int]:
        """In how many rows and columns the kernel fits into an image."""
        _, H, W = self.source
        k = self.W.shape[-1]
        return H - k + 1, W - k + 1

    @property
    def _matrix(self) -> Array:
        """A row of weights for each channel."""
        return self.W.reshape(len(self.W), -1)

    def _images(self, values: Array) -> Array:
        """Return values below as images, (images, C, H, W)."""
        return values.reshape(-1, *self.source)

    def _channels(self, values: Array) -> Array:
        """Return values of this layer as (images, units, places)."""
        return values.reshape(-1, len(self.W), self.copies)

    def _by_window(self, images: int) -> Shape:
        """Return the shape of the patches: a number of each window in a row."""
        _, C, k, _ = self.W.shape
        return images, C, k, k, *self._places

    def _patches(self, images: Array) -> Array:
        """Return the patches of some images, a row for each weight of a channel."""
        patches = np.empty(self._by_window(len(images)), images.dtype)
        if self.compiled:
            kernel("cut")(images, patches)
        else:
            cut(images, patches)
        return patches.reshape(len(images), -1, self.copies)

    def _put_back(self, patches: Array, images: Array) -> None:
        """Write the errors of some images, from those of their patches."""
        windows = patches.reshape(self._by_window(len(images)))
        images[...] = 0
        if self.compiled:
            kernel("put_back")(windows, images)
        else:
            put_back(windows, images)

    def _blocks(self, images: int) -> list[slice]:
        """Return slices of images whose patches stay in the cache."""
        return blocks(images, PATCHES // (self.copies * self.W[0].size))

    def _work(self, images: int) -> float:
        """Return about how many operations a product takes: 16 multiplications at once."""
        return images * self.copies * self.W.size / 16


def cut(images: Array, patches: Array) -> None:
    """Write the windows of images; see :func:`.loops.cut`."""
    k = patches.shape[2]
    windows = sliding_window_view(images, (k, k), (2, 3))
    patches[...] = np.moveaxis(windows, (-2, -1), (2, 3))


def put_back(patches: Array, images: Array) -> None:
    """Add up windows where they were cut out; see :func:`.loops.put_back`."""
    _, _, k, _, h, w = patches.shape
    for a, b in np.ndindex(k, k):
        # p2-conv-delta, p2-conv-image-delta
        images[:, :, a : a + h, b : b + w] += patches[:, :, a, b]


@dataclass(frozen=True)
class Pooled:
    """Average pooling in front of other weights: a product with k rows of pixels side by side.

    Attributes:
        weights: what reads the means.
        k: how many rows and columns of pixels have a mean.
        source: the shape of an image below, (C, H, W).
        dtype: that of the computation.
    """

    weights: Any
    k: int
    source: Shape
    dtype: np.dtype[Any]
    _last: list[Array] = field(default_factory=list, init=False, repr=False)

    @property
    def copies(self) -> int:
        """How many neurons share a bias."""
        found: int = self.weights.copies
        return found

    def forward(self, below: Array, out: Array) -> None:
        """Write W on the means, which are kept for the gradient."""
        means = self._means(below)
        self._last[:] = below, means
        self.weights.forward(means, out)

    def transpose(self, signal: Array, out: Array) -> None:
        """Write what each mean gets, which its pixels share."""
        means = self._like_means(out)
        self.weights.transpose(signal, means)
        self._multiply(means, self._shares.T, out)  # p2-pool-delta

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε meanᵀ over steps and samples."""
        if self._last and self._last[0] is below:
            _, means = self._last
        else:
            means = self._means(below)
        self.weights.gradient(epsilon, means, out)

    def _means(self, below: Array) -> Array:
        """Return the mean of each k × k pixels."""
        means = self._like_means(below)
        self._multiply(below, self._shares, means)  # p2-pool-x
        return means

    def _like_means(self, pixels: Array) -> Array:
        """Return a new array for the means of these images."""
        *some, m = pixels.shape
        return np.empty((*some, m // self.k**2), self.dtype)

    @cached_property
    def _shares(self) -> Array:
        """The share of each pixel of k rows in each mean of a row."""
        k, width = self.k, self.source[-1]
        of_a_row = np.repeat(np.eye(width // k, dtype=self.dtype), k, axis=0)
        return np.tile(of_a_row, (k, 1)) / k**2

    def _multiply(self, a: Array, matrix: Array, out: Array) -> None:
        """Write the product of the rows of a and a matrix."""
        size, width = matrix.shape
        rows, found = a.reshape(-1, size), out.reshape(-1, width)

        def loop(some: slice) -> None:
            """Do some rows."""
            np.matmul(rows[some], matrix, out=found[some])

        every = blocks(len(rows), PATCHES // (size + width))
        for_each(every, loop, rows.size)


def blocks(size: int, together: int) -> list[slice]:
    """Return slices of a range, of so many but at least one."""
    step = max(1, together)
    return [slice(start, start + step) for start in range(0, size, step)]


def for_each(items: Sequence[Any], loop: Callable[[Any], None], work: float) -> None:
    """Call a function for each item, some side by side; ``work`` as in :func:`run_in_parts`."""

    def part(first: int, last: int) -> None:
        """Do some items."""
        for item in items[first:last]:
            loop(item)

    run_in_parts(part, len(items), work)
