"""The factors of all arrows as letters, so the recursion gives polynomials to compare."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.links import Shape
from stbp_edu.arrows.adjoints import Factors, LocalDerivatives
from stbp_edu.arrows.arrow import placed
from stbp_edu.arrows.table import LayerParams, Table

Monomial = tuple[str, ...]


class Polynomial:
    """A polynomial in letters; two are equal when their coefficients are.

    >>> a, b = Polynomial.letter("a"), Polynomial.letter("b")
    >>> (a + b) * (a + b) - a * a == 2 * a * b + b * b
    True
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Iterable[tuple[Monomial, Any]]) -> None:
        """Add up the coefficients of each monomial, and keep those that are not 0."""
        total: dict[Monomial, Any] = {}
        for monomial, c in terms:
            total[monomial] = total.get(monomial, 0) + c
        self.terms = {monomial: c for monomial, c in total.items() if c != 0}

    @classmethod
    def letter(cls, name: str) -> "Polynomial":
        """Return one letter."""
        return cls([((name,), 1)])

    @classmethod
    def _of(cls, value: Any) -> "Polynomial":
        """Return a polynomial, or a number as one."""
        if isinstance(value, Polynomial):
            return value
        return cls([((), value)])

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        added = self._of(other)
        return Polynomial([*self.terms.items(), *added.terms.items()])

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        pairs = product(self.terms.items(), self._of(other).terms.items())
        return Polynomial((tuple(sorted(m + k)), c * d) for (m, c), (k, d) in pairs)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, number: int) -> Any:
        return self * Fraction(1, number)

    def __neg__(self) -> "Polynomial":
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __eq__(self, other: object) -> bool:
        own = self._of(other)
        return self.terms == own.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __repr__(self) -> str:
        terms = [f"{c}·{'·'.join(letters)}" for letters, c in self.terms.items()]
        return " + ".join(terms) or "0"


def letters(
    net: Table, T: int, letter: Callable[[str], Any] = Polynomial.letter
) -> LocalDerivatives:
    """Return every factor as letters, for one sample; indices count from 1, as on paper.

    ``letter``: what makes a letter of its name; ``sympy.Symbol`` works as well.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, lambdas, network
    >>> local = letters(network("1-1", hard_reset(LIF())), T=2)
    >>> lambdas(local)[1]["o", "all"][1, 0, 0]
    1·∂L/∂o_{1}^{2,1}
    """
    T = checks.count("T", T, at_most=1000)
    factors: Factors = [{}]
    params: LayerParams = [None]
    outputs = [letter_array((T, 1, *net.shape), "o{}", 0, letter)]
    for n, layer in enumerate(net.layers[1:], 1):
        neuron = layer.neuron
        shape = (T, 1, *layer.link.shape)
        table = {}
        for arrow in neuron.arrows:
            table[arrow.kind, False] = letter_array(shape, arrow.letters, n, letter)
            if arrow.kind == "carry":
                silent = arrow.under(("carry",))
                table[arrow.kind, True] = letter_array(shape, silent.letters, n, letter)
        factors.append(table)
        shapes = layer.shapes.items()
        params.append(
            {name: _weights(size, name.lower(), n, letter) for name, size in shapes}
        )
        outputs.append(letter_array(shape, f"{neuron.output}{{}}", n, letter))
    slope = f"∂L/∂{net.loss.state}{{}}"
    direct = letter_array(outputs[-1].shape, slope, net.N, letter)
    direct[: net.loss.steps(T).start] = 0
    return LocalDerivatives(net, factors, params, direct, outputs)


def _weights(shape: Shape, name: str, n: int, letter: Callable[[str], Any]) -> Any:
    """Return a letter for each entry of a parameter, such as ``w_{12}^{1}``."""
    array = np.empty(shape, object)
    between = "," if max(shape, default=0) > 9 else ""
    for at in np.ndindex(shape):
        index = between.join(str(k + 1) for k in at)
        array[at] = letter(f"{name}_{{{index}}}^{{{n}}}")
    return array


def letter_array(shape: Shape, text: str, n: int, letter: Callable[[str], Any]) -> Any:
    """Return a factor such as ``u{} f'(o{})`` of layer n, for each index (t, 0, *i) of a shape."""
    sign = -1 if text.startswith("-") else 1
    names = _apart(text.removeprefix("-"))
    array = np.empty(shape, object)
    for at in np.ndindex(shape):
        i = int(np.ravel_multi_index(at[2:], shape[2:])) + 1
        index = [
            f"_{{{i}}}^{{{at[0] + when},{n}}}" for when in (1, 2, 0)
        ]  # now, +1, and -1
        factors = [letter(placed(name, index.__getitem__)) for name in names]
        array[at] = math.prod(factors, start=sign)
    return array


def _apart(text: str) -> list[str]:
    """Return the letters of a factor, split at the spaces outside brackets."""
    found = [""]
    depth = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == " " and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [letter for letter in found if letter]
