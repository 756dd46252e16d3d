"""The quantities that a loss is differentiated by, and arrays with one entry for each of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.network import Adjoints, Gradients, Params


class Coordinate(NamedTuple):
    """One number of a network with a derivative of its own.

    Attributes:
        kind: "W", "b", "u" or "o".
        n: the layer.
        at: (i, j) for "W", (i,) for "b", (t, s, i) for "u" and "o".
    """

    kind: str
    n: int
    at: tuple[int, ...]


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
