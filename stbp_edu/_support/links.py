"""The links between layers: linear maps and their transposes, and sizes as papers write them.

Forward, a link carries values; backward, its transpose carries adjoints. A convolution goes back by
spreading each adjoint over the patch that was read (the same as correlating with the kernel
flipped), and an average by giving each pixel an equal share.

Sizes such as 784-64R-10 or 28x28-15C5-P2-40C5-P2-300-10 say which links a network has: the input is
``784`` or an image, ``28x28`` or ``34x34x2`` (rows, columns, channels); ``15C5`` is a convolution
with 15 channels and kernels of 5 × 5, ``P2`` average pooling by 2 of what the next layer reads,
``300`` a fully connected layer, and ``20R`` one with recurrent weights. In arrays, the channels of
an image come first.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stbp_edu._support import checks

Shape = tuple[int, ...]
INPUT = re.compile(r"([1-9]\d*)(?:x([1-9]\d*)(?:x([1-9]\d*))?)?")
PART = re.compile(r"([1-9]\d*)(?:C([1-9]\d*)|(R))?|P([1-9]\d*)")


def _image(shape: Shape, what: str) -> Shape:
    """Return the shape of an image, (channels, height, width)."""
    if len(shape) != 3:
        raise ValueError(
            f"{what} needs an image (channels, height, width), got shape {shape}"
        )
    return shape


@dataclass(frozen=True)
class Flatten:
    """Anything (..., *shape) to one column of values (..., P, 1): what a dense layer sees."""

    def out(self, shape: Shape) -> Shape:
        """Return (P, 1)."""
        return math.prod(shape), 1

    def forward(self, x: Any, shape: Shape) -> Any:
        """Lay the values in one column."""
        return x.reshape(*x.shape[: x.ndim - len(shape)], *self.out(shape))

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Give the column its shape again."""
        return y.reshape(*y.shape[:-2], *shape)


@dataclass(frozen=True)
class Patches:
    """An image (..., C, H, W) to its k × k patches, a column each: what a convolution sees.

    >>> Patches(2).out((3, 5, 5))
    (12, 16)
    """

    k: int

    def out(self, shape: Shape) -> Shape:
        """Return (C k², patches)."""
        C, H, W = _image(shape, f"a convolution with a kernel of {self.k}")
        if min(H, W) < self.k:
            raise ValueError(
                f"a kernel of {self.k} does not fit into an image of {H} × {W}"
            )
        return C * self.k**2, math.prod(self.places(shape))

    def places(self, shape: Shape) -> Shape:
        """Return in how many rows and columns the kernel fits into an image."""
        _, H, W = shape
        return H - self.k + 1, W - self.k + 1

    def forward(self, x: Any, shape: Shape) -> Any:
        """Cut the patches out."""
        windows = sliding_window_view(x, (self.k, self.k), axis=(-2, -1))
        patches = np.moveaxis(windows, (-2, -1), (-4, -3))  # (..., C, k, k, h, w)
        return patches.reshape(*x.shape[:-3], *self.out(shape))

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Add each patch up where it was cut out."""
        k = self.k
        h, w = self.places(shape)
        patches = y.reshape(*y.shape[:-2], shape[0], k, k, h, w)
        image = np.zeros((*y.shape[:-2], *shape), y.dtype)
        for a, b in np.ndindex(k, k):  # p2-conv-delta, p2-conv-image-delta
            image[..., a : a + h, b : b + w] += patches[..., a, b, :, :]
        return image


@dataclass(frozen=True)
class AveragePool:
    """An image to the averages of its k × k blocks.

    >>> AveragePool(2).forward(np.arange(4.0).reshape(1, 2, 2), (1, 2, 2))
    array([[[1.5]]])
    """

    k: int

    def out(self, shape: Shape) -> Shape:
        """Return (C, H/k, W/k)."""
        C, H, W = _image(shape, f"average pooling by {self.k}")
        if H % self.k or W % self.k:
            raise ValueError(
                f"average pooling by {self.k} does not divide an image of {H} × {W}"
            )
        return C, H // self.k, W // self.k

    def forward(self, x: Any, shape: Shape) -> Any:
        """Average the blocks."""
        shares = self._shares(shape, x)
        rows = x.reshape(-1, len(shares)) @ shares  # p2-pool-x
        return rows.reshape(*x.shape[:-3], *self.out(shape))

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Give each pixel of a block an equal share."""
        shares = self._shares(shape, y)
        rows = y.reshape(-1, shares.shape[1]) @ shares.T  # p2-pool-delta
        return rows.reshape(*y.shape[:-3], *shape)

    def _shares(self, shape: Shape, like: Any) -> Any:
        """Return the share of each pixel of k rows in each mean: (k W, W/k)."""
        dtype = np.result_type(like, np.float32)
        one_row = np.repeat(np.eye(shape[-1] // self.k, dtype=dtype), self.k, axis=0)
        return np.tile(one_row, (self.k, 1)) / self.k**2


Map = Flatten | Patches | AveragePool
"""A fixed linear map on the last axes of an array."""


@dataclass(frozen=True)
class Link:
    """Fixed maps, then a matrix of weights on every column: x_i = Σ_j w_ij o_j, and its transpose.

    Args:
        maps: ending in :class:`Flatten` (a dense layer) or :class:`Patches` (a convolution).
        source: the shape of what comes in.
        units: how many neurons a dense layer has, or how many channels a convolution.
        parameter: the name of its weights: ``"W"``, or ``"R"`` for recurrent ones.

    Raises:
        ValueError: if the shapes do not compose; it names the map.

    >>> from stbp_edu.arrows import AveragePool
    >>> Link((AveragePool(2), Patches(3)), (1, 8, 8), 5).shape
    (5, 2, 2)
    """

    maps: tuple[Map, ...]
    source: Shape
    units: int
    parameter: str = "W"

    def __post_init__(self) -> None:
        """Check the width."""
        checks.count("units", self.units, at_most=checks.WIDEST)

    @cached_property
    def shapes(self) -> list[Shape]:
        """The shapes before and after each map; the last one is (P, columns)."""
        shapes = [self.source]
        for one in self.maps:
            shapes.append(one.out(shapes[-1]))
        return shapes

    @cached_property
    def shape(self) -> Shape:
        """The shape of what comes out: (units,), or (units, H', W')."""
        image = self.shapes[-2]
        last = self.maps[-1]
        return (self.units, *(last.places(image) if isinstance(last, Patches) else ()))

    @cached_property
    def weight_shape(self) -> Shape:
        """The shape of its weights: (units, inputs), or (units, C, k, k)."""
        last = self.maps[-1]
        if isinstance(last, Patches):
            return self.units, self.shapes[-2][0], last.k, last.k
        return self.units, self.shapes[-1][0]

    def pooled(self, x: Any) -> Any:
        """Return what the last map reads: means, where pooling comes before the weights."""
        for pool, shape in zip(self.maps[:-1], self.shapes, strict=False):
            x = pool.forward(x, shape)
        return x

    def spread(self, y: Any) -> Any:
        """Return the transpose of :meth:`pooled`."""
        for k in reversed(range(len(self.maps) - 1)):
            y = self.maps[k].transpose(y, self.shapes[k])
        return y

    def columns(self, x: Any) -> Any:
        """Return the inputs that the weights multiply: (..., P, columns)."""
        return self.maps[-1].forward(self.pooled(x), self.shapes[-2])

    def forward(self, x: Any, W: Any) -> Any:
        """Return W o: (..., *source) to (..., *shape)."""
        columns = self.columns(x)
        y = W.reshape(self.units, -1) @ columns  # p2-conv-x, p2-conv-image-x
        return y.reshape(*y.shape[:-2], *self.shape)

    def back(self, adjoint: Any, W: Any) -> Any:
        """Return Wᵀ adjoint: (..., *shape) to (..., *source)."""
        lead = adjoint.shape[: adjoint.ndim - len(self.shape)]
        by_unit = adjoint.reshape(*lead, self.units, self.shapes[-1][1])
        y = W.reshape(self.units, -1).T @ by_unit
        return self.spread(self.maps[-1].transpose(y, self.shapes[-2]))

    def gradient(self, adjoint: Any, x: Any) -> Any:
        """Return ∂L/∂W: adjoint times what came in, summed over all but the weights' axes."""
        columns = self.columns(x)
        X = columns.reshape(-1, *columns.shape[-2:])
        A = adjoint.reshape(len(X), self.units, X.shape[2])
        if A.shape[2] == 1:
            found = A[..., 0].T @ X[..., 0]
        else:
            by_column = np.ascontiguousarray(np.swapaxes(A, 1, 2))
            found = (X @ by_column).sum(axis=0).T  # p2-conv-w, p2-conv-image-w
        return found.reshape(self.weight_shape)

    def matrix(self, W: Any) -> Any:
        """Return the whole map as a matrix (outputs, inputs), for oracles and small networks."""
        size = math.prod(self.source)
        dtype = int if W.dtype == object else W.dtype
        each_input = np.eye(size, dtype=dtype).reshape(size, *self.source)
        return self.forward(each_input, W).reshape(size, -1).T


class Part(NamedTuple):
    """One part of a network's sizes: a layer of neurons, or pooling of what the next layer reads.

    Attributes:
        units: channels, or neurons where it is fully connected; 0 for pooling.
        kernel: width of the kernel; 0 without a convolution.
        recurrent: whether the layer has recurrent weights.
        pool: width of the blocks that are pooled; 0 for a layer.
    """

    units: int
    kernel: int
    recurrent: bool
    pool: int


def read_input(name: str, text: str) -> Shape:
    """Return the shape of a network's input: (neurons,), or (channels, rows, columns).

    >>> read_input("sizes", "784"), read_input("sizes", "28x28"), read_input("sizes", "34x34x2")
    ((784,), (1, 28, 28), (2, 34, 34))
    """
    found = INPUT.fullmatch(text)
    if not found:
        raise ValueError(
            f"{name} must begin with the input, 784, 28x28 or 34x34x2 (rows, columns, channels), "
            f"got {text!r}; write for example 28x28-15C5-P2-300-10"
        )
    rows, columns, channels = found.groups()
    if not columns:
        return (int(rows),)
    return int(channels or 1), int(rows), int(columns)


def read_part(name: str, text: str) -> Part:
    """Return one part of a network's sizes after the input.

    Raises:
        ValueError: if it is not one; ``name`` is what the error calls it.

    >>> read_part("hidden", "15C5")
    Part(units=15, kernel=5, recurrent=False, pool=0)
    """
    found = PART.fullmatch(text)
    if not found:
        raise ValueError(
            f"{name} must be made of parts, got {text!r}: 15C5 is a convolution, 15 "
            "channels with kernels of 5 × 5, P2 pooling, 300 a layer, 300R a recurrent one"
        )
    units, kernel, again, pool = found.groups(default=0)
    return Part(int(units), int(kernel), bool(again), int(pool))


def hidden_layer(name: str, text: str) -> int | str:
    """Return one hidden layer of the settings: a width, or a part such as 15C5, P2 or 64R.

    >>> hidden_layer("hidden", "300"), hidden_layer("hidden", "15C5")
    (300, '15C5')
    """
    part = read_part(name, text)
    return part.units if text.isdecimal() else text


def read_links(
    name: str, sizes: Sequence[str]
) -> tuple[Shape, list[tuple[Link, Link | None]]]:
    """Return the shape of a network's input, and of each layer its weights and recurrent ones.

    Args:
        name: what an error calls the sizes.
        sizes: the parts, such as ``["28x28", "15C5", "P2", "10"]``.

    Raises:
        ValueError: if a part is not understood, or the shapes do not compose.

    >>> read_links("sizes", ["28x28", "15C5", "P2", "10"])[1][1][0].source
    (15, 24, 24)
    """
    first, *rest = sizes
    parts = [read_part(name, text) for text in rest]
    shape = read_input(name, first)
    if not parts or parts[-1].pool:
        raise ValueError(
            f"{name} must name at least one layer of neurons, and end in one, got "
            f"{'-'.join(sizes)!r}; write for example '784-800-10'"
        )
    links: list[tuple[Link, Link | None]] = []
    below, pools = shape, []
    for text, part in zip(rest, parts, strict=True):
        if part.pool:
            pools.append(AveragePool(part.pool))
            continue
        last = Patches(part.kernel) if part.kernel else Flatten()
        link = Link((*pools, last), below, part.units)
        try:
            own = link.shape
        except ValueError as error:
            raise ValueError(
                f"{name}: {text} must fit what it reads, of shape {below} (channels, rows, "
                f"columns), but {error}; sizes name the channels of an image last, as in 34x34x2"
            ) from None
        again = Link((Flatten(),), own, math.prod(own), "R") if part.recurrent else None
        links.append((link, again))
        below, pools = own, []
    return shape, links


def widths(shape: str) -> tuple[int, ...]:
    """Return how many neurons each layer has, and first how many inputs there are.

    >>> widths("28x28-15C5-P2-300R-10")
    (784, 8640, 300, 10)
    """
    inputs, links = read_links("shape", shape.split("-"))
    return math.prod(inputs), *(math.prod(link.shape) for link, _ in links)
