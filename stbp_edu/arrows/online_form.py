"""Learning forward in time: which traces a rule carries at the synapses, with nothing stored.

Where in every word all arrows through time come before the arrow that leaves the neuron, a word has
two parts: from the parameter to the last step that it reaches, all inside this neuron, and from
there to the loss, all at that step. The first part is an eligibility trace e(k, q), carried along
for each synapse, each state k of the neuron and each state q of the rule. The second is a signal
σ(k, q): the adjoint that the step itself gives. The gradient is Σ_t Σ_{k,q} σ^t(k, q) e^t(k, q).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.formula_text import Formula, Formulas, mark, placed_at
from stbp_edu.arrows.rules import Node, Rule, as_rule
from stbp_edu.arrows.step_functions import added
from stbp_edu.arrows.table import Table
from stbp_edu.arrows.unrolled import Word


def forbidding_word(net: Table, rule: str | Rule) -> Word | None:
    """Return the shortest word that forbids an online form, or None if there is none.

    It moves through time after it has left the neuron, or while it leaves.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> " ".join(forbidding_word(network("2-2-1", hard_reset(LIF())), "exact"))
    'enter spike weight carry spike readout'
    >>> forbidding_word(network("2-2-1", hard_reset(LIF())), "ottt")
    """
    rule = as_rule(rule)
    words: dict[tuple[int, str, str, int], Word] = {}
    for n, layer in enumerate(net.layers[1:], 1):
        for state in layer.neuron.entered:
            words[n, state, rule.start, 0] = ("enter",)
    # breadth first; the word has left its neuron (1), and moved through time since or then (2)
    places = [*words]
    for place in places:  # grows while it is read
        n, state, q, left = place
        for arrow, head in rule.moves_from(net, n, state, q):
            gone = max(left, int(arrow.leaves))
            if gone and arrow.step:
                gone = 2
            after = n + arrow.layer, arrow.target, head, gone
            if after in words:
                continue
            words[after] = (*words[place], arrow.kind)
            if arrow.target != LOSS:
                places.append(after)
            elif gone == 2:
                return words[after]
    return None


class Traces(NamedTuple):
    """The traces that each synapse of a layer carries, by (state, state of the rule).

    Attributes:
        sums: of each trace, the arrows that lead to it inside the neuron, each with the trace at
            its tail; that of the first node has the output below besides.
        leaving: the arrows that leave the neuron, each with the rule's state after it, and the
            trace that its signal is multiplied by.
    """

    sums: dict[Node, list[tuple[Arrow, Node]]]
    leaving: list[tuple[Arrow, str, Node]]


def traces_of(net: Table, rule: Rule, n: int = 1) -> Traces:
    """Return the traces of layer n under a rule that has an online form."""
    start = net.layers[n].neuron.input, rule.start
    found = Traces({start: []}, [])
    nodes = [start]
    for node in nodes:  # grows while it is read
        for arrow, q in rule.moves_from(net, n, *node):
            if arrow.leaves:  # p2-trace-signal, p2-trace-w
                found.leaving.append((arrow, q, node))
                continue
            head = arrow.target, q
            if head not in found.sums:
                found.sums[head] = []
                nodes.append(head)
            found.sums[head].append((arrow, node))  # p2-trace-step, p2-trace-adapt
    return found


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

    def _repr_latex_(self) -> str | None:
        """Return the formulas in LaTeX; None where a word forbids them."""
        if self.word:
            return None
        return self.formulas._repr_latex_()


def online_lines(net: Table, rule: Rule) -> Iterator[Formula]:
    """Yield a line for each trace, here taken on to where it leaves, and that of the gradient."""
    neuron = net.layers[1].neuron
    traces = traces_of(net, rule)

    def trace(node: Node, t: str) -> str:
        """Return the name of a trace."""
        return f"e_{{{node[0]},ij}}^{{{t},n}}{mark(rule, node[1])}"

    for node in product(neuron.order, rule.moves):
        terms = []
        for arrow, tail in traces.sums.get(node, ()):
            t = "t-1" if arrow.step else "t"
            term = f"{placed_at(arrow.letters, t, 'n')} {trace(tail, t)}"
            terms.append(term.strip())
        if node == (neuron.input, rule.start):
            terms.append(f"{net.output_of(0)}_j^{{t,n-1}}")
        if terms:
            yield Formula(trace(node, "t"), added(terms), "each synapse")
    gradient = []
    for arrow, q, node in traces.leaving:
        letter = neuron.lines.adjoint(arrow.target)
        adjoint = f"{letter}_k^{{t,n+1}}{mark(rule, q)}"
        signal = rf"\sum_k w_{{ki}}^{{n+1}} {adjoint}"
        gradient.append(rf"\left({signal}\right) {trace(node, 't')}")
    left = r"\frac{\partial L}{\partial w_{ij}^n}"
    summed = " + ".join(gradient)
    yield Formula(left, rf"\sum_t {summed}", "all t, n < N")
