"""Arrays by layer, ``W`` and ``b``: by name, side by side, and in parts to share out.

They are walked in chunks, so that scratch arrays are small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Gradients, Params

CHUNK = 32_768  # elements: all that a step of Adam touches fits in the cache
Tensors = Params | Gradients
"""Arrays by layer, ``W`` and ``b``."""
Part = tuple[int, int]
"""(i, k): the i-th, from 0, of k equal parts of the work; see :func:`share`."""

WHOLE: Part = (0, 1)


def tensors(of: Tensors) -> dict[str, Array]:
    """Return the arrays by name, layer after layer.

    >>> list(tensors(Params(W=[None, np.zeros((2, 1))], b=[None, np.zeros(2)])))
    ['W1', 'b1']
    """
    layers = range(1, len(of.W))
    return {f"{k}{n}": a for n in layers for k, a in (("W", of.W[n]), ("b", of.b[n]))}


def zeros_like(params: Params) -> Gradients:
    """Return zeros in the shape of the parameters."""
    for name, array in tensors(params).items():
        if not (array.flags.forc and array.flags.writeable):
            raise ValueError(
                f"params.{name} must be a writeable contiguous array, since it is changed in "
                "place; pass np.ascontiguousarray(...).copy()"
            )
    W, b = ([None, *(np.zeros_like(a) for a in of[1:])] for of in (params.W, params.b))
    return Gradients(W=W, b=b)


def clear(grads: Gradients) -> None:
    """Set a gradient to zero."""
    for array in tensors(grads).values():
        array[...] = 0


def share(length: int, part: Part) -> slice:
    """Return the i-th of k blocks of a length, for ``part`` = (i, k).

    >>> share(10, (1, 3))
    slice(3, 6, None)
    """
    i, k = part
    return slice(length * i // k, length * (i + 1) // k)


def laid(a: Array, *others: Array) -> list[Any]:
    """Return arrays of one shape with the axes as they lie in the first one's memory."""
    by_columns = not a.flags.c_contiguous
    return [x.T if by_columns else x for x in (a, *others)]


def chunks(part: Part, *groups: Tensors) -> Iterator[tuple[bool, list[Any]]]:
    """Walk arrays of the same shapes side by side; say whether each chunk is of a weight.

    All but the second group may be changed, and must lie in memory in the same way.
    ``part`` = (i, k) visits the i-th of k blocks of each alone, so that k processes can share.
    """
    for name, *arrays in zip(
        tensors(groups[0]), *(tensors(g).values() for g in groups), strict=True
    ):
        aligned = laid(*arrays)
        if not all(a.flags.c_contiguous for a in (*aligned[:1], *aligned[2:])):
            raise ValueError(
                f"{name} must lie in memory by rows or by columns in the optimizer's state as in "
                "the parameters; begin with the state that start() returns for them"
            )
        block = share(len(aligned[0]), part)
        flat = [a[block].reshape(-1) for a in aligned]
        for i in range(0, len(flat[0]), CHUNK):
            yield name.startswith("W"), [a[i : i + CHUNK] for a in flat]


def add_up(grads: Sequence[Gradients], part: Part = WHOLE) -> None:
    """Add all gradients to the first, in place."""
    for _, (total, *others) in chunks(part, *grads):
        for g in others:
            total += g
