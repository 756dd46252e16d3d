"""A neuron as a program: one step forward, and one step back under a rule, as Python source."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from stbp_edu.arrows.formula_text import added, classes, reached
from stbp_edu.arrows.lines.expressions import (
    ONE,
    Call,
    Expression,
    Name,
    Number,
    names_in,
    ops_in,
    python,
    replaced,
    written_out,
)
from stbp_edu.arrows.lines.forward_lines import ForwardLines, Slope
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS

IMPORTED = {**{op: op for op in ("exp", "log", "tanh", "sqrt")}, "min": "minimum", "max": "maximum"}
SHIFTED = {-1: "_last", 0: "", 1: "_next"}


def program(net: Network, rule: Rule) -> str:
    """Return the source of the last layer's neuron, which must have forward lines.

    ``forward`` is a step of it, ``backward`` a step back: each adjoint is the sum of one term for
    each arrow that leaves. What the arrows to other neurons and to the loss hand back comes in as
    ``signal``; ``_next`` and ``_last`` mark what belongs to the steps around this one.
    """
    lines: ForwardLines = net.layers[net.N].neuron.lines
    back = _Backward(net, rule)
    body = [*back.adjoints(), *back.gradients()]
    used = ops_in(*map(written_out, lines.lines.values()), *back.used)
    names = sorted(name for op, name in IMPORTED.items() if op in used)
    head = [f"from numpy import {', '.join(names)}", ""] if names else []
    if lines.spike:
        head += ["# spike(v) is 1 where v >= 0, else 0; h(v) stands in for its derivative", ""]
    states, constants = [*lines.lines], [*lines.constants]
    forward = [f"{state} = {python(line, lambda n: n.name)}" for state, line in lines.lines.items()]
    backward = [f"{left} = {right}" + (f"  # {why}" if why else "") for left, right, why in body]
    return "\n".join(
        [
            *head,
            *_function(
                "forward",
                [*states, "x", *constants],
                states,
                forward,
                "states of a step from the input x and the last ones, which begin at 0",
            ),
            *("", ""),
            *_function(
                "backward",
                [*back.arguments(), *constants],
                [row[0] for row in body],
                backward,
                f"adjoints of a step under the rule {rule.name}",
                back.use(),
            ),
        ]
    )


def _function(
    name: str, arguments: list[str], results: list[str], body: list[str], what: str, more: str = ""
) -> list[str]:
    """Return the lines of a function."""
    head = f"def {name}({', '.join(arguments)}):"
    explained = [f"    {line}" for line in textwrap.wrap(more, 92)]
    return [
        *textwrap.wrap(head, 96, subsequent_indent=" " * (len(name) + 5), break_long_words=False),
        f'    """Return the {what}.' + '"""' * (not more),
        *(["", *explained, '    """'] if more else []),
        *(f"    {line}" for line in body),
        f"    return {', '.join(results)}",
    ]


class _Backward:
    """The lines of one step back."""

    def __init__(self, net: Network, rule: Rule) -> None:
        """Find which adjoints the rule needs, each once."""
        self.net, self.rule = net, rule
        self.neuron = net.layers[net.N].neuron
        self.lines: ForwardLines = self.neuron.lines
        self.same = classes(net, rule)
        self.found = reached(net, rule, self.same)
        self.used: list[Expression] = []

    def adjoints(self) -> Iterator[tuple[str, str, str]]:
        """Yield (name, sum, its arrows) for each adjoint, in the order in which they follow."""
        order = [*reversed(self.neuron.order)]
        slopes = {slope.kind: slope for slope in self.lines.slopes}
        for node in sorted(self.found, key=lambda node: order.index(node[0])):
            moves = self.rule.moves_from(self.net, self.net.N, *node)
            inside = [(slopes[arrow.kind], head) for arrow, head in moves if not arrow.leaves]
            signal = self.signal(*node)
            terms: list[Expression] = [Name(signal)] if signal else []
            terms += [self.term(slope, head) for slope, head in inside]
            yield self.name(*node), self.sum(terms), ", ".join(slope.kind for slope, _ in inside)

    def gradients(self) -> Iterator[tuple[str, str, str]]:
        """Yield (name, sum, "") for each learned constant: what this step adds to its gradient."""
        for name in self.neuron.learned:
            terms = [
                self.product(factor, 0, self.name(state, self.rule.start))
                for state, factor in self.lines.enters(name)
            ]
            yield f"g_{name}", self.sum(terms), ""

    def use(self) -> str:
        """Return where a run back begins, and how gradients follow from the adjoints."""
        entered, own = f"d_{self.neuron.input}", []
        for name in self.neuron.learned:
            each = dict(self.neuron.enters)[name].each
            own.append(f"g_{name}{'' if each else ', also over neurons,'} to that of {name}")
        sums = [
            f"{entered} sums to the gradient of b",
            f"{entered} times the output of the layer below to that of W",
            f"{entered} times {self.neuron.output} of the step before to that of R",
            *own,
        ]
        return (
            "At the last step all that ends in _next is 0. Over steps and samples, "
            f"{', '.join(sums[:-1])}, and {sums[-1]}."
        )

    def arguments(self) -> list[str]:
        """Return the values that a step back reads, in the order of the states, then the rest."""
        read = {name.name for tree in self.used for name in names_in(tree) if name.when}
        states = [s + after for s in self.neuron.order for after in SHIFTED.values()]
        signals = sorted(name for name in read if name.startswith("signal"))
        later = sorted(name for name in read if name.startswith("d_") and name.endswith("_next"))
        return [*(name for name in states if name in read), *signals, *later]

    def signal(self, state: str, q: str) -> str:
        """Return the name of what other neurons and the loss hand back to a state, or ""."""
        if state != self.neuron.output:
            return ""
        leaves = {one: self.leaving(one) for kind, one in self.found if kind == state}
        if not any(leaves[q]):
            return ""
        return "signal" if len({*leaves.values()}) == 1 else _named("signal", q)

    def leaving(self, q: str) -> tuple[str | None, ...]:
        """Return where the arrows lead that leave the neuron: the state of the rule there."""
        leaving = [a for table in self.net.arrows for a in table if a.leaves]
        moves = [(a.target, self.rule.move(q, a)) for a in leaving]
        return tuple(q and self.same.get((target, q), LOSS) for target, q in moves)

    def name(self, state: str, q: str, after: str = "") -> str:
        """Return the name of an adjoint."""
        shared = self.same[state, q]
        own = f"d_{state}" if shared == self.rule.start else _named(f"d_{state}", shared)
        return own + after

    def term(self, slope: Slope, head: str) -> Expression:
        """Return the term of one arrow: its factor times the adjoint at its head."""
        forgets = slope.kind in self.rule.forgets
        factor = self.lines.silent(slope.factor) if forgets else slope.factor
        adjoint = self.name(slope.target, head, SHIFTED[slope.step])
        return self.product(factor, slope.step, adjoint)

    def product(self, factor: Expression, step: int, adjoint: str) -> Expression:
        """Return a factor, its names placed around the step of its tail, times an adjoint."""
        last = Name(adjoint, "now")
        if factor in (ONE, Number(-1)):
            return last if factor == ONE else Call("neg", (last,))
        factor = tidy(written_out(factor))
        states = (name for name in names_in(factor) if name.when)
        by = {s: Name(s.name + SHIFTED[step - (s.when == "last")], s.when) for s in states}
        return Call("*", (replaced(factor, by), last))

    def sum(self, terms: list[Expression]) -> str:
        """Return a sum as Python."""
        self.used += [Name(t.name, "now") if isinstance(t, Name) else t for t in terms]
        texts = [python(term, lambda name: name.name) for term in terms]
        return added(texts) or "0.0"


def _named(name: str, q: str) -> str:
    """Return a name with a state of the rule."""
    return name + "_" + re.sub(r"\W", "_", q)
