"""The factors of all arrows as letters, so the recursion gives polynomials to compare."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows.adjoints import Factors, LocalDerivatives
from stbp_edu.arrows.link import Shape
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.arrows.table import placed

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
        return value if isinstance(value, Polynomial) else cls([((), value)])

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        return Polynomial([*self.terms.items(), *self._of(other).terms.items()])

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        pairs = product(self.terms.items(), self._of(other).terms.items())
        return Polynomial((tuple(sorted(m + k)), c * d) for (m, c), (k, d) in pairs)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, number: int) -> Any:
        return self * Fraction(1, number)

    def __neg__(self) -> "Polynomial":
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __eq__(self, other: object) -> bool:
        return self.terms == self._of(other).terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __repr__(self) -> str:
        return " + ".join(f"{c}·{'·'.join(m)}" for m, c in self.terms.items()) or "0"


def letters(
    net: Network, T: int, letter: Callable[[str], Any] = Polynomial.letter
) -> LocalDerivatives:
    """Return every factor as letters, for one sample; indices count from 1, as on paper.

    ``letter``: what makes a letter of its name; ``sympy.Symbol`` works as well.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, lambdas, network
    >>> local = letters(network("1-1", hard_reset(LIF())), T=2)
    >>> lambdas(local)[1]["o", "all"][1, 0, 0]
    1·∂L/∂o_{1}^{2,1}
    """
    checks.instance("net", net, Network)
    try:
        _ = 1 * letter("u") * letter("w") + letter("u")
    except TypeError:
        raise TypeError(
            f"letter must make of a name what can be added and multiplied, got "
            f"{checks.brief(letter)}; see Polynomial.letter"
        ) from None

    def weight(shape: Shape, name: str, n: int) -> Any:
        """Return a letter for each entry of a parameter, such as ``w_{12}^{1}``."""
        array, apart = np.empty(shape, object), "," if max(shape, default=0) > 9 else ""
        for at in np.ndindex(shape):
            array[at] = letter(
                f"{name}_{{{apart.join(str(k + 1) for k in at)}}}^{{{n}}}"
            )
        return array

    factor = partial(letter_array, letter=letter)
    return tabulated(net, checks.count("T", T, at_most=1000), factor, weight)


def letter_array(shape: Shape, text: str, n: int, letter: Callable[[str], Any]) -> Any:
    """Return a factor such as ``u{} f'(o{})`` of layer n, for each index (t, 0, *i) of a shape."""
    names, sign = _apart(text.removeprefix("-")), -1 if text.startswith("-") else 1
    array = np.empty(shape, object)
    for at in np.ndindex(shape):
        i = int(np.ravel_multi_index(at[2:], shape[2:])) + 1
        index = {later: f"_{{{i}}}^{{{at[0] + 1 + later},{n}}}" for later in (-1, 0, 1)}
        here = (placed(name, index.__getitem__) for name in names)
        array[at] = math.prod(map(letter, here), start=sign)
    return array


def _apart(text: str) -> list[str]:
    """Return the letters of a factor, split at the spaces outside brackets."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == " " and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [letter for letter in found if letter]


def tabulated(
    net: Network,
    T: int,
    factor: Callable[[Shape, str, int], Any],
    weight: Callable[[Shape, str, int], Any],
) -> LocalDerivatives:
    """Return a symbol for every arrow: factor(shape, letters, n), weight(shape, name, n)."""
    shapes = [(T, 1, *net.shape_of(n)) for n in range(net.N + 1)]
    factors: Factors = [{}]
    params: LayerParams = [None]
    for n, layer in enumerate(net.layers[1:], 1):
        named = {(a.kind, False): a.letters for a in layer.neuron.arrows}
        named |= {
            (a.kind, True): a.leak_letters
            for a in layer.neuron.arrows
            if a.leak is not None
        }
        factors.append({key: factor(shapes[n], text, n) for key, text in named.items()})
        params.append(
            {k: weight(size, k.lower(), n) for k, size in layer.shapes.items()}
        )
    direct = factor(shapes[-1], f"∂L/∂{net.loss.state}{{}}", net.N)
    direct[: net.loss.steps(T).start] = 0
    outputs = [factor(shapes[n], net.output_of(n) + "{}", n) for n in range(net.N + 1)]
    return LocalDerivatives(net, factors, params, direct, outputs)
