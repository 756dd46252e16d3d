"""Arrays by layer: ``W`` and ``b``, by name and chunk by chunk, and buffers to use again.

Chunks keep scratch arrays small; sections let several processes share the work.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams
from stbp_edu.network import Gradients, Params

CHUNK = 32_768  # elements: all that a step of Adam touches fits in the cache
Tensors = AnyParams | Gradients
"""Arrays by layer, ``W`` and ``b``."""
Section = tuple[int, int]
"""(i, k): the i-th, from 0, of k equal sections of an array; see :func:`section_of`."""

WHOLE: Section = (0, 1)


def tensors(of: Tensors) -> dict[str, Array]:
    """Return the arrays by name, layer after layer.

    >>> list(tensors(Params(W=[None, np.zeros((2, 1))], b=[None, np.zeros(2)])))
    ['W1', 'b1']
    """
    layers = range(1, len(of.W))
    return {f"{k}{n}": a for n in layers for k, a in (("W", of.W[n]), ("b", of.b[n]))}


def zeros_like(params: AnyParams) -> Gradients:
    """Return zeros in the shape of the parameters."""
    for name, array in tensors(params).items():
        if not (array.flags.forc and array.flags.writeable):
            raise ValueError(
                f"params.{name} must be a writeable contiguous array, since it is changed in "
                "place; pass np.ascontiguousarray(...).copy()"
            )
    W, b = ([None, *(np.zeros_like(a) for a in of[1:])] for of in (params.W, params.b))
    return Gradients(W=W, b=b)


def by_columns(params: Params) -> Params:
    """Return the parameters with the weights that leave one neuron side by side in memory.

    A training step takes the columns of the pixels that it keeps, and puts their gradient back: a
    column is then one piece of memory.
    """
    return Params(W=[None, *(np.asfortranarray(w) for w in params.W[1:])], b=params.b)


def section_of(length: int, section: Section) -> slice:
    """Return the indices of the i-th of k sections of a length, for ``section`` = (i, k).

    >>> section_of(10, (1, 3))
    slice(3, 6, None)
    """
    i, k = section
    return slice(length * i // k, length * (i + 1) // k)


def chunks(section: Section, *groups: Tensors) -> Iterator[tuple[bool, list[Array]]]:
    """Yield chunks of arrays of the same shapes, side by side, and whether each is of a weight.

    The second group is read and not changed: the gradients. The others may be changed. All must
    lie in memory in the same way. Only one
    section of each array is visited, so that several processes can share the work.
    """
    for name, *arrays in zip(
        tensors(groups[0]), *(tensors(g).values() for g in groups), strict=True
    ):
        # All with the axes as they lie in the first one's memory.
        aligned = arrays if arrays[0].flags.c_contiguous else [a.T for a in arrays]
        if not all(a.flags.c_contiguous for a in (*aligned[:1], *aligned[2:])):
            raise ValueError(
                f"{name} must lie in memory by rows or by columns in the optimizer's state as in "
                "the parameters; begin with the state that start() returns for them"
            )
        rows = section_of(len(aligned[0]), section)
        flat = [a[rows].reshape(-1) for a in aligned]
        for i in range(0, len(flat[0]), CHUNK):
            yield name.startswith("W"), [a[i : i + CHUNK] for a in flat]


def add_up(grads: Sequence[Gradients], section: Section = WHOLE) -> None:
    """Add all gradients to the first, in place."""
    for _, (total, *others) in chunks(section, *grads):
        for g in others:
            total += g


@dataclass
class Workspace:
    """Buffers that are written again at each call, and made anew to grow or for another dtype.

    A trace or gradient computed in a workspace lives there: the next call with the same
    workspace overwrites it. Without one, each call makes new arrays.
    """

    _arrays: dict[tuple[str, int], Array] = field(default_factory=dict, init=False, repr=False)

    def array(self, name: str, n: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return an array of this shape in the buffer ``name`` of layer ``n``."""
        found, size = self._arrays.get((name, n)), math.prod(shape)
        if found is None or found.size < size or found.dtype != dtype:
            found = self._arrays[name, n] = np.empty(size, dtype)
        return found[:size].reshape(shape)

    def like(self, name: str, n: int, other: Array) -> Array:
        """Return an array that lies in memory as another does, by rows or by columns."""
        if other.flags.c_contiguous:
            return self.array(name, n, other.shape, other.dtype)
        return self.array(name, n, other.T.shape, other.dtype).T
