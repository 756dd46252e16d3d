"""A network's sizes as papers write them, and its arrays by layer, by name or in chunks.

784-64R-10 or 28x28-15C5-P2-40C5-P2-300-10: the input is ``784`` or an image, ``28x28`` or
``34x34x2`` (rows, columns, channels); ``15C5`` is a convolution with 15 channels and kernels of
5 × 5, ``P2`` average pooling by 2 of what the next layer reads, ``300`` a fully connected layer,
and ``20R`` one with recurrent weights. In arrays, the channels of an image come first.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.forward_pass import Gradients, Params

INPUT = re.compile(r"([1-9]\d*)(?:x([1-9]\d*)(?:x([1-9]\d*))?)?")
PART = re.compile(r"([1-9]\d*)(?:C([1-9]\d*)|(R))?|P([1-9]\d*)")
NAME = re.compile(r"([WbR](?=\d)|\w+(?=\.))\.?(\d{1,4})")
CHUNK = 32_768  # elements: all that a step of Adam touches fits in the cache


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


def read_part(name: str, text: str) -> Part:
    """Return what one part of a network's sizes after the input says.

    Raises:
        ValueError: if it is none; ``name`` is what the error calls it.

    >>> read_part("hidden", "15C5")
    Part(units=15, kernel=5, recurrent=False, pool=0)
    """
    if not (found := PART.fullmatch(text)):
        raise ValueError(
            f"{name} must be made of parts such as 15C5, P2, 300 and 300R, got {text!r}; "
            "see stbp_edu.arrays for what each means"
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
            rows, columns = rows // part.pool, columns // part.pool
            continue
        read, k = (channels, rows, columns), part.kernel
        rows, columns = (rows - k + 1, columns - k + 1) if k else (1, 1)
        channels = part.units
        yield part, read, (channels, rows, columns)


def widths(shape: str) -> tuple[int, ...]:
    """Return how many neurons each layer has, and first how many inputs there are.

    >>> widths("28x28-15C5-P2-300R-10")
    (784, 8640, 300, 10)
    """
    inputs = math.prod(read_input("shape", shape.partition("-")[0]))
    return inputs, *(math.prod(own) for _, _, own in images(shape))


@dataclass(frozen=True)
class DerivedParams:
    """The parameters of derived neurons, whose layers may be recurrent or learn constants, too.

    Attributes:
        shape: such as ``784-64R-10`` or ``28x28-15C5-P2-300-10``.
        layers: N + 1 entries; ``layers[0]`` is None, ``layers[n]`` has the arrays of layer n by
            name: ``"W"``, ``"b"``, ``"R"`` and the constants that are learned.

    Raises:
        TypeError, ValueError: if an array is none of float32 or float64, or the dtypes are mixed.

    >>> layer = {"W": np.zeros((3, 2)), "b": np.zeros(3), "R": np.zeros((3, 3)), "tau": np.ones(())}
    >>> DerivedParams("2-3R", [None, layer]).sizes
    (2, 3)
    """

    shape: str
    layers: Sequence[Any]

    def __post_init__(self) -> None:
        """Check the arrays; the network that they are for checks their shapes."""
        checks.instance("shape", self.shape, str)
        layers = checks.instance("layers", self.layers, list)
        if (
            len(layers) < 2
            or layers[0] is not None
            or not all(
                isinstance(layer, dict) and {"W", "b"} <= {*layer}
                for layer in layers[1:]
            )
        ):
            raise ValueError(
                f"layers must be None, then a dictionary with W and b a layer, got "
                f"{checks.brief(layers)}"
            )
        dtype = None
        for name, array in tensors(self).items():
            axes = "(rows, columns), (neurons,) or ()"
            dtype = checks.array(name, array, axes, np.shape(array), dtype=dtype).dtype
        if len(self.shape.split("-")) - 1 - self.shape.count("P") != self.N:
            raise ValueError(
                f"layers must have an entry for each layer of {self.shape}, got {self.N}; give "
                "None, then a dictionary a layer"
            )

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.layers) - 1

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many neurons each layer has, (n[0], ..., n[N])."""
        return widths(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float type that a run with these parameters uses."""
        return np.dtype(self.layers[1]["W"].dtype)


Trained = Params | DerivedParams
"""The parameters of a network that is trained."""
Tensors = Trained | Gradients | Sequence[Any]
"""Arrays by layer: ``W`` and ``b``, or None and then a dictionary a layer."""


def check_params(params: object) -> None:
    """Raise TypeError if a value is no parameters of a network."""
    if not isinstance(params, DerivedParams):
        checks.instance("params", params, Params)


def by_layer(of: Tensors) -> list[Any]:
    """Return None, then a dictionary of the arrays of each layer by name."""
    if isinstance(of, Params | Gradients):
        return [
            None,
            *({"W": W, "b": b} for W, b in zip(of.W[1:], of.b[1:], strict=True)),
        ]
    return list(of.layers if isinstance(of, DerivedParams) else of)


def tensors(of: Tensors) -> dict[str, Array]:
    """Return the arrays by name, layer after layer: W1, b1, R1, and constants such as tau.1.

    >>> list(tensors(Params(W=[None, np.zeros((2, 1))], b=[None, np.zeros(2)])))
    ['W1', 'b1']
    """
    return {
        f"{name}{n}" if name in ("W", "b", "R") else f"{name}.{n}": array
        for n, layer in enumerate(by_layer(of)[1:], 1)
        for name, array in layer.items()
    }


def from_tensors(arrays: Mapping[str, Array]) -> list[Any]:
    """Return arrays by layer from those that :func:`tensors` names; each has weights and biases."""
    layers: dict[int, dict[str, Array]] = {}
    for name, array in arrays.items():
        if found := NAME.fullmatch(name):
            layers.setdefault(int(found[2]), {})[found[1]] = array
    numbers, read = range(1, len(layers) + 1), sum(map(len, layers.values()))
    known = layers and {*layers} == {*numbers} and read == len(arrays)
    if not (known and all({"W", "b"} <= {*of} for of in layers.values())):
        raise ValueError(
            f"it must hold W1, b1, ..., W[N], b[N], and has {sorted(arrays)}"
        )
    return [None, *(layers[n] for n in numbers)]


def hidden_of(params: Trained) -> tuple[int | str, ...]:
    """Return the hidden layers as the settings of a run name them.

    >>> layer = {"W": np.ones((3, 1)), "b": np.ones(3), "R": np.ones((3, 3))}
    >>> hidden_of(DerivedParams("1-3R-3", [None, layer, layer]))
    ('3R',)
    """
    if isinstance(params, Params):
        return params.sizes[1:-1]
    return tuple(hidden_layer("shape", part) for part in params.shape.split("-")[1:-1])


def zeros_like(params: Trained) -> Sequence[Any]:
    """Return zeros in the shape of the parameters, by layer."""
    for name, array in tensors(params).items():
        if not (array.flags.forc and array.flags.writeable):
            raise ValueError(
                f"params.{name} must be a writeable contiguous array, since it is changed in "
                "place; pass np.ascontiguousarray(...).copy()"
            )
    layers = by_layer(params)[1:]
    return [
        None,
        *({name: np.zeros_like(a) for name, a in layer.items()} for layer in layers),
    ]


def chunks(*groups: Tensors) -> Iterator[tuple[bool, list[Array]]]:
    """Yield chunks of arrays of the same shapes, side by side, and whether each is of a weight.

    The second group, the gradients, is read; the others may be changed, and lie in memory alike.
    """
    named = [tensors(group) for group in groups]
    for name in named[0]:
        arrays = [group[name] for group in named]
        # All with the axes as they lie in the first one's memory.
        aligned = arrays if arrays[0].flags.c_contiguous else [a.T for a in arrays]
        if not all(a.flags.c_contiguous for a in (*aligned[:1], *aligned[2:])):
            raise ValueError(
                f"{name} must lie in memory by rows or by columns in the optimizer's state as in "
                "the parameters; begin with the state that start() returns for them"
            )
        flat = [a.reshape(-1) for a in aligned]
        for i in range(0, len(flat[0]), CHUNK):
            yield name[0] in "WR" and "." not in name, [a[i : i + CHUNK] for a in flat]


@dataclass
class Workspace:
    """Buffers that are written again at each call, and made anew to grow or for another dtype.

    A trace or gradient computed in a workspace lives there: the next call with the same
    workspace overwrites it. Without one, each call makes new arrays.
    """

    _arrays: dict[tuple[str, int], Array] = field(
        default_factory=dict, init=False, repr=False
    )

    def array(
        self, name: str, n: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Array:
        """Return an array of this shape in the buffer ``name`` of layer ``n``."""
        found, size = self._arrays.get((name, n)), math.prod(shape)
        if found is None or found.size < size or found.dtype != dtype:
            found = self._arrays[name, n] = np.empty(size, dtype)
        return found[:size].reshape(shape)
