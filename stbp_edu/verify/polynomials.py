"""Proof by symbols: the recursion's polynomial against the sum over paths, node by node.

Every local derivative is a free symbol, so that an identity here holds for every surrogate,
every gate, every weight and every spike train of a network of that shape.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import choice
from stbp_edu.verify import require
from stbp_edu.verify.comparison import case_of, equation_under
from stbp_edu.verify.coordinates import Node
from stbp_edu.verify.forms import scalar_derivatives
from stbp_edu.verify.paths import paths_from, total
from stbp_edu.verify.unrolled import Unrolled, symbols


class Proof(NamedTuple):
    """One identity between the package's polynomial and the sum over paths.

    Attributes:
        node: the quantity that the loss is differentiated by.
        paths: how many paths lead from the node to the loss.
        dropped: how many of them the classic rule drops.
        difference: 0 where the two polynomials are the same.
    """

    id: str
    node: Node
    paths: int
    dropped: int
    difference: Any


def prove(sizes: Sequence[int], T: int, rule: str = "exact", *, soft: bool = False) -> list[Proof]:
    """Compare the package's index formulas with the paths, for every node and every parameter.

    For ``rule`` "exact": recursion - Σ of all paths. For "classic": (exact recursion - classic
    recursion) - Σ of the paths that the classic rule drops. ``soft``: with the soft reset. It is a
    special case, since f, f' and u are free letters: τ for f, and -V_th for u f'.

    Raises:
        ImportError: if SymPy is not installed.
        TypeError, ValueError: if a size or T is no integer >= 1, or the rule is another.

    >>> [(p.id, p.paths, p.difference) for p in prove([1, 1], T=1) if p.node.kind in "uo"]
    [('c1-delta', 1, 0), ('c1-epsilon', 1, 0)]
    """
    choice("rule", rule, ("exact", "classic"))
    net = as_polynomials(symbols(sizes, T, soft=soft))
    exact, classic = scalar_derivatives(net, "exact"), scalar_derivatives(net, "classic")
    proofs = []
    for id, node in _nodes(net):
        paths = paths_from(node, net)
        dropped = [path for path in paths if path.dropped_by("classic")]
        if rule == "classic":
            difference = exact(node) - classic(node) - total(dropped)
        else:
            difference = exact(node) - total(paths)
        formula = equation_under(id, rule)
        proofs.append(Proof(formula, node, len(paths), len(dropped), difference.as_expr()))
    return proofs


def as_polynomials(net: Unrolled) -> Unrolled:
    """Return a network of symbols as members of one polynomial ring over the rationals.

    There, two polynomials are equal when their coefficients are: no simplifying, no guessing.
    """
    sympy = require("sympy", "the symbolic proof")
    names = ("u", "o", "h", "f", "moved", "df", "W", "y", "readout")
    parts: dict[str, Any] = {name: getattr(net, name) for name in names}
    arrays = [a for name in names[:-1] for a in parts[name] if a is not None]
    entries = (entry for a in arrays for entry in np.ravel(a))
    letters = sorted(set().union(*(entry.free_symbols for entry in entries)), key=str)
    convert = np.frompyfunc(sympy.ring(letters, sympy.QQ)[0].from_expr, 1, 1)
    for name, part in parts.items():
        parts[name] = [None if a is None else convert(a) for a in part]
    return replace(net, **parts)


def _nodes(net: Unrolled) -> Iterator[tuple[str, Node]]:
    """Yield every node with the id of its equation, in the order of the backward sweep."""
    for t, n in product(reversed(range(net.T)), reversed(range(1, net.N + 1))):
        case = case_of(t, n, net.T, net.N)
        for i in range(net.sizes[n]):
            yield f"c{case}-delta", Node("o", n, t, i)
            yield f"c{case}-epsilon", Node("u", n, t, i)
    for n in range(1, net.N + 1):
        for i in range(net.sizes[n]):
            yield "c5-b", Node("b", n, i=i)
        for i, j in np.ndindex(net.sizes[n], net.sizes[n - 1]):
            yield "c5-w", Node("w", n, i=i, j=j)
