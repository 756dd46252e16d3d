"""Proof by letters: the recursion's polynomial against the sum over paths, node by node.

Every factor is a letter of which nothing is known, so an identity here holds for every
surrogate, every gate, every weight and every spike train of a network of that shape.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows import Node, Polynomial, hard_reset, letters, network, paths_from
from stbp_edu.arrows.adjoints import LocalDerivatives
from stbp_edu.arrows.letters import letter_array
from stbp_edu.cases import scalar
from stbp_edu.neuron import LIF
from stbp_edu.verify.comparison import Outcome, Tolerance, arrays, equation_under
from stbp_edu.verify.paths import rate_slopes


@dataclass(frozen=True)
class Letters(scalar.Sample):
    """A network of letters: one sample, ∂L/∂o_i^{t,N} as ``readout[t][i]``, and the graph."""

    readout: Any = None
    graph: LocalDerivatives | Any = None


ORACLES = {"exact": "polynomials", "classic": "polynomials: gap = dropped paths"}
NONE = Tolerance(limit=0.0)  # of two polynomials


def symbols(
    sizes: Sequence[int],
    T: int,
    *,
    direct: bool = False,
    letter: Callable[[str], Any] | None = None,
) -> Letters:
    """Return a network of letters, one sample, with indices counted from 1 as on paper.

    Args:
        sizes: widths (n[0], ..., n[N]).
        T: number of steps.
        direct: whether each edge into the loss has a letter of its own, and not the slope of the
            rate loss.
        letter: what makes a letter of its name; ``sympy.Symbol`` where None.

    Raises:
        ImportError: if SymPy is needed and not installed.
        TypeError, ValueError: if a size or T is not an integer >= 1.

    >>> net = symbols([1, 1], T=2)
    >>> net.h[1][0][0], net.W[1][0][0], net.readout[1][0]
    (h(u_{1}^{1,1}), w_{11}^{1}, o_{1}^{1,1}/4 + o_{1}^{2,1}/4 - y_{1}/2)
    """
    make = letter or checks.require("sympy", "a network of symbols").Symbol
    net = network(sizes, hard_reset(LIF()))
    graph = letters(net, T, make)

    def layers(text: str) -> list[Any]:
        """Return a letter for every layer, step and neuron."""
        shapes = [(T, 1, width) for width in net.sizes]
        found = [letter_array(shape, text, n, make) for n, shape in enumerate(shapes)]
        return [None, *(of_sample[:, 0] for of_sample in found[1:])]

    y = np.array([make(f"y_{{{i + 1}}}") for i in range(net.sizes[-1])])
    if direct:
        for t, i in np.ndindex(T, net.sizes[-1]):
            graph.direct[t, 0, i] = make(f"direct_{{{i + 1}}}^{{{t + 1}}}")
    else:
        graph.direct[:] = rate_slopes(graph.outputs[-1], y[None]).o
    return Letters(
        o=[o[:, 0] for o in graph.outputs],
        u=layers("u{}"),
        h=layers("h(u{})"),
        f=layers("f(o{})"),
        df=layers("f'(o{})"),
        W=[None, *(parameters["W"] for parameters in graph.params[1:])],
        y=y,
        readout=graph.direct[:, 0],
        graph=graph,
    )


def prove(sizes: Sequence[int], T: int, rule: str = "exact") -> Iterator[Outcome]:
    """Compare the package's index formulas with the paths, for every node and every parameter.

    For ``rule`` "exact": recursion - Σ of all paths. For "classic": (exact recursion - classic
    recursion) - Σ of the paths that the classic rule drops. An error is 0 or 1.

    Raises:
        TypeError, ValueError: if a size or T is not an integer >= 1.

    >>> [(one.id, one.ok) for one in prove([1, 1], T=1) if one.node.kind in "uo"]
    [('c1-delta', True), ('c1-epsilon', True)]
    """
    net = symbols(sizes, T, letter=Polynomial.letter)
    swept = [arrays(scalar.of_sample(net, under)) for under in ORACLES]
    for (id, place, values), (_, _, under_classic) in zip(*swept, strict=True):
        for at in np.ndindex(values.shape):
            node = Node(place.kind, place.n, place.t, *at)
            got = values[at]
            expected = paths_from(node, net.graph)
            if rule == "classic":
                got = got - under_classic[at]
                expected = [path for path in expected if path.dropped_by(rule)]
            difference = got - sum(path.contribution for path in expected)
            yield Outcome(
                equation_under(id, rule),
                float(difference != 0),
                f"at {node}: got - expected = {difference}",
                NONE,
                node,
                rule,
                ORACLES[rule],
                f"scalar form, {rule} rule, ",
            )
