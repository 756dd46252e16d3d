"""How a rule is learned forward in time, as formulas: a trace at each synapse, and a signal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from stbp_edu.arrows.formula_text import (
    Adjoint,
    Formula,
    Formulas,
    added,
    mark,
    placed_at,
    reachable,
)
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.paths import Word, forbidding_word
from stbp_edu.arrows.rules import Rule


@dataclass(frozen=True, repr=False)
class OnlineForm:
    """The online form of a rule on one neuron.

    Attributes:
        rule: its name.
        formulas: the traces of one synapse, then the gradient; none where there is no such form.
        word: the shortest word that forbids it, or None.
    """

    rule: str
    formulas: Formulas
    word: Word | None

    def __str__(self) -> str:
        """Return the formulas, or the word that forbids them."""
        if self.word:
            return (
                f"rule {self.rule!r} has no online form: the word '{' '.join(self.word)}' goes on "
                "through time after it has left its neuron"
            )
        return str(self.formulas)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same for a notebook or a page."""
        return f"<p>{escape(str(self))}</p>" if self.word else self.formulas._repr_html_()


def online_form(net: Network, rule: Rule) -> OnlineForm:
    r"""Return the traces that a rule carries at each synapse of the layers below the last.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, network, soft_reset
    >>> net = network("2-2-1", soft_reset(LIF()))
    >>> print(online_form(net, RULES["exact"]).word)
    ('enter', 'spike', 'weight', 'carry', 'spike', 'readout')
    >>> print(online_form(net, RULES["ottt"]).formulas[0].right)
    \tau e_{u,ij}^{t-1,n} + o_j^{t,n-1}
    """
    rule.check(net)
    word = forbidding_word(net, rule)
    return OnlineForm(rule.name, Formulas(() if word else _lines(net, rule)), word)


def _lines(net: Network, rule: Rule) -> Iterator[Formula]:
    """Yield a line for each trace, and that of the gradient."""
    neuron = net.layers[1].neuron

    def inside(node: Adjoint) -> Iterator[Adjoint]:
        """Yield where the arrows of the neuron lead."""
        moves = rule.moves_from(net, 1, *node)
        return ((arrow.target, head) for arrow, head in moves if not arrow.leaves)

    def trace(state: str, q: str, t: str) -> str:
        """Return the name of a trace."""
        return f"e_{{{state},ij}}^{{{t},n}}{mark(rule, q)}"

    start = neuron.input, rule.start
    terms: dict[Adjoint, list[str]] = {node: [] for node in reachable([start], inside)}
    gradient = []
    for state, q in terms:
        for arrow, head in rule.moves_from(net, 1, state, q):
            if arrow.leaves:
                letter = neuron.state(arrow.target).adjoint
                signal = rf"\sum_k w_{{ki}}^{{n+1}} {letter}_k^{{t,n+1}}{mark(rule, head)}"
                gradient.append(rf"\left({signal}\right) {trace(state, q, 't')}")
            else:
                t = "t-1" if arrow.step else "t"
                term = f"{placed_at(arrow.letters, t, 'n')} {trace(state, q, t)}".strip()
                terms[arrow.target, head].append(term)
    terms[start].append(f"{net.output_of(0)}_j^{{t,n-1}}")
    order = [(state, q) for state in neuron.order for q in rule.moves]
    for node in sorted(terms, key=order.index):
        yield Formula(trace(*node, "t"), added(terms[node]), "each synapse")
    left = r"\frac{\partial L}{\partial w_{ij}^n}"
    yield Formula(left, rf"\sum_t {' + '.join(gradient)}", "all t, n < N")
