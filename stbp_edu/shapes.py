"""Shapes of networks with convolutions, as papers write them: 28x28-15C5-P2-40C5-P2-300-10.

An image of neurons has the axes (row, column, channel), in this order; laid out as one row of
n[n] = rows · columns · channels values, it is a layer like any other.
"""

import math
import re
from dataclasses import dataclass

from stbp_edu import checks

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


def hidden_layer(name: str, part: str) -> int | str:
    """Return one hidden layer of the settings: a width, or a part with a convolution or pooling.

    >>> hidden_layer("hidden", "300"), hidden_layer("hidden", "15C5")
    (300, '15C5')
    """
    units, kernel, pool = check_part(name, part)
    return part if kernel or pool else units


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
