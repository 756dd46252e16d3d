"""A convolution or average pooling in front of weights, as a linear map in fast matrix products.

It has the three passes of :class:`.passes.Dense`: ``forward``, ``transpose`` and ``gradient``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stbp_edu._support.checks import Array
from stbp_edu.arrows.link import AveragePool, Link, Patches
from stbp_edu.engine.passes import flat

PATCHES = 2**19
"""Numbers in the patches that are cut out at a time: 2 MB in float32, which stay in the cache."""


@dataclass(frozen=True)
class Linked:
    """A convolution, or weights behind pooling: a matrix product for the patches of a few images.

    These lie side by side on the last axis, so what is added up is long pieces of memory.
    """

    W: Array
    link: Link

    @property
    def copies(self) -> int:
        """How many neurons share a bias: those of a channel, which lie side by side."""
        return math.prod(self.link.shape[1:])

    def forward(self, below: Array, out: Array) -> None:
        """Write W on each patch."""
        x, y = flat(below), flat(out)
        for some in self._blocks(len(x)):
            patches = self._patches(x[some])
            found = self._matrix @ patches  # p2-conv-x, p2-conv-image-x
            y[some] = by_image(found, y)

    def transpose(self, signal: Array, out: Array) -> None:
        """Add what each patch gets where it was cut out."""
        error, back = flat(signal), flat(out)
        for some in self._blocks(len(error)):
            rows = self._by_channel(error[some])
            images = self._images(self._matrix.T @ rows, len(back[some]))
            back[some] = by_image(images, back)

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε patchᵀ over positions, steps and samples."""
        error, x = flat(epsilon), flat(below)
        found = out.reshape(self._matrix.shape)
        found[...] = 0
        for some in self._blocks(len(x)):
            rows = self._by_channel(error[some])
            patches = self._patches(x[some])
            found += rows @ patches.T  # p2-conv-w, p2-conv-image-w

    @cached_property
    def _matrix(self) -> Array:
        """A row of weights for each channel or neuron."""
        return self.W.reshape(len(self.W), -1)

    def _by_channel(self, rows: Array) -> Array:
        """Return the values of some images, (images, m), with a row for each channel."""
        columns = np.ascontiguousarray(rows.T)
        return columns.reshape(self.link.units, -1)

    def _patches(self, rows: Array) -> Array:
        """Return the patches of some images: a row for each weight of a neuron."""
        image = np.ascontiguousarray(rows.T).reshape(*self.link.source, -1)
        for one in self.link.maps:
            if isinstance(one, AveragePool):
                image = pooled(image, one.k)
            elif isinstance(one, Patches):
                windows = sliding_window_view(image, (one.k, one.k), (1, 2))
                image = np.moveaxis(windows, (-2, -1), (1, 2))
        return image.reshape(self._matrix.shape[1], -1)

    def _images(self, patches: Array, images: int) -> Array:
        """Return the errors of some images, from those of their patches."""
        error = patches
        maps = [*zip(self.link.maps, self.link.shapes, strict=False)]
        for one, shape in reversed(maps):
            whole = (*shape, images)
            if isinstance(one, Patches):
                error = patched_back(error, one.k, whole)
            elif isinstance(one, AveragePool):
                error = spread(error, one.k, whole)
            else:
                error = error.reshape(whole)
        return error

    def _blocks(self, images: int) -> Iterator[slice]:
        """Yield slices of images whose patches stay in the cache."""
        largest = max(map(math.prod, self.link.shapes))
        size = max(1, PATCHES // largest)
        for start in range(0, images, size):
            yield slice(start, start + size)


def by_image(columns: Array, like: Array) -> Array:
    """Return values whose last axis is for images as a row for each, as wide as others."""
    return columns.reshape(like.shape[1], -1).T


def pooled(image: Array, k: int) -> Array:
    """Return the means of blocks of k × k pixels; the image is (C, H, W, ...)."""
    total = np.zeros((), image.dtype)
    for a, b in np.ndindex(k, k):
        total = total + image[:, a::k, b::k]
    return total * (1 / k**2)  # p2-pool-x


def spread(error: Array, k: int, shape: tuple[int, ...]) -> Array:
    """Return errors of means as those of the pixels of an image of this shape."""
    below = np.zeros(shape, error.dtype)
    for a, b in np.ndindex(k, k):
        below[:, a::k, b::k] = error * (1 / k**2)  # p2-pool-delta
    return below


def patched_back(error: Array, k: int, shape: tuple[int, ...]) -> Array:
    """Return errors of patches, added up where each was cut out of an image of this shape."""
    C, H, W, images = shape
    h, w = H - k + 1, W - k + 1
    patches = error.reshape(C, k, k, h, w, images)
    below = np.zeros(shape, error.dtype)
    for a, b in np.ndindex(k, k):
        # p2-conv-delta, p2-conv-image-delta
        below[:, a : a + h, b : b + w] += patches[:, a, b]
    return below
