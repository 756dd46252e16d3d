"""The same recursion on letters: polynomials to compare, and the formulas of a rule as text."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows.adjoints import Factors, LocalDerivatives
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import LOSS, Arrow

FACTORS = re.compile(r"\S*\([^)]*\)|\S+")
"""The letters in a factor: apart at spaces outside brackets."""
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


def _polynomial(factor: str, index: str) -> Polynomial:
    """Return a factor such as ``u{} f'(o{})`` with the indices of its tail."""
    result = Polynomial({(): -1 if factor.startswith("-") else 1})
    for letter in FACTORS.findall(factor.removeprefix("-")):
        result = result * Polynomial.letter(letter.replace("{}", index))
    return result


def letters(net: Network, T: int) -> LocalDerivatives:
    """Return every factor as letters, for one sample; indices count from 1, as on paper.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network, sweep
    >>> local = letters(network("1-1", hard_reset(LIF())), T=2)
    >>> sweep(local)[1]["o", "all"][1, 0, 0]
    1·∂L/∂o_{1}^{2,1}
    """

    def table(shape: tuple[int, ...], name: Any) -> Any:
        """Return an array of polynomials, name(index) for each entry."""
        array = np.empty(shape, object)
        for at in np.ndindex(shape):
            array[at] = name(at)
        return array

    def index(n: int) -> Any:
        """Return the function from (t, s, *i) to the indices of layer n."""
        shape = net.shape_of(n)
        return lambda at: f"_{{{np.ravel_multi_index(at[2:], shape) + 1}}}^{{{at[0] + 1},{n}}}"

    factors: Factors = [{}]
    params: LayerParams = [None]
    for n in range(1, net.N + 1):
        layer, of = net.layers[n], index(n)
        shape = (T, 1, *net.shape_of(n))
        arrows = layer.neuron.arrows
        named = [(a.kind, False, a.letters) for a in arrows]
        named += [(a.kind, True, r"\tau") for a in arrows if a.leak is not None]
        factors.append(
            {
                (k, leak): table(shape, lambda at, f=f, of=of: _polynomial(f, of(at)))
                for k, leak, f in named
            }
        )
        params.append(
            {
                name: table(size, lambda at, name=name, n=n: Polynomial.letter(f"{name}{n}{at}"))
                for name, size in layer.shapes.items()
            }
        )
    reads, of = net.loss.steps(T), index(net.N)
    direct = table(
        (T, 1, *net.shape_of(net.N)),
        lambda at: Polynomial.letter(f"∂L/∂{net.loss.state}{of(at)}") if at[0] in reads else 0,
    )
    return LocalDerivatives(net, factors, params, direct)


class Formula(NamedTuple):
    """One line of a rule: an adjoint, what it is the sum of, and where."""

    left: str
    right: str
    where: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.left} = {self.right}  ({self.where})"


def formulas(net: Network, rule: str | Rule = "exact") -> list[Formula]:
    r"""Return the recursion of a rule in LaTeX: a line for each adjoint and case, then case 5.

    Adjoints that states of the rule share are written once; one that belongs to a later state of
    the rule has its name in brackets. The layers are taken to be alike.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import network, soft_reset
    >>> print(formulas(network("2-2-1", soft_reset(LIF())))[4].right)
    \frac{\partial L}{\partial o_i^{t,N}} - V_{th} \varepsilon_i^{t+1,N}
    """
    rule = as_rule(rule)
    rule.check(net)
    text = _Text(net, rule)
    cases = [(t, n) for t in ("T", "t") for n in ("N", "n") if n == "N" or net.N > 1]
    return [line for t, n in cases for line in text.case(t, n)] + list(text.gradients())


class _Text:
    """The formulas of one rule on one network."""

    def __init__(self, net: Network, rule: Rule) -> None:
        """Find which states of the rule share an adjoint."""
        self.net, self.rule, self.same = net, rule, _classes(net, rule)

    def case(self, t: str, n: str) -> Iterator[Formula]:
        """Yield a line for each adjoint, at t or T and in layer n or N."""
        where = f"t {'=' if t == 'T' else '<'} T, n {'=' if n == 'N' else '<'} N"
        for state, q in _reached(self.net, self.rule, self.same):
            arrows = self.net.arrows[self.net.N if n == "N" else self.net.N - 1]
            terms = [
                self.term(arrow, head, t, n)
                for arrow in arrows
                if arrow.source == state and not (arrow.step and t == "T")
                if (head := self.rule.move(q, arrow)) is not None
            ]
            right = " + ".join(terms).replace("+ -", "- ") or "0"
            yield Formula(self.adjoint(state, q, "i", t, n), right, where)

    def term(self, arrow: Arrow, head: str, t: str, n: str) -> str:
        """Return the term of one arrow: its factor, and the adjoint at its head."""
        if arrow.target == LOSS:
            return rf"\frac{{\partial L}}{{\partial {arrow.source}_i^{{{t},{n}}}}}"
        later, above = t + "+1" * arrow.step, n + "+1" * arrow.layer
        if arrow.link is not None:
            factor, i = rf"\sum_j {'w' if arrow.layer else 'r'}_{{ji}}^{{{above}}}", "j"
        else:
            factor, i = r"\tau" if arrow.kind in self.rule.forgets else arrow.letters, "i"
        factor = factor.replace("{}", f"_i^{{{t},{n}}}")
        return f"{factor} {self.adjoint(arrow.target, head, i, later, above)}".strip()

    def adjoint(self, state: str, q: str, i: str, t: str, n: str) -> str:
        """Return the name of an adjoint, with the rule's state where it is not the first."""
        neurons = (layer.neuron for layer in self.net.layers[1:])
        letter = next(s.adjoint for one in neurons for s in one.states if s.name == state)
        shared = self.same[state, q]
        other = f"[\\mathrm{{{shared}}}]" if shared != self.rule.start else ""
        return f"{letter}_{i}^{{{t},{n}}}{other}"

    def gradients(self) -> Iterator[Formula]:
        """Yield a line for each kind of parameter."""
        layer = self.net.layers[self.net.N]
        entered = self.adjoint(layer.neuron.input, self.rule.start, "i", "t", "n")
        later = entered.replace("t,n", "t+1,n")
        lines = [(r"w_{ij}^n", rf"\sum_t {entered} o_j^{{t,n-1}}"), ("b_i^n", rf"\sum_t {entered}")]
        if layer.recurrent:
            lines.append((r"r_{ij}^n", rf"\sum_t {later} o_j^{{t,n}}"))
        for name, enter in layer.neuron.learned.items():
            head = self.adjoint(enter.target, self.rule.start, "i", "t+1", "n")
            factor = enter.letters.replace("{}", "_i^{t,n}")
            lines.append((rf"\{name}^n", rf"\sum_{{t,i}} {factor} {head}"))
        for name, right in lines:
            yield Formula(rf"\frac{{\partial L}}{{\partial {name}}}", right, "all t")


def _classes(net: Network, rule: Rule) -> dict[tuple[str, str], str]:
    """Return for (state, q) the first q with the same adjoint, by Moore's algorithm."""
    states = {s.name for layer in net.layers[1:] for s in layer.neuron.states}
    arrows = [a for table in net.arrows for a in table]
    same = {(s, q): rule.start for s in sorted(states) for q in rule.moves}
    while True:
        seen: dict[Any, str] = {}
        finer = {}
        for s, q in same:
            heads = [(a.target, rule.move(q, a)) for a in arrows if a.source == s]
            ends = tuple(None if q is None else same.get((k, q), LOSS) for k, q in heads)
            finer[s, q] = seen.setdefault((s, same[s, q], ends), q)
        if finer == same:
            return same
        same = finer


def _reached(net: Network, rule: Rule, same: Any) -> list[tuple[str, str]]:
    """Return the adjoints that the recursion needs, each (state, shared q) once, spike first."""
    arrows = [a for table in net.arrows for a in table]
    found = [(s, rule.start) for s in reversed(net.layers[net.N].neuron.order)]
    for state, q in found:  # grows while it is read
        for arrow in (a for a in arrows if a.source == state and a.target != LOSS):
            if (head := rule.move(q, arrow)) is not None:
                node = arrow.target, same[arrow.target, head]
                if node not in found:
                    found.append(node)
    return found
