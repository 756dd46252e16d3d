"""Arrays of all layers at once: zeros, chunks side by side, and buffers to use again."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.parameters import LayerArrays, by_layer, named_arrays

CHUNK = 32_768  # elements: all that a step of Adam touches fits in the cache
CACHE_LINE = 64  # bytes that a processor reads at once


def at_cache_line(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array whose first entry begins a cache line; its entries are not set.

    Adding up rows is then a quarter faster: no eight numbers lie across two lines.
    """
    size = math.prod(shape) * dtype.itemsize
    room = np.empty(size + CACHE_LINE, np.uint8)
    start = -room.__array_interface__["data"][0] % CACHE_LINE
    return room[start : start + size].view(dtype).reshape(shape)


def zeros_like(params: LayerArrays) -> Sequence[Any]:
    """Return zeros in the shape of the parameters, by layer."""
    for name, array in named_arrays(params).items():
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


def chunks(*groups: LayerArrays) -> Iterator[tuple[bool, list[Array]]]:
    """Yield chunks of arrays of the same shapes, side by side, and whether each is of a weight.

    The second group, the gradients, is read; the others may be changed, and lie in memory alike.
    """
    named = [named_arrays(group) for group in groups]
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
    """Buffers reused across calls, reallocated for a larger size or another dtype.

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
        size = math.prod(shape)
        buffer = self._arrays.get((name, n))
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = at_cache_line((size,), dtype)
            self._arrays[name, n] = buffer
        return buffer[:size].reshape(shape)
