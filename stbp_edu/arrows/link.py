"""The weights of an arrow from layer to layer, or from a layer to its own next step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.arrows.maps import Map, Patches, Shape


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
        last = self.maps[-1]
        if isinstance(last, Patches):
            _, H, W = self.shapes[-2]
            return self.units, H - last.k + 1, W - last.k + 1
        return (self.units,)

    @cached_property
    def weight_shape(self) -> Shape:
        """The shape of its weights: (units, inputs), or (units, C, k, k)."""
        last = self.maps[-1]
        if isinstance(last, Patches):
            return self.units, self.shapes[-2][0], last.k, last.k
        return self.units, self.shapes[-1][1]

    def rows(self, x: Any) -> Any:
        """Return what the weights multiply: (..., rows, P)."""
        for one, shape in zip(self.maps, self.shapes, strict=False):
            x = one.forward(x, shape)
        return x

    def forward(self, x: Any, W: Any) -> Any:
        """Return W o: (..., *source) to (..., *shape)."""
        # p2-conv-x, p2-conv-image-x
        y = np.swapaxes(self.rows(x) @ W.reshape(self.units, -1).T, -1, -2)
        return y.reshape(*y.shape[:-2], *self.shape)

    def back(self, adjoint: Any, W: Any) -> Any:
        """Return Wᵀ adjoint: (..., *shape) to (..., *source)."""
        y = self._columns(adjoint) @ W.reshape(self.units, -1)
        for one, shape in reversed(list(zip(self.maps, self.shapes, strict=False))):
            y = one.transpose(y, shape)
        return y

    def gradient(self, adjoint: Any, x: Any) -> Any:
        """Return ∂L/∂W: adjoint times what came in, summed over all but the weights' axes."""
        A, X = self._columns(adjoint), self.rows(x)  # p2-conv-w, p2-conv-image-w
        product = np.tensordot(
            A.reshape(-1, A.shape[-1]), X.reshape(-1, X.shape[-1]), axes=((0,), (0,))
        )
        return product.reshape(self.weight_shape)

    def matrix(self, W: Any) -> Any:
        """Return the whole map as a matrix (outputs, inputs), for oracles and small networks."""
        size = math.prod(self.source)
        one = np.eye(size, dtype=int if W.dtype == object else W.dtype)
        return self.forward(one.reshape(size, *self.source), W).reshape(size, -1).T

    def _columns(self, adjoint: Any) -> Any:
        """Return an adjoint (..., *shape) as (..., rows, units)."""
        lead: Sequence[int] = adjoint.shape[: adjoint.ndim - len(self.shape)]
        return np.swapaxes(adjoint.reshape(*lead, self.units, -1), -1, -2)
