"""The quantities that a loss is differentiated by, and arrays with one entry for each of them.

A node of the unrolled graph is such a quantity of one sample; a coordinate names its place in the
arrays of a batch. Both are in the order of the axes, ``U[n][t, s, i]``: layer, step, neuron.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.network import Adjoints, Gradients, Params


class Coordinate(NamedTuple):
    """One number in the arrays of a batch with a derivative of its own.

    Attributes:
        kind: "W", "b", "u" or "o".
        n: the layer.
        at: (i, j) for "W", (i,) for "b", (t, s, i) for "u" and "o".
    """

    kind: str
    n: int
    at: tuple[int, ...]


class Node(NamedTuple):
    """A quantity of one sample's network, unrolled. An index that its kind does not have is -1.

    Attributes:
        kind: "u" or "o" with n, t, i; "w" with n, i, j; "b" with n, i; or "L".
        n: the layer, from 1.
        t: the step, from 0.
        i: the neuron, from 0.
        j: the neuron below, from 0.
    """

    kind: str
    n: int = -1
    t: int = -1
    i: int = -1
    j: int = -1

    def coordinate(self, s: int = 0) -> Coordinate:
        """Return the place of this quantity in the arrays of a batch, in sample ``s``.

        >>> Node("o", n=2, t=1, i=0).coordinate()
        Coordinate(kind='o', n=2, at=(1, 0, 0))
        >>> Node("w", n=2, i=0, j=1).coordinate()
        Coordinate(kind='W', n=2, at=(0, 1))
        """
        places = {"w": ("W", (self.i, self.j)), "b": ("b", (self.i,))}
        kind, at = places.get(self.kind, (self.kind, (self.t, s, self.i)))
        return Coordinate(kind, self.n, at)


def shape_of(kind: str, n: int, params: Params, T: int, S: int) -> tuple[int, ...]:
    """Return the shape of all quantities of one kind in one layer."""
    parameters = {"W": params.W[n].shape, "b": params.b[n].shape}
    return parameters.get(kind, (T, S, params.sizes[n]))


def at_every_coordinate(
    derivative: Callable[[Coordinate], float], params: Params, T: int, S: int
) -> Adjoints:
    """Return every δ, every ε and both gradients, each entry by a call of ``derivative``.

    >>> params = Params(W=[None, np.zeros((1, 2))], b=[None, np.zeros(1)])
    >>> at_every_coordinate(lambda one: one.at[-1], params, T=1, S=1).gradients.W[1]
    array([[0., 1.]])
    """

    def layers(kind: str) -> list[Any]:
        """Return the derivatives by one kind of quantity, layer by layer."""
        arrays: list[Any] = [None]
        for n in range(1, params.N + 1):
            arrays.append(np.empty(shape_of(kind, n, params, T, S), params.dtype))
            for at in np.ndindex(*arrays[n].shape):
                arrays[n][at] = derivative(Coordinate(kind, n, at))
        return arrays

    return Adjoints(layers("o"), layers("u"), Gradients(W=layers("W"), b=layers("b")))
