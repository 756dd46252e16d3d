"""The parameters of networks with convolutions and average pooling."""

from __future__ import annotations  # np.random is loaded where it is used

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.network import Params, draw_weights
from stbp_edu.shapes import Layer, hidden_layer, read_shape


@dataclass(frozen=True)
class ConvParams:
    """Weights and biases of a network of a given shape: as :class:`stbp_edu.Params`, but shared.

    The functions that know only fully connected networks refuse it by its type.

    Attributes:
        shape: such as ``28x28-15C5-P2-300-10``; see :func:`read_shape`.
        W: N + 1 entries; ``W[0]`` is None, ``W[n]`` has a row for each channel or neuron, with its
            weights in the order (row, column, channel) of what it reads.
        b: N + 1 entries; ``b[0]`` is None, ``b[n]`` has a bias for each channel or neuron.

    Raises:
        TypeError: if an entry is no array, is not float32 or float64, or the dtypes are mixed.
        ValueError: if an entry does not have the shape that the network asks for.

    >>> p = ConvParams("3x3-2C2-1", [None, np.ones((2, 4)), np.ones((1, 8))],
    ...                [None, np.zeros(2), np.zeros(1)])
    >>> p.sizes
    (9, 8, 1)
    """

    shape: str
    W: Sequence[Any]
    b: Sequence[Any]

    def __post_init__(self) -> None:
        """Check that the arrays are those of the shape."""
        for name, entries in (("W", self.W), ("b", self.b)):
            if len(entries) != len(self.layers) + 1 or entries[0] is not None:
                raise ValueError(
                    f"{name} must be [None, {name}[1], ..., {name}[{len(self.layers)}]] for "
                    f"{self.shape}, got {len(entries)} entries; give one for each layer"
                )
        dtype = None
        for n, layer in enumerate(self.layers, 1):
            size = (layer.units, layer.inputs)
            W = checks.array(f"W[{n}]", self.W[n], "(units, inputs)", size, dtype=dtype)
            dtype = W.dtype
            checks.array(f"b[{n}]", self.b[n], "(units,)", size[:1], dtype=dtype)

    @cached_property
    def layers(self) -> list[Layer]:
        """The layers 1..N."""
        return read_shape(self.shape)

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.layers)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many neurons each layer has, (n[0], ..., n[N])."""
        images = (self.layers[0].source, *(layer.shape for layer in self.layers))
        return tuple(map(math.prod, images))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float type that every computation with these parameters uses."""
        return self.W[1].dtype


Network = Params | ConvParams
"""The parameters of a network, with convolutions or without."""


def hidden_layers(params: Network) -> tuple[int | str, ...]:
    """Return the hidden layers as the settings of a run name them.

    >>> hidden_layers(init_conv_params("28x28-15C5-P2-300-10", np.random.default_rng(0)))
    ('15C5', 'P2', 300)
    """
    if isinstance(params, Params):
        return params.sizes[1:-1]
    return tuple(hidden_layer("shape", part) for part in params.shape.split("-")[1:-1])


def init_conv_params(
    shape: str,
    rng: np.random.Generator,
    dtype: Any = np.float64,
    *,
    scheme: str = "unit-rows",
    scale: float = 1.0,
) -> ConvParams:
    """Draw initial weights as :func:`stbp_edu.init_params` does; l is what a neuron reads.

    >>> init_conv_params("28x28-15C5-P2-10", np.random.default_rng(0)).W[1].shape
    (15, 25)
    """
    sizes = [(layer.inputs, layer.units) for layer in read_shape(shape)]
    return ConvParams(shape, *draw_weights(sizes, rng, dtype, scheme, scale))
