"""A neuron as a program: one step forward, and one step back under a rule, as Python source.

``program`` is what a reader is shown; the engine and the bridge make their source of the same
lines.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.forward_lines import ForwardLines, Slope, reachable
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow, Neuron

IMPORTED = {
    **{op: op for op in ("exp", "log", "tanh", "sqrt")},
    "min": "minimum",
    "max": "maximum",
}
Adjoint = tuple[str, str]
"""A state of the neuron, and a state of the rule."""
MINUS_ONE = ex.Number(-1)
SHIFTED = {-1: "_last", 0: "", 1: "_next"}


def program(net: Network, rule: Rule) -> str:
    """Return the source of the last layer's neuron, which must have forward lines.

    ``forward`` is a step of it, ``backward`` a step back: each adjoint is the sum of one term for
    each arrow that leaves. What the arrows to other neurons and to the loss hand back comes in as
    ``signal``; ``_next`` and ``_last`` mark what belongs to the steps around this one.
    """
    same = classes(net, rule)
    leaving = [a for table in net.arrows for a in table if a.leaves]
    back = StepBack(net, net.N, rule, same, reached(net, rule, same), leaving)
    lines = [ex.written_out(line) for line in back.lines.lines.values()]
    used = ex.ops_in(*lines, *(factor for row in back.rows for factor, _ in row.terms))
    names = sorted(name for op, name in IMPORTED.items() if op in used)
    head = [f"from numpy import {', '.join(names)}", ""] if names else []
    if back.lines.spike:
        head += [
            "# spike(v) is 1 where v >= 0, else 0; h(v) stands in for its derivative",
            "",
        ]
    return "\n".join([*head, back.source()])


def _use(neuron: Neuron) -> str:
    """Return where a run back begins, and how gradients follow from the adjoints."""
    d = f"d_{neuron.input}"
    sums = [
        f"{d} sums to the gradient of b",
        f"{d} times the output below to that of W",
    ]
    sums.append(f"{d} times {neuron.output} of the step before to that of R")
    sums += [f"g_{name} to that of {name}" for name in neuron.learned]
    over = "steps and samples" + " (and neurons, for what a layer shares)" * (
        len(sums) > 3
    )
    start = "At the last step all that ends in _next is 0."
    return f"{start} Over {over}, {', '.join(sums[:-1])}, and {sums[-1]}."


def _function(
    name: str, arguments: list[str], results: list[str], body: list[str], what: str
) -> list[str]:
    """Return the lines of a function; what is said of it may go on in a second paragraph."""
    head = f"def {name}({', '.join(arguments)}):"
    what, _, more = what.partition("\n")
    explained = ["", *(f"    {line}" for line in textwrap.wrap(more, 92)), '    """']
    return [
        *textwrap.wrap(
            head, 96, subsequent_indent=" " * (len(name) + 5), break_long_words=False
        ),
        f'    """Return the {what}.' + ("" if more else '"""'),
        *(explained if more else []),
        *(f"    {line}" for line in body),
        f"    return {', '.join(results)}",
    ]


def classes(net: Network, rule: Rule) -> dict[Adjoint, str]:
    """Return for (state, q) the first q with the same adjoint, by Moore's algorithm."""
    arrows = [a for table in net.arrows for a in table]
    states = sorted({state for of in net.states[1:] for state in of})
    same = {(s, q): rule.start for s in states for q in rule.moves}
    while True:
        seen: dict[Any, str] = {}
        finer = {}
        for s, q in same:
            heads = [(a.target, rule.move(q, a)) for a in arrows if a.source == s]
            ends = tuple(
                None if q is None else same.get((k, q), LOSS) for k, q in heads
            )
            finer[s, q] = seen.setdefault((s, same[s, q], ends), q)
        if finer == same:
            return same
        same = finer


def reached(net: Network, rule: Rule, same: Mapping[Adjoint, str]) -> list[Adjoint]:
    """Return the adjoints that the recursion needs, each (state, shared q) once, spike first."""

    def heads(node: Adjoint) -> Iterator[Adjoint]:
        """Yield the adjoints in the terms of one."""
        moves = (
            move for n in range(net.N + 1) for move in rule.moves_from(net, n, *node)
        )
        return (
            (a.target, same[a.target, head]) for a, head in moves if a.target != LOSS
        )

    return reachable([(s, rule.start) for s in reversed(net.states[net.N])], heads)


def steps_back(net: Network, rule: Rule) -> list[Any]:
    """Return for each layer the step back that the gradients need, None for the input."""
    rule.check(net)
    start: list[tuple[int, str, str]] = []
    for n, layer in enumerate(net.layers[1:], 1):
        read = [layer.neuron.input, *(enter.target for enter in layer.neuron.enters)]
        start += [(n, state, rule.start) for state in dict.fromkeys(read)]
    same = classes(net, rule)

    def heads(node: tuple[int, str, str]) -> Iterator[tuple[int, str, str]]:
        """Yield the adjoints in the terms of one: (layer, state, state of the rule)."""
        n, *adjoint = node
        for arrow, head in rule.moves_from(net, n, *adjoint):
            if arrow.target != LOSS:
                yield n + arrow.layer, arrow.target, same[arrow.target, head]

    backs: list[Any] = [None]
    needed = reachable(start, heads)
    for n in range(1, net.N + 1):
        nodes, leaving = [node[1:] for node in needed if node[0] == n], net.arrows[n]
        backs.append(
            StepBack(net, n, rule, same, nodes, [a for a in leaving if a.leaves])
        )
    return backs


Term = tuple[ex.Expression, str]
"""A factor, and the adjoint or signal that it multiplies."""


class Row(NamedTuple):
    """A line of a step back: what is assigned, and the terms of its sum with their arrows."""

    name: str
    terms: list[Term]
    arrows: str = ""

    def source(self, written: Callable[[ex.Expression], str], zero: str) -> str:
        """Return the line as source, by what writes an expression; of 1 only the sign is left."""
        terms: list[ex.Expression] = []
        for factor, head in self.terms:
            adjoint = ex.Name(head, "now")
            alone: dict[ex.Expression, ex.Expression] = {
                ex.ONE: adjoint,
                MINUS_ONE: -adjoint,
            }
            terms.append(alone.get(factor, factor * adjoint))
        line = f"{self.name} = {added(map(written, terms)) or zero}"
        return line + (f"  # {self.arrows}" if self.arrows else "")


@dataclass(frozen=True)
class StepBack:
    """One step back of the neuron of layer n under a rule."""

    net: Network
    n: int
    rule: Rule
    same: Mapping[Adjoint, str]  # which states of the rule share an adjoint
    nodes: Sequence[Adjoint]  # those that it returns
    leaving: Sequence[Arrow]  # of the neuron

    @property
    def neuron(self) -> Neuron:
        """The neuron of the layer."""
        return self.net.layers[self.n].neuron

    @property
    def lines(self) -> ForwardLines:
        """Its forward lines."""
        return self.neuron.lines

    @property
    def start(self) -> str:
        """The adjoint that weights and biases get."""
        return self.name(self.neuron.input, self.rule.start)

    def behind(self, q: str) -> str | None:
        """Return the adjoint that weights hand back to state q of the rule; None if they cannot."""
        to = self.rule.move(q, Arrow("weight", "o", LOSS, layer=1))  # wherever it leads
        if (
            to is None
            or (self.neuron.input, self.same[self.neuron.input, to]) not in self.nodes
        ):
            return None
        return self.name(self.neuron.input, to)

    def source(self) -> str:
        """Return a step forward and a step back as Python source."""
        lines, known = self.lines.lines, [*self.lines.constants]
        forward = [f"{s} = {ex.python(line)}" for s, line in lines.items()]
        backward = [row.source(ex.python, "0.0") for row in self.rows]
        states, results = [*lines], [row.name for row in self.rows]
        returned = (
            "states of a step from the input x and the last ones, which begin at 0"
        )
        adjoints = (
            f"adjoints of a step under the rule {self.rule.name}\n{_use(self.neuron)}"
        )
        given = [*self.reads, *sorted(self.signals), *self.later, *known]
        return "\n".join(
            [
                *_function(
                    "forward", [*states, "x", *known], states, forward, returned
                ),
                *("", ""),
                *_function("backward", given, results, backward, adjoints),
            ]
        )

    @cached_property
    def rows(self) -> list[Row]:
        """The lines: each adjoint in the order in which they follow, then what is learned."""
        order, found = [*reversed(self.neuron.order)], []
        slopes = {slope.kind: slope for slope in self.lines.slopes}
        for node in sorted(self.nodes, key=lambda node: order.index(node[0])):
            moves = self.rule.moves_from(self.net, self.n, *node)
            inside = [
                (slopes[arrow.kind], head) for arrow, head in moves if not arrow.leaves
            ]
            signal = self.signal(*node)
            terms: list[Term] = [(ex.ONE, signal)] if signal else []
            terms += [self._term(slope, head) for slope, head in inside]
            found.append(
                Row(
                    self.name(*node),
                    terms,
                    ", ".join(slope.kind for slope, _ in inside),
                )
            )
        for name in self.neuron.learned:
            own = [
                self._term(slope, self.rule.start) for slope in self.lines.enters(name)
            ]
            found.append(Row(f"g_{name}", own))
        return found

    @cached_property
    def reads(self) -> list[str]:
        """The states that it reads, in their order; ``_last`` and ``_next`` are of other steps."""
        factors = (factor for row in self.rows for factor, _ in row.terms)
        read = {name.name for factor in factors for name in ex.names_in(factor)}
        every = (s + after for s in self.neuron.order for after in SHIFTED.values())
        return [name for name in every if name in read]

    @cached_property
    def later(self) -> list[str]:
        """The adjoints of the next step that it reads."""
        heads = {head for row in self.rows for _, head in row.terms if head[:2] == "d_"}
        return sorted(head for head in heads if head.endswith("_next"))

    @cached_property
    def signals(self) -> dict[str, list[tuple[Arrow, str]]]:
        """By the name of a signal, what hands it back: arrows that leave, and the rule's state.

        Those of the output come first.
        """
        nodes = sorted(self.nodes, key=lambda node: node[0] != self.neuron.output)
        return {
            name: self._handed(*node) for node in nodes if (name := self.signal(*node))
        }

    @property
    def again(self) -> list[tuple[str, str, str]]:
        """The adjoints that the layer's own next step adds to, by which signal, and those there."""
        return [
            (self.name(*node), signal, self.name(self.neuron.input, q))
            for node in self.nodes
            if (signal := self.signal(*node))
            for arrow, q in self.signals[signal]
            if arrow.step
        ]

    def name(self, state: str, q: str, after: str = "") -> str:
        """Return the name of an adjoint."""
        shared = self.same[state, q]
        own = (
            f"d_{state}" if shared == self.rule.start else _named(f"d_{state}", shared)
        )
        return own + after

    def signal(self, state: str, q: str) -> str:
        """Return the name of what other neurons and the loss hand back to a state, or ""."""
        every = {one: self._handed(s, one) for s, one in self.nodes if s == state}
        heads = {
            one: [(arrow.kind, to) for arrow, to in handed]
            for one, handed in every.items()
        }
        if not heads[q]:
            return ""
        name = "signal" if state == self.neuron.output else f"signal_{state}"
        return (
            name if all(one == heads[q] for one in heads.values()) else _named(name, q)
        )

    def _handed(self, state: str, q: str) -> list[tuple[Arrow, str]]:
        """Return the arrows that leave the neuron here, and the state of the rule after each."""
        moves = ((a, self.rule.move(q, a)) for a in self.leaving if a.source == state)
        return [(a, self.same.get((a.target, to), LOSS)) for a, to in moves if to]

    def _term(self, slope: Slope, head: str) -> Term:
        """Return the term of one arrow: its factor, around the step of its tail, and an adjoint."""
        forgets = slope.kind in self.rule.forgets and slope.kind == "carry"
        factor = self.lines.silent(slope.factor) if forgets else slope.factor
        factor = tidy(ex.written_out(factor))
        states = (name for name in ex.names_in(factor) if name.when)
        by = {
            s: ex.Name(s.name + SHIFTED[slope.step - (s.when == "last")], s.when)
            for s in states
        }
        return ex.replaced(factor, by), self.name(
            slope.target, head, SHIFTED[slope.step]
        )


def added(terms: Iterable[str]) -> str:
    """Return a sum, such as a - b of the terms a and -b."""
    return " + ".join(terms).replace("+ -", "- ")


def _named(name: str, q: str) -> str:
    """Return a name with a state of the rule."""
    return name + "_" + re.sub(r"\W", "_", q)
