"""The formulas of a rule, read off the table of arrows: a line for each adjoint and case.

They are LaTeX, and MathML where a browser draws them and reads them out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, NamedTuple

from stbp_edu._support import checks
from stbp_edu.arrows.arrow import LOSS, Arrow, placed
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.step.layer_program import Adjoint
from stbp_edu.arrows.step.shown_program import classes, reached
from stbp_edu.arrows.step.step_functions import added
from stbp_edu.arrows.table import Table
from stbp_edu.lines.latex import GREEK, NAMED, indexed
from stbp_edu.lines.operations import OPERATIONS


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

    def __getitem__(self, k: Any) -> Any:
        """Return one formula, or some."""
        found = super().__getitem__(k)
        if isinstance(k, slice):
            return Formulas(found)
        return found

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
    text = _Text(net, rule, classes(net, rule))
    layers = ("N", "n") if net.N > 1 else ("N",)
    lines: list[Formula] = []
    for t in ("T", "t"):
        for n in layers:
            lines += text.case(t, n)
    lines += text.gradients()
    return lines


class _Text(NamedTuple):
    """The formulas of one rule on one network."""

    net: Table
    rule: Rule
    same: Mapping[Adjoint, str]

    def case(self, t: str, n: str) -> Iterator[Formula]:
        """Yield a line for each adjoint, at t or T and in layer n or N."""
        layer = self.net.N
        if n == "n":
            layer -= 1
        last_step = t == "T"
        which_t = "t = T" if last_step else "t < T"
        which_n = "n = N" if n == "N" else "n < N"
        for state, q in reached(self.net, self.rule, self.same):
            terms = []
            for arrow, head in self.rule.moves_from(self.net, layer, state, q):
                if arrow.step and last_step:
                    continue
                terms.append(self.term(arrow, head, t, n))
            left = self.adjoint(state, q, "i", t, n)
            yield Formula(left, added(terms) or "0", f"{which_t}, {which_n}")

    def term(self, arrow: Arrow, head: str, t: str, n: str) -> str:
        """Return the term of one arrow: its factor, and the adjoint at its head."""
        if arrow.target == LOSS:
            return rf"\frac{{\partial L}}{{\partial {arrow.source}_i^{{{t},{n}}}}}"
        later = f"{t}+1" if arrow.step else t
        above = f"{n}+1" if arrow.layer else n
        if arrow.link is not None:
            weight = "w" if arrow.layer else "r"
            adjoint = self.adjoint(arrow.target, head, "j", later, above)
            return rf"\sum_j {weight}_{{ji}}^{{{above}}} {adjoint}"
        letters = arrow.under(self.rule.forgets).letters
        adjoint = self.adjoint(arrow.target, head, "i", later, above)
        return f"{placed_at(letters, t, n)} {adjoint}".strip()

    def adjoint(self, state: str, q: str, i: str, t: str, n: str) -> str:
        """Return the name of an adjoint, with the rule's state where it is not the first."""
        for layer in self.net.layers[1:]:
            if state in layer.neuron.order:
                letter = layer.neuron.lines.adjoint(state)
                break
        behind = mark(self.rule, self.same[state, q])
        return f"{letter}_{i}^{{{t},{n}}}{behind}"

    def gradients(self) -> Iterator[Formula]:
        """Yield a line for each kind of parameter."""
        layer = self.net.layers[self.net.N]
        neuron = layer.neuron
        entered = self.adjoint(neuron.input, self.rule.start, "i", "t", "n")
        sent = indexed(neuron.output)
        lines = {"w_{ij}^n": rf"\sum_t {entered} {sent}_j^{{t,n-1}}"}
        lines["b_i^n"] = rf"\sum_t {entered}"
        if layer.recurrent:
            later = entered.replace("t,n", "t+1,n")
            lines["r_{ij}^n"] = rf"\sum_t {later} {sent}_j^{{t,n}}"
        for name, entries in neuron.learned.items():
            right = added([self.entered(arrow) for arrow in entries])
            if len(entries) > 1 or right[0] == "-":
                right = rf"\left({right}\right)"
            letter = indexed(name)
            if name in neuron.each:
                lines[f"{letter}_i^n"] = rf"\sum_{{t}} {right}"
            else:
                lines[f"{letter}^n"] = rf"\sum_{{t,i}} {right}"
        for name, right in lines.items():
            yield Formula(rf"\frac{{\partial L}}{{\partial {name}}}", right, "all t")

    def entered(self, enter: Arrow) -> str:
        """Return the term of a learned constant: its factor, and the adjoint where it enters."""
        letters = enter.letters
        later = "t"
        if "{-}" in letters and "{}" not in letters:  # only last states
            letters = letters.replace("{-}", "{}")
            later = "t+1"
        adjoint = self.adjoint(enter.target, self.rule.start, "i", later, "n")
        return f"{placed_at(letters, 't', 'n')} {adjoint}".strip()


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


TOKEN = re.compile(r"\\[a-zA-Z]+|\\_|[^\W\d_]|\d+(?:\.\d+)?|\S")
COMMANDS = {NAMED[name].removeprefix("\\"): sign for name, sign in GREEK.items()}
COMMANDS |= {
    "partial": "∂",
    "sum": "∑",
    "geq": "≥",
    "cdot": "·",
    "left": "",
    "right": "",
    "_": "_",
    "epsilon": "ε",
}
SCRIPT_TAGS = {"_": "msub", "^": "msup", "_^": "msubsup"}


def mathml(tex: str) -> str:
    r"""Return a formula as one ``<math>`` element.

    Known are letters, digits, signs, Greek letters, ``\partial``, ``\sum``, ``\frac``, ``\sqrt``,
    ``\bar``, ``\mathrm``, the functions of forward lines, primes and indices.

    >>> mathml(r"\tau o_i^{t}")
    '<math><mi>τ</mi><msubsup><mi>o</mi><mi>i</mi><mrow><mi>t</mi></mrow></msubsup></math>'

    Raises:
        ValueError: if a command is not known.
    """
    return f"<math>{_row(iter(TOKEN.findall(tex)))}</math>"


def _row(tokens: Iterator[str]) -> str:
    """Return everything up to the closing brace, or the end."""
    row: list[tuple[str, dict[str, str]]] = []  # each thing, and its index and exponent
    for token in tokens:
        if token == "}":
            break
        if token in "_^":
            _, scripts = row[-1]
            scripts[token] = _one(next(tokens), tokens)
        else:
            row.append((_one(token, tokens), {}))
    written = []
    for base, scripts in row:
        if not scripts:
            written.append(base)
            continue
        below = scripts.get("_", "")
        above = scripts.get("^", "")
        which = "".join(sorted(scripts, reverse=True))
        tag = SCRIPT_TAGS[which]
        written.append(f"<{tag}>{base}{below}{above}</{tag}>")
    return "".join(written)


def _one(token: str, tokens: Iterator[str]) -> str:
    """Return the group, fraction, letter, number or sign that a token begins."""
    if token == "'":
        return '<mo lspace="0" rspace="0">′</mo>'
    if token == "{":
        return f"<mrow>{_row(tokens)}</mrow>"
    if token == r"\frac":
        above = _one(next(tokens), tokens)
        below = _one(next(tokens), tokens)
        return f"<mfrac>{above}{below}</mfrac>"
    if token == r"\sqrt":
        return f"<msqrt>{_one(next(tokens), tokens)}</msqrt>"
    if token == r"\bar":
        return f"<mover>{_one(next(tokens), tokens)}<mo>¯</mo></mover>"
    if token == r"\mathrm":
        next(tokens)
        text = "".join(iter(tokens.__next__, "}"))
        text = text.replace("\\_", "_")
        return f"<mtext>{escape(text)}</mtext>"
    command = token[1:]
    if command in OPERATIONS:
        return f"<mi>{command}</mi>"
    if token.startswith("\\") and command not in COMMANDS:
        raise ValueError(f"{token} is not known here; add it to COMMANDS in {__name__}")
    sign = COMMANDS.get(command, token.replace("-", "−"))
    if not sign:
        return ""
    tag = "mo"
    if sign[0].isdigit():
        tag = "mn"
    elif sign.isalpha() or sign == "∂":
        tag = "mi"
    return f"<{tag}>{escape(sign)}</{tag}>"
