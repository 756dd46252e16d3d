"""The formulas of a rule in LaTeX, read off the table of arrows: one for each adjoint and case."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import NamedTuple

from stbp_edu._support import checks
from stbp_edu.arrows.arrow import LOSS, Arrow, placed
from stbp_edu.arrows.rules import Rule, as_rule, classes
from stbp_edu.arrows.step_functions import added
from stbp_edu.arrows.table import Table
from stbp_edu.lines.expressions import indexed

STEPS = {"T": "t = T", "t": "t < T"}
LAYERS = {"N": "n = N", "n": "n < N"}
"""The cases, by what stands for the step and the layer in their formulas."""


class Formula(NamedTuple):
    """One line of a rule: an adjoint, what it is the sum of, and where."""

    left: str
    right: str
    where: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.left} = {self.right}  ({self.where})"


class Formulas(tuple[Formula, ...]):
    """Formulas, a line each; a notebook and a page set them as mathematics."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return a line for each formula, in LaTeX."""
        return "\n".join(map(str, self))

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        """Return the formulas as one display in LaTeX, under each case."""
        lines = []
        case = ""
        for left, right, where in self:
            if where != case:
                lines.append(rf"&\textbf{{{where}}}")
            lines.append(f"&{left} = {right}")
            case = where
        return displayed(lines)


def displayed(lines: Iterable[str]) -> str:
    r"""Return lines of LaTeX as one display; ``&`` is where they are aligned.

    >>> print(displayed(["&a = b", "&c = d"]))
    $$\begin{aligned}
    &a = b \\[4pt]
    &c = d
    \end{aligned}$$
    """
    rows = " \\\\[4pt]\n".join(lines)
    return f"$$\\begin{{aligned}}\n{rows}\n\\end{{aligned}}$$"


def formulas(net: Table, rule: str | Rule = "exact") -> list[Formula]:
    r"""Return the recursion of a rule in LaTeX: a line for each adjoint and case, then case 5.

    Adjoints that states of the rule share are written once; one that belongs to a later state of
    the rule has its name in brackets. The layers are taken to be alike. Of a rule in blocks, T
    stands for the last step of each block.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import network, soft_reset
    >>> print(formulas(network("2-2-1", soft_reset(LIF())))[4].right)
    \frac{\partial L}{\partial o_i^{t,N}} - V_{th} \varepsilon_i^{t+1,N}
    """
    rule = as_rule(rule)
    rule.check(checks.instance("net", net, Table))
    same = classes(net, rule)
    neuron_of = {}
    for layer in reversed(net.layers[1:]):
        neuron_of.update(dict.fromkeys(layer.neuron.order, layer.neuron))

    def adjoint(state: str, q: str, i: str, t: str, n: str) -> str:
        """Return the name of an adjoint, with the rule's state where it is not the first."""
        letter = neuron_of[state].lines.adjoint(state)
        return f"{letter}_{i}^{{{t},{n}}}{mark(rule, same[state, q])}"

    def term(arrow: Arrow, head: str, t: str, n: str) -> str:
        """Return the term of one arrow: its factor, and the adjoint at its head."""
        if arrow.target == LOSS:
            return rf"\frac{{\partial L}}{{\partial {arrow.source}_i^{{{t},{n}}}}}"
        later = f"{t}+1" if arrow.step else t
        above = f"{n}+1" if arrow.layer else n
        if arrow.link is not None:
            weight = "w" if arrow.layer else "r"
            far = adjoint(arrow.target, head, "j", later, above)
            return rf"\sum_j {weight}_{{ji}}^{{{above}}} {far}"
        factor = placed_at(arrow.under(rule.forgets).letters, t, n)
        return f"{factor} {adjoint(arrow.target, head, 'i', later, above)}".strip()

    ends = product(reversed(net.states[net.N]), range(1, net.N + 1))
    start = [(n, state, rule.start) for state, n in ends]
    # each once, the spike first
    nodes = dict.fromkeys((state, q) for _, state, q in rule.places(net, start, same))
    lines: list[Formula] = []
    for t, n in product(STEPS, [*LAYERS][: net.N]):
        of_layer = net.N if n == "N" else net.N - 1
        where = f"{STEPS[t]}, {LAYERS[n]}"
        for state, q in nodes:
            terms = []
            for arrow, head in rule.moves_from(net, of_layer, state, q):
                if not (arrow.step and t == "T"):
                    terms.append(term(arrow, head, t, n))
            left = adjoint(state, q, "i", t, n)
            lines.append(Formula(left, added(terms) or "0", where))
    for name, right in _gradients(net, rule, adjoint).items():
        left = rf"\frac{{\partial L}}{{\partial {name}}}"
        lines.append(Formula(left, right, "all t"))
    return lines


def _gradients(
    net: Table, rule: Rule, adjoint: Callable[[str, str, str, str, str], str]
) -> dict[str, str]:
    """Return the gradient of each kind of parameter."""
    layer = net.layers[net.N]
    neuron = layer.neuron
    entered = adjoint(neuron.input, rule.start, "i", "t", "n")
    sent = indexed(neuron.output)
    found = {"w_{ij}^n": rf"\sum_t {entered} {sent}_j^{{t,n-1}}"}
    found["b_i^n"] = rf"\sum_t {entered}"
    if layer.recurrent:
        later = entered.replace("t,n", "t+1,n")
        found["r_{ij}^n"] = rf"\sum_t {later} {sent}_j^{{t,n}}"
    for name, entries in neuron.learned.items():
        terms = []
        for arrow in entries:
            letters = arrow.letters
            t = "t"
            if "{-}" in letters and "{}" not in letters:  # only last states
                letters = letters.replace("{-}", "{}")
                t = "t+1"
            of = adjoint(arrow.target, rule.start, "i", t, "n")
            terms.append(f"{placed_at(letters, 't', 'n')} {of}".strip())
        right = added(terms)
        if len(entries) > 1 or right[0] == "-":
            right = rf"\left({right}\right)"
        if name in neuron.each:
            found[f"{indexed(name)}_i^n"] = rf"\sum_{{t}} {right}"
        else:
            found[f"{indexed(name)}^n"] = rf"\sum_{{t,i}} {right}"
    return found


def mark(rule: Rule, q: str) -> str:
    """Return the state of the rule in brackets, where it is not the first."""
    if q == rule.start:
        return ""
    return rf"[\mathrm{{{q}}}]"


def placed_at(letters: str, t: str, n: str) -> str:
    """Return the letters of a factor on an arrow whose tail is at t, such as t, t-1 or T."""
    base = t.removesuffix("-1")
    offset = 0 if base == t else -1

    def index(later: int) -> str:
        """Return the indices of a step so much later than the tail's."""
        step = offset + later
        when = f"{base}{step:+d}" if step else base
        return f"_i^{{{when},{n}}}"

    return placed(letters, index)
