"""Networks as papers write them, 28x28-15C5-P2-40C5-P2-300-10, and the parameters of such networks.

Sizes are written in one way everywhere: the input is ``784`` or an image, ``28x28`` or ``34x34x2``
(rows, columns, channels); ``15C5`` is a convolution with 15 channels and kernels of 5 × 5, ``P2``
average pooling by 2 of what the next layer reads, ``300`` a fully connected layer, and ``20R``, in
Part II, one with recurrent weights.

In memory, an image here is one row of n[n] = rows · columns · channels values, in this order, so
that it is a layer like any other. Part II keeps the axes of an image apart, channels first.
"""

from __future__ import annotations  # np.random is loaded where it is used

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import checks
from stbp_edu.network import Params, draw_weights

Image = tuple[int, int, int]
"""Rows, columns, channels."""

INPUT = re.compile(r"([1-9]\d*)(?:x([1-9]\d*)(?:x([1-9]\d*))?)?")
PART = re.compile(r"([1-9]\d*)(?:C([1-9]\d*)|(R))?|P([1-9]\d*)")


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


def read_input(name: str, text: str) -> tuple[int, ...]:
    """Return the input of a network from its sizes: (neurons,), or (rows, columns, channels).

    >>> read_input("sizes", "784"), read_input("sizes", "28x28"), read_input("sizes", "34x34x2")
    ((784,), (28, 28, 1), (34, 34, 2))
    """
    if not (found := INPUT.fullmatch(text)):
        raise ValueError(
            f"{name} must begin with the input, 784, 28x28 or 34x34x2 (rows, columns, channels), "
            f"got {text!r}; write for example 28x28-15C5-P2-300-10"
        )
    rows, columns, channels = found.groups()
    return (int(rows), int(columns), int(channels or 1)) if columns else (int(rows),)


def read_part(name: str, text: str, *, recurrent: bool = False) -> Part:
    """Return what one part of a network's sizes after the input says.

    Args:
        name: what to call the sizes in an error.
        text: such as ``"15C5"``, ``"P2"`` or ``"300"``.
        recurrent: whether ``"300R"`` is allowed.

    Raises:
        ValueError: if it is none of these.

    >>> read_part("hidden", "15C5")
    Part(units=15, kernel=5, recurrent=False, pool=0)
    """
    found = PART.fullmatch(text)
    if not found or (found[3] and not recurrent):
        kinds = "15C5, P2, 300 and 300R" if recurrent else "15C5, P2 and 300"
        raise ValueError(
            f"{name} must be made of parts such as {kinds}, got {text!r}; "
            "see stbp_edu.convolution for what each means"
        )
    units, kernel, again, pool = found.groups()
    return Part(int(units or 0), int(kernel or 0), bool(again), int(pool or 0))


def hidden_layer(name: str, text: str) -> int | str:
    """Return one hidden layer of the settings: a width, or a part such as 15C5, P2 or 64R.

    >>> hidden_layer("hidden", "300"), hidden_layer("hidden", "15C5")
    (300, '15C5')
    """
    part = read_part(name, text, recurrent=True)
    return part.units if text.isdecimal() else text


@dataclass(frozen=True)
class LayerShape:
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


def read_shape(shape: str) -> list[LayerShape]:
    """Return the layers 1..N of a network on an image, from its sizes as papers write them.

    Raises:
        ValueError: if a part is not understood, or does not fit the image below it.

    >>> [layer.shape for layer in read_shape("28x28-15C5-P2-40C5-P2-300-10")]
    [(24, 24, 15), (8, 8, 40), (1, 1, 300), (1, 1, 10)]
    """
    first, *parts = checks.instance("shape", shape, str).split("-")
    image = read_input("shape", first)
    if len(image) == 1 or not parts or parts[-1].startswith("P"):
        raise ValueError(
            f"shape must be an image, then layers, and end in a layer of neurons, got {shape!r}; "
            "write for example 28x28-15C5-P2-300-10"
        )
    below: Any = image
    layers: list[LayerShape] = []
    pool = 1
    for text in parts:
        part = read_part("shape", text)
        if part.pool:
            pool *= part.pool
            continue
        layers.append(LayerShape(below, part.units, part.kernel, pool))
        _check_fit(layers[-1], text)
        below, pool = layers[-1].shape, 1
    return layers


def _check_fit(layer: LayerShape, part: str) -> None:
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
    def layers(self) -> list[LayerShape]:
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


AnyParams = Params | ConvParams
"""The parameters of a network, with convolutions or without."""


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
