"""Networks with convolutions and average pooling: their shape, and their parameters.

An image of neurons has the axes (row, column, channel), in this order; laid out as one row of
n[n] = rows · columns · channels values, it is a layer like any other.
"""

from __future__ import annotations  # np.random is loaded where it is used

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.network import Params, draw_weights

Image = tuple[int, int, int]
"""Rows, columns, channels."""

PART = re.compile(r"([1-9]\d*)(?:C([1-9]\d*))?|P([1-9]\d*)")
IMAGE = re.compile(r"([1-9]\d*)x([1-9]\d*)(?:x([1-9]\d*))?")


@dataclass(frozen=True)
class Layer:
    """What one layer of neurons reads, and how.

    Attributes:
        source: the image below.
        units: its channels, or its neurons where it is fully connected.
        kernel: width of the kernel, which moves by one pixel; 0: fully connected.
        pool: width of the blocks of the image below whose means it reads.
    """

    source: Image
    units: int
    kernel: int = 0
    pool: int = 1

    @property
    def read(self) -> Image:
        """The image after pooling."""
        rows, columns, channels = self.source
        return rows // self.pool, columns // self.pool, channels

    @property
    def shape(self) -> Image:
        """The image of its own neurons; one pixel with many channels if fully connected."""
        rows, columns, _ = self.read
        k = self.kernel
        return (rows - k + 1, columns - k + 1, self.units) if k else (1, 1, self.units)

    @property
    def inputs(self) -> int:
        """How many weights a neuron has; in a convolution by row, column and channel below."""
        return self.kernel**2 * self.read[2] if self.kernel else math.prod(self.read)


def read_shape(shape: str) -> list[Layer]:
    """Return the layers 1..N of a network from its shape as papers write it.

    Args:
        shape: an image, ``28x28`` or ``34x34x2`` (rows, columns, channels); then ``15C5`` for a
            convolution with 15 channels and kernels of 5 × 5, ``P2`` for average pooling by 2 of
            what the next layer reads, and ``300`` for a fully connected layer.

    Raises:
        ValueError: if a part is not understood, or does not fit the image below it.

    >>> [layer.shape for layer in read_shape("28x28-15C5-P2-40C5-P2-300-10")]
    [(24, 24, 15), (8, 8, 40), (1, 1, 300), (1, 1, 10)]
    """
    first, *parts = checks.instance("shape", shape, str).split("-")
    if not (found := IMAGE.fullmatch(first)) or not parts or parts[-1].startswith("P"):
        raise ValueError(
            f"shape must be an image, then layers, and end in a layer of neurons, got {shape!r}; "
            "write for example 28x28-15C5-P2-300-10"
        )
    below: Image = (int(found[1]), int(found[2]), int(found[3] or 1))
    layers: list[Layer] = []
    pool = 1
    for part in parts:
        units, kernel, by = check_part("shape", part)
        if by:
            pool *= by
            continue
        layers.append(Layer(below, units, kernel, pool))
        _check_fit(layers[-1], part)
        below, pool = layers[-1].shape, 1
    return layers


def check_part(name: str, part: str) -> tuple[int, int, int]:
    """Return units, kernel and pooling of one part of a shape, 0 where it has none.

    >>> check_part("hidden", "15C5"), check_part("hidden", "P2")
    ((15, 5, 0), (0, 0, 2))
    """
    found = PART.fullmatch(part)
    if not found:
        raise ValueError(
            f"{name} must be made of parts such as 15C5, P2 and 300, got {part!r}; see read_shape"
        )
    units, kernel, pool = (int(digits or 0) for digits in found.groups())
    return units, kernel, pool


def _check_fit(layer: Layer, part: str) -> None:
    """Raise ValueError where blocks or kernels do not fit the image that a layer reads."""
    rows, columns, _ = layer.source
    if rows % layer.pool or columns % layer.pool:
        raise ValueError(
            f"shape: P{layer.pool} before {part} must divide the image below, {rows} x {columns}; "
            "choose another kernel or pooling"
        )
    if min(layer.shape) < 1:
        rows, columns, _ = layer.read
        raise ValueError(
            f"shape: {part} must fit the image that it reads, {rows} x {columns}; choose a smaller "
            "kernel"
        )


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
    return tuple(int(p) if p.isdigit() else p for p in params.shape.split("-")[1:-1])


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
