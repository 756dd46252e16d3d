"""Linear maps and their transposes: dense, recurrent, convolution, average pooling.

Forward, an arrow with a linear map carries values; backward, its transpose carries adjoints. A
convolution goes back by spreading each adjoint over the patch that it saw (the same as correlating
with the kernel turned round), and an average by handing each pixel an equal share.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Shape = tuple[int, ...]


class Map(Protocol):
    """A fixed linear map on the last axes of an array."""

    def out(self, shape: Shape) -> Shape:
        """Return the shape that comes out; ValueError if none does."""

    def forward(self, x: Any, shape: Shape) -> Any:
        """Map values whose last axes have this shape."""

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Map adjoints back to what had this shape."""


def _image(shape: Shape, what: str) -> Shape:
    """Return the shape of an image, (channels, height, width)."""
    if len(shape) != 3:
        raise ValueError(f"{what} needs an image (channels, height, width), got shape {shape}")
    return shape


@dataclass(frozen=True)
class Flatten:
    """Anything (..., *shape) to one row of values (..., 1, P): what a dense layer sees."""

    def out(self, shape: Shape) -> Shape:
        """Return (1, P)."""
        return 1, math.prod(shape)

    def forward(self, x: Any, shape: Shape) -> Any:
        """Lay the values in one row."""
        return x.reshape(*x.shape[: x.ndim - len(shape)], 1, -1)

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
            raise ValueError(f"a kernel of {self.k} does not fit into an image of {H} × {W}")
        return (H - self.k + 1) * (W - self.k + 1), C * self.k * self.k

    def forward(self, x: Any, shape: Shape) -> Any:
        """Cut the patches out."""
        windows = sliding_window_view(x, (self.k, self.k), axis=(-2, -1))
        rows = np.moveaxis(windows, -5, -3)  # (..., H', W', C, k, k)
        H, W, C = rows.shape[-5:-2]
        return rows.reshape(*x.shape[:-3], H * W, C * self.k * self.k)

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Add each patch up where it was cut out."""
        C, H, W = shape
        k, h, w = self.k, H - self.k + 1, W - self.k + 1
        patches = y.reshape(*y.shape[:-2], h, w, C, k, k)
        image = np.zeros((*y.shape[:-2], C, H, W), y.dtype)
        for a, b in np.ndindex(k, k):  # p2-conv-delta, p2-conv-image-delta
            image[..., a : a + h, b : b + w] += np.moveaxis(patches[..., a, b], -1, -3)
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
            raise ValueError(f"average pooling by {self.k} does not divide an image of {H} × {W}")
        return C, H // self.k, W // self.k

    def forward(self, x: Any, shape: Shape) -> Any:
        """Average the blocks."""
        *lead, H, W = x.shape
        blocks = x.reshape(*lead, H // self.k, self.k, W // self.k, self.k)
        return blocks.sum(axis=(-3, -1)) * (1 / self.k**2)  # p2-pool-x

    def transpose(self, y: Any, shape: Shape) -> Any:
        """Give each pixel of a block an equal share."""
        # p2-pool-delta
        return np.repeat(np.repeat(y, self.k, axis=-2), self.k, axis=-1) * (1 / self.k**2)
