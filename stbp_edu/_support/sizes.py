"""A network's sizes as papers write them.

784-64R-10 or 28x28-15C5-P2-40C5-P2-300-10: the input is ``784`` or an image, ``28x28`` or
``34x34x2`` (rows, columns, channels); ``15C5`` is a convolution with 15 channels and kernels of
5 × 5, ``P2`` average pooling by 2 of what the next layer reads, ``300`` a fully connected layer,
and ``20R`` one with recurrent weights. In arrays, the channels of an image come first.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from stbp_edu._support.link import AveragePool, Flatten, Link, Patches, Shape

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
    rows, *others = read_input(name, first)
    shape: Shape = (others[1], rows, others[0]) if others else (rows,)
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
