"""A network's sizes as papers write them.

784-64R-10 or 28x28-15C5-P2-40C5-P2-300-10: the input is ``784`` or an image, ``28x28`` or
``34x34x2`` (rows, columns, channels); ``15C5`` is a convolution with 15 channels and kernels of
5 × 5, ``P2`` average pooling by 2 of what the next layer reads, ``300`` a fully connected layer,
and ``20R`` one with recurrent weights. In arrays, the channels of an image come first.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

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
    found = INPUT.fullmatch(text)
    if not found:
        raise ValueError(
            f"{name} must begin with the input, 784, 28x28 or 34x34x2 (rows, columns, channels), "
            f"got {text!r}; write for example 28x28-15C5-P2-300-10"
        )
    rows, columns, channels = found.groups()
    if not columns:
        return (int(rows),)
    return int(rows), int(columns), int(channels or 1)


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


def images(
    shape: str,
) -> Iterator[tuple[Part, tuple[int, int, int], tuple[int, int, int]]]:
    """Yield each layer of neurons, the image that it reads, pooled, and its own.

    An image is (channels, rows, columns); one of a fully connected layer has a single pixel.

    >>> [own for _, _, own in images("28x28-15C5-P2-40C5-P2-300-10")]
    [(15, 24, 24), (40, 8, 8), (300, 1, 1), (10, 1, 1)]
    """
    first, *parts = shape.split("-")
    given = read_input("shape", first)
    rows, columns, channels = given if len(given) == 3 else (1, 1, *given)
    for text in parts:
        part = read_part("shape", text)
        if part.pool:
            rows = rows // part.pool
            columns = columns // part.pool
            continue
        read = channels, rows, columns
        channels = part.units
        if part.kernel:
            rows = rows - part.kernel + 1
            columns = columns - part.kernel + 1
        else:
            rows = columns = 1
        yield part, read, (channels, rows, columns)


def widths(shape: str) -> tuple[int, ...]:
    """Return how many neurons each layer has, and first how many inputs there are.

    >>> widths("28x28-15C5-P2-300R-10")
    (784, 8640, 300, 10)
    """
    first, _, _ = shape.partition("-")
    inputs = math.prod(read_input("shape", first))
    return inputs, *(math.prod(own) for _, _, own in images(shape))
