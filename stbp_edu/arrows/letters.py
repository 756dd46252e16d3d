"""The factors of all arrows as letters, so that the recursion gives polynomials to compare."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np

from stbp_edu.arrows.factors import Factors, LocalDerivatives
from stbp_edu.arrows.maps import Shape
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.parameters import LayerParams
from stbp_edu.arrows.table import placed

Monomial = tuple[str, ...]


class Polynomial:
    """A polynomial in letters; two are equal when their coefficients are.

    >>> a, b = Polynomial.letter("a"), Polynomial.letter("b")
    >>> (a + b) * (a + b) - a * a == 2 * a * b + b * b
    True
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Monomial, Any]) -> None:
        """Keep the terms that are not 0."""
        self.terms = {m: c for m, c in terms.items() if c != 0}

    @classmethod
    def letter(cls, name: str) -> "Polynomial":
        """Return one letter."""
        return cls({(name,): 1})

    @staticmethod
    def _terms(value: Any) -> Mapping[Monomial, Any]:
        """Return the terms of a polynomial or number."""
        return value.terms if isinstance(value, Polynomial) else {(): value}

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        total = dict(self.terms)
        for m, c in self._terms(other).items():
            total[m] = total.get(m, 0) + c
        return Polynomial(total)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        total: dict[Monomial, Any] = {}
        for (m, c), (k, d) in product(self.terms.items(), self._terms(other).items()):
            both = tuple(sorted(m + k))
            total[both] = total.get(both, 0) + c * d
        return Polynomial(total)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> "Polynomial":
        return Polynomial({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __eq__(self, other: object) -> bool:
        return self.terms == {m: c for m, c in self._terms(other).items() if c != 0}

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __repr__(self) -> str:
        return " + ".join(f"{c}·{'·'.join(m)}" for m, c in self.terms.items()) or "0"


def letters(net: Network, T: int) -> LocalDerivatives:
    """Return every factor as letters, for one sample; indices count from 1, as on paper.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network, sweep
    >>> local = letters(network("1-1", hard_reset(LIF())), T=2)
    >>> sweep(local)[1]["o", "all"][1, 0, 0]
    1·∂L/∂o_{1}^{2,1}
    """
    return tabulated(
        net,
        T,
        lambda shape, text, n: _table(shape, lambda at: _product(text, n, shape, at)),
        lambda shape, name: _table(shape, lambda at: Polynomial.letter(f"{name}{at}")),
    )


def tabulated(
    net: Network,
    T: int,
    factor: Callable[[Shape, str, int], Any],
    weight: Callable[[Shape, str], Any],
) -> LocalDerivatives:
    """Return what stands for every arrow: factor(shape, letters, layer), weight(shape, name)."""
    factors: Factors = [{}]
    params: LayerParams = [None]
    for n in range(1, net.N + 1):
        layer, shape = net.layers[n], (T, 1, *net.shape_of(n))
        named = {(a.kind, False): a.letters for a in layer.neuron.arrows}
        named |= {(a.kind, True): a.leak_letters for a in layer.neuron.arrows if a.leak is not None}
        factors.append({key: factor(shape, text, n) for key, text in named.items()})
        params.append({k: weight(size, f"{k}{n}") for k, size in layer.shapes.items()})
    direct = factor((T, 1, *net.shape_of(net.N)), f"∂L/∂{net.loss.state}{{}}", net.N)
    direct[: net.loss.steps(T).start] = 0
    return LocalDerivatives(net, factors, params, direct)


def _table(shape: Shape, letter: Callable[[Shape], Polynomial]) -> Any:
    """Return an array of polynomials, letter(index) for each entry."""
    array = np.empty(shape, object)
    for at in np.ndindex(shape):
        array[at] = letter(at)
    return array


def _product(text: str, n: int, shape: Shape, at: Shape) -> Polynomial:
    """Return a factor such as ``u{} f'(o{})`` of layer n at an index (t, s, *i) of its shape."""
    i = int(np.ravel_multi_index(at[2:], shape[2:]))
    t, apart = at[0] + 1, _apart(text.removeprefix("-"))
    result = Polynomial({(): -1 if text.startswith("-") else 1})
    for letter in apart:
        named = placed(letter, lambda later: f"_{{{i + 1}}}^{{{t + later},{n}}}")
        result = result * Polynomial.letter(named)
    return result


def _apart(text: str) -> list[str]:
    r"""Return the letters of a factor: apart at spaces outside brackets.

    >>> _apart(r"u{} f'(o{}, 1) \frac{a b}{c}")
    ['u{}', "f'(o{}, 1)", '\\frac{a b}{c}']
    """
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == " " and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [letter for letter in found if letter]
