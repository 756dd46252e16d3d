"""The weights between two layers as linear maps: fully connected, convolution, average pooling.

Each takes arrays (T, S, m) and writes to one: ``forward`` carries spikes up, ``transpose`` carries
errors down, and ``gradient`` is the sum over all arrows that share a weight. A convolution is one
matrix product for the patches of a few images, which stay in the processor's cache.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from stbp_edu.arrays import Workspace
from stbp_edu.arrows.link import Link
from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams, LayerShape
from stbp_edu.engine.threads import multiply
from stbp_edu.network import Params

PATCHES = 2**19
"""Numbers in the patches that are cut out at a time: 2 MB in float32."""


class Weights(Protocol):
    """The linear map from one layer to the next, and its transpose."""

    def forward(self, below: Any, out: Array) -> None:
        """Write W o to ``out``."""

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err to ``out``."""

    def gradient(self, epsilon: Array, below: Any, out: Array) -> None:
        """Write ∂L/∂W to ``out``."""

    @property
    def copies(self) -> tuple[int, int]:
        """How often all biases follow each other in a layer, and each of them in turn."""


def weights_into(params: AnyParams, n: int, work: Workspace) -> Weights:
    """Return the map from layer n - 1 to layer n, with its buffers in ``work``."""
    if isinstance(params, Params):
        return Dense(params.W[n])
    layer, W = params.layers[n - 1], params.W[n]
    buffer = partial(_buffer, work, n, W.dtype)
    weights = Convolution(W, layer, buffer) if layer.kernel else Dense(W)
    return Pooled(weights, layer, buffer) if layer.pool > 1 else weights


def flat(a: Array) -> Array:
    """Return an array as a matrix with its last axis for columns, without a copy."""
    return a.reshape(-1, a.shape[-1])


def _buffer(
    work: Workspace, n: int, dtype: np.dtype[Any], name: str, shape: tuple[int, ...]
) -> Array:
    """Return a buffer of a layer."""
    return work.array(name, n, shape, dtype)


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

    copies = 1, 1


@dataclass(frozen=True)
class Convolution:
    """Kernels that move over an image: W on every patch.

    Args:
        W: shape (channels, k · k · channels below).
        layer: the image that it reads, and the width k of the kernel.
        buffer: from a name and a shape to an array to use again.
    """

    W: Array
    layer: LayerShape
    buffer: Any

    def forward(self, below: Array, out: Array) -> None:
        """Write W on each patch."""
        x = flat(below)
        u = out.reshape(len(x), -1, self.layer.units)
        for some in self._blocks(len(x)):
            patches = self._patches(x[some])
            np.matmul(patches, self.W.T, out=flat(u[some]))  # p2-conv-x, p2-conv-image-x

    def transpose(self, signal: Array, out: Array) -> None:
        """Add what each patch gets where it was cut out.

        With the images side by side on the last axis, all that is added is long pieces of memory.
        """
        (rows, columns, channels), k = self.layer.read, self.layer.kernel
        up, down, _ = self.layer.shape
        error, back = signal.reshape(-1, up * down, self.layer.units), flat(out)
        for some in self._blocks(len(back)):
            m = len(back[some])
            last = self.buffer("last", (self.layer.units, up * down, m))
            last[...] = error[some].transpose(2, 1, 0)
            patches = self.buffer("patches", (k * k * channels, up * down * m))
            np.matmul(self.W.T, last.reshape(len(last), -1), out=patches)
            parts = patches.reshape(k, k, channels, up, down * m)
            image = self.buffer("image", (channels, rows, columns * m))
            image[...] = 0
            for a, b in np.ndindex(k, k):  # p2-conv-delta, p2-conv-image-delta
                image[:, a : a + up, b * m : (b + down) * m] += parts[a, b]
            turned = image.reshape(channels, rows * columns, m).transpose(2, 1, 0)
            back[some].reshape(turned.shape)[...] = turned

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write Σ ε patchᵀ over positions, steps and samples."""
        x = flat(below)
        error = epsilon.reshape(len(x), -1, self.layer.units)
        added = self.buffer("added", out.shape)
        out[...] = 0
        for some in self._blocks(len(x)):
            np.matmul(flat(error[some]).T, self._patches(x[some]), out=added)
            out += added  # p2-conv-w, p2-conv-image-w

    @property
    def copies(self) -> tuple[int, int]:
        """The channels lie side by side at each place."""
        return math.prod(self.layer.shape[:2]), 1

    def _patches(self, x: Array) -> Array:
        """Return all patches of images as a matrix, a patch a row."""
        (_, columns, channels), k = self.layer.read, self.layer.kernel
        up, down, _ = self.layer.shape
        size = x.strides[1]  # in memory, from one value of an image to the next
        pixel, line = channels * size, columns * channels * size
        windows = np.lib.stride_tricks.as_strided(
            x,
            (len(x), up, down, k, k * channels),  # the last: k pixels side by side
            (x.strides[0], line, pixel, line, size),
        )
        patches = self.buffer("patches", windows.shape)
        patches[...] = windows
        return patches.reshape(len(x) * up * down, -1)

    def _blocks(self, images: int) -> Iterator[slice]:
        """Yield slices of images whose patches stay in the cache."""
        up, down, _ = self.layer.shape
        size = max(1, PATCHES // (up * down * self.layer.inputs))
        return (slice(s, s + size) for s in range(0, images, size))


@dataclass(frozen=True)
class Pooled:
    """Means of blocks of the image below, then weights.

    Args:
        weights: what the means are read with.
        layer: the image below, and the width of a block.
        buffer: from a name and a shape to an array to use again.
    """

    weights: Any
    layer: LayerShape
    buffer: Any

    def forward(self, below: Array, out: Array) -> None:
        """Write W on the means."""
        self.weights.forward(self._means(below), out)

    def transpose(self, signal: Array, out: Array) -> None:
        """Hand each neuron of a block its share of what its mean gets."""
        (rows, columns, channels), k = self.layer.read, self.layer.pool
        T, S, _ = out.shape
        back = self.buffer("means", (T, S, math.prod(self.layer.read)))
        self.weights.transpose(signal, back)
        back *= 1 / k**2
        line = self.buffer("line", (T * S * rows, columns, k, channels))
        line[...] = back.reshape(-1, columns, 1, channels)
        whole = out.reshape(T * S * rows, k, -1)
        whole[...] = line.reshape(len(line), 1, -1)  # p2-pool-delta

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write the gradient of the weights, which met the means."""
        self.weights.gradient(epsilon, self._means(below), out)

    @property
    def copies(self) -> tuple[int, int]:
        """Those of what reads the means."""
        return self.weights.copies

    def _means(self, below: Array) -> Array:
        """Return the means of all blocks, (T, S, m)."""
        (rows, _, channels), k = self.layer.read, self.layer.pool
        T, S, _ = below.shape
        lines = below.reshape(T * S * rows, k, -1)
        line = self.buffer("line", (len(lines), lines.shape[2]))
        _sum(lines, line)
        means = self.buffer("means", (T, S, math.prod(self.layer.read)))
        _sum(line.reshape(-1, k, channels), means.reshape(-1, channels))
        means *= 1 / k**2  # p2-pool-x
        return means


@dataclass(frozen=True)
class Linked:
    """The weights of Part II, whose images have their channels first."""

    W: Array
    link: Link

    def forward(self, below: Array, out: Array) -> None:
        """Write W o."""
        images = below.reshape(*below.shape[:2], *self.link.source)
        out[...] = self.link.forward(images, self.W).reshape(out.shape)

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err."""
        images = signal.reshape(*signal.shape[:2], *self.link.shape)
        out[...] = self.link.back(images, self.W).reshape(out.shape)

    def gradient(self, epsilon: Array, below: Array, out: Array) -> None:
        """Write ∂L/∂W."""
        images = epsilon.reshape(*epsilon.shape[:2], *self.link.shape)
        out[...] = self.link.gradient(images, below.reshape(*below.shape[:2], *self.link.source))

    @property
    def copies(self) -> tuple[int, int]:
        """The neurons of a channel lie side by side."""
        return 1, math.prod(self.link.shape[1:])


def _sum(blocks: Array, out: Array) -> None:
    """Write the sum over the second axis, which is short."""
    np.add(blocks[:, 0], blocks[:, 1], out=out)
    for i in range(2, blocks.shape[1]):
        out += blocks[:, i]
