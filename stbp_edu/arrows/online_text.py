"""How a rule is learned forward in time, as formulas: a trace at each synapse, and a signal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from stbp_edu.arrows.formula_text import Formula, Formulas, placed_at
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
    order = [(state, q) for state in neuron.order for q in rule.moves]
    found = [(neuron.input, rule.start)]
    for state, q in found:  # grows while it is read
        for arrow in (a for a in neuron.arrows if a.source == state):
            head = rule.move(q, arrow)
            if head is not None and (arrow.target, head) not in found:
                found.append((arrow.target, head))
    gradient = []
    for state, q in sorted(found, key=order.index):
        terms = [
            f"{_factor(arrow.letters, arrow.step)} {_trace(rule, *source, arrow.step)}".strip()
            for source in found
            for arrow in neuron.arrows
            if (source[0], arrow.target, rule.move(source[1], arrow)) == (arrow.source, state, q)
        ]
        if (state, q) == found[0]:
            terms.append(f"{net.output_of(0)}_j^{{t,n-1}}")
        right = " + ".join(terms).replace("+ -", "- ")
        yield Formula(_trace(rule, state, q, 0), right, "each synapse")
        leaves = [a for a in net.arrows[1] if a.source == state and a.leaves]
        for arrow in leaves:
            if (head := rule.move(q, arrow)) is not None:
                letter = net.layers[1].neuron.state(arrow.target).adjoint
                signal = rf"\sum_k w_{{ki}}^{{n+1}} {letter}_k^{{t,n+1}}{_mark(rule, head)}"
                gradient.append(rf"\left({signal}\right) {_trace(rule, state, q, 0)}")
    left = r"\frac{\partial L}{\partial w_{ij}^n}"
    yield Formula(left, r"\sum_t " + " + ".join(gradient), "all t, n < N")


def _factor(letters: str, step: int) -> str:
    """Return a factor with its indices, from the head's step."""
    return placed_at(letters, "t-1" if step else "t", "n")


def _trace(rule: Rule, state: str, q: str, back: int) -> str:
    """Return the name of a trace."""
    return f"e_{{{state},ij}}^{{t{'-1' * back},n}}{_mark(rule, q)}"


def _mark(rule: Rule, q: str) -> str:
    """Return the state of the rule, where it is not the first."""
    return "" if q == rule.start else rf"[\mathrm{{{q}}}]"
