"""The weights between two layers as linear maps: fully connected, convolution, average pooling.

Each takes arrays (T, S, m) and writes to one: ``forward`` carries spikes up, ``transpose`` carries
errors down, and ``gradient`` is the sum over all arrows that share a weight.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stbp_edu.arrows.link import AveragePool, Link, Patches
from stbp_edu.checks import Array
from stbp_edu.engine.threads import multiply

PATCHES = 2**19
"""Numbers in the patches that are cut out at a time: 2 MB in float32, which stay in the cache."""


def flat(a: Array) -> Array:
    """Return an array as a matrix with its last axis for columns, without a copy."""
    return a.reshape(-1, a.shape[-1])


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: one product for all steps and samples."""

    W: Array

    def forward(self, below: Array, out: Array) -> None:
        """Write W o, for every step and sample."""
        multiply(flat(below), self.W.T, flat(out))  # fwd-x

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err."""
        multiply(flat(signal), self.W, flat(out))

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε oᵀ over steps and samples."""
        multiply(flat(epsilon).T, flat(below), out)  # c5-w

    copies = 1


@dataclass(frozen=True)
class Linked:
    """A convolution, or weights behind pooling: a matrix product for the patches of a few images.

    These lie side by side on the last axis, so that what is added up is long pieces of memory.
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
            of_patches = self._matrix @ self._patches(x[some])  # p2-conv-x, p2-conv-image-x
            y[some] = of_patches.reshape(y.shape[1], -1).T

    def transpose(self, signal: Array, out: Array) -> None:
        """Add what each patch gets where it was cut out."""
        error, back = flat(signal), flat(out)
        for some in self._blocks(len(error)):
            image = self._images(self._matrix.T @ self._by_channel(error[some]), len(back[some]))
            back[some] = image.reshape(back.shape[1], -1).T

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε patchᵀ over positions, steps and samples."""
        error, x, found = flat(epsilon), flat(below), out.reshape(self._matrix.shape)
        found[...] = 0
        for some in self._blocks(len(x)):  # p2-conv-w, p2-conv-image-w
            found += self._by_channel(error[some]) @ self._patches(x[some]).T

    @cached_property
    def _matrix(self) -> Array:
        """A row of weights for each channel or neuron."""
        return self.W.reshape(len(self.W), -1)

    def _by_channel(self, rows: Array) -> Array:
        """Return the values of some images, (images, m), with a row for each channel."""
        return np.ascontiguousarray(rows.T).reshape(self.link.units, -1)

    def _patches(self, rows: Array) -> Array:
        """Return what the weights multiply of some images: a row for each weight of a neuron."""
        image = np.ascontiguousarray(rows.T).reshape(*self.link.source, -1)
        for one in self.link.maps:
            if isinstance(one, AveragePool):
                blocks = (image[:, a :: one.k, b :: one.k] for a, b in np.ndindex(one.k, one.k))
                image = sum(blocks, np.zeros((), image.dtype)) * (1 / one.k**2)  # p2-pool-x
            elif isinstance(one, Patches):
                channels, rows_, columns, images = image.shape
                h, w = rows_ - one.k + 1, columns - one.k + 1
                patches = np.empty((channels, one.k, one.k, h, w, images), image.dtype)
                for a, b in np.ndindex(one.k, one.k):
                    patches[:, a, b] = image[:, a : a + h, b : b + w]
                image = patches
        return image.reshape(self._matrix.shape[1], -1)

    def _images(self, patches: Array, images: int) -> Array:
        """Return what comes back to some images, from what comes back to their patches."""
        back = patches
        for one, shape in reversed([*zip(self.link.maps, self.link.shapes, strict=False)]):
            part, back = back, np.zeros((*shape, images), patches.dtype)
            if isinstance(one, Patches):
                h, w = shape[1] - one.k + 1, shape[2] - one.k + 1
                part = part.reshape(shape[0], one.k, one.k, h, w, images)
                for a, b in np.ndindex(one.k, one.k):  # p2-conv-delta, p2-conv-image-delta
                    back[:, a : a + h, b : b + w] += part[:, a, b]
            elif isinstance(one, AveragePool):
                for a, b in np.ndindex(one.k, one.k):  # p2-pool-delta
                    back[:, a :: one.k, b :: one.k] = part * (1 / one.k**2)
            else:
                back = part.reshape(back.shape)
        return back

    def _blocks(self, images: int) -> Iterator[slice]:
        """Yield slices of images whose patches stay in the cache."""
        size = max(1, PATCHES // max(map(math.prod, self.link.shapes)))
        return (slice(s, s + size) for s in range(0, images, size))


Weights = Dense | Linked
"""The linear map from one layer to the next, and its transpose."""
