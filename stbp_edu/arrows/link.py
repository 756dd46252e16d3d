"""Linear maps and their transposes: the weights of an arrow, with what comes before them.

Forward, an arrow with a linear map carries values; backward, its transpose carries adjoints. A
convolution goes back by spreading each adjoint over the patch that was read (the same as
correlating with the kernel flipped), and an average by giving each pixel an equal share.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stbp_edu._support import checks

Shape = tuple[int, ...]


def _image(shape: Shape, what: str) -> Shape:
    """Return the shape of an image, (channels, height, width)."""
    if len(shape) != 3:
        raise ValueError(
            f"{what} needs an image (channels, height, width), got shape {shape}"
        )
    return shape


@dataclass(frozen=True)
class Flatten:
    """Anything (..., *shape) to one row of values (..., 1, P): what a dense layer sees."""

    def out(self, shape: Shape) -> Shape:
        """Return (1, P)."""
        return 1, math.prod(shape)

    def forward(self, x: Any, shape: Shape) -> Any:
        """Lay the values in one row."""
        return x.reshape(*x.shape[: x.ndim - len(shape)], *self.out(shape))

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Give the row its shape again."""
        return y.reshape(*y.shape[:-2], *shape)


@dataclass(frozen=True)
class Patches:
    """An image (..., C, H, W) to its k × k patches, a row each: what a convolution sees.

    >>> Patches(2).out((3, 5, 5))
    (16, 12)
    """

    k: int

    def out(self, shape: Shape) -> Shape:
        """Return (patches, C k²)."""
        C, H, W = _image(shape, f"a convolution with a kernel of {self.k}")
        if min(H, W) < self.k:
            raise ValueError(
                f"a kernel of {self.k} does not fit into an image of {H} × {W}"
            )
        return math.prod(self.places(shape)), C * self.k**2

    def places(self, shape: Shape) -> Shape:
        """Return in how many rows and columns the kernel fits into an image."""
        _, H, W = shape
        return H - self.k + 1, W - self.k + 1

    def forward(self, x: Any, shape: Shape) -> Any:
        """Cut the patches out."""
        windows = sliding_window_view(x, (self.k, self.k), axis=(-2, -1))
        rows = np.moveaxis(windows, -5, -3)  # (..., H', W', C, k, k)
        return rows.reshape(*x.shape[:-3], *self.out(shape))

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Add each patch up where it was cut out."""
        k = self.k
        lead = y.shape[:-2]
        h, w = self.places(shape)
        patches = y.reshape(*lead, h, w, shape[0], k, k)
        by_channel = np.moveaxis(patches, -3, -5)  # (..., C, h, w, k, k)
        image = np.zeros((*lead, *shape), y.dtype)
        for a, b in np.ndindex(k, k):  # p2-conv-delta, p2-conv-image-delta
            image[..., a : a + h, b : b + w] += by_channel[..., a, b]
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
    """Fixed maps, then a matrix of weights on every row: x_i = Σ_j w_ij o_j, and its transpose.

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
        """The shapes before and after each map; the last one is (rows, P)."""
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
        return self.units, self.shapes[-1][1]

    def rows(self, x: Any) -> Any:
        """Return the inputs that the weights multiply: (..., rows, P)."""
        for one, shape in zip(self.maps, self.shapes, strict=False):
            x = one.forward(x, shape)
        return x

    def forward(self, x: Any, W: Any) -> Any:
        """Return W o: (..., *source) to (..., *shape)."""
        by_row = (
            self.rows(x) @ W.reshape(self.units, -1).T
        )  # p2-conv-x, p2-conv-image-x
        y = np.swapaxes(by_row, -1, -2)
        return y.reshape(*y.shape[:-2], *self.shape)

    def back(self, adjoint: Any, W: Any) -> Any:
        """Return Wᵀ adjoint: (..., *shape) to (..., *source)."""
        y = self._columns(adjoint) @ W.reshape(self.units, -1)
        for k in reversed(range(len(self.maps))):
            y = self.maps[k].transpose(y, self.shapes[k])
        return y

    def gradient(self, adjoint: Any, x: Any) -> Any:
        """Return ∂L/∂W: adjoint times what came in, summed over all but the weights' axes."""
        columns = self._columns(adjoint)
        rows = self.rows(x)
        A = columns.reshape(-1, columns.shape[-1])
        X = rows.reshape(-1, rows.shape[-1])
        return (A.T @ X).reshape(self.weight_shape)  # p2-conv-w, p2-conv-image-w

    def matrix(self, W: Any) -> Any:
        """Return the whole map as a matrix (outputs, inputs), for oracles and small networks."""
        size = math.prod(self.source)
        dtype = int if W.dtype == object else W.dtype
        each_input = np.eye(size, dtype=dtype).reshape(size, *self.source)
        return self.forward(each_input, W).reshape(size, -1).T

    def _columns(self, adjoint: Any) -> Any:
        """Return an adjoint (..., *shape) as (..., rows, units)."""
        lead = adjoint.shape[: adjoint.ndim - len(self.shape)]
        by_unit = adjoint.reshape(*lead, self.units, math.prod(self.shape[1:]))
        return np.swapaxes(by_unit, -1, -2)
