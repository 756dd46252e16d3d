"""A neuron as a program: one step forward, and one step back under a rule, as Python source.

``program`` is what a reader is shown; the engine and the bridge make their source of the same
lines.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from stbp_edu.arrows.formula_text import Adjoint, added, classes, reachable, reached
from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.forward_lines import ForwardLines, Slope
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow, Neuron

IMPORTED = {**{op: op for op in ("exp", "log", "tanh", "sqrt")}, "min": "minimum", "max": "maximum"}
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
    used = ex.ops_in(*map(ex.written_out, back.lines.lines.values()), *back.trees)
    names = sorted(name for op, name in IMPORTED.items() if op in used)
    head = [f"from numpy import {', '.join(names)}", ""] if names else []
    if back.lines.spike:
        head += ["# spike(v) is 1 where v >= 0, else 0; h(v) stands in for its derivative", ""]
    return "\n".join([*head, back.source()])


def steps_back(net: Network, rule: Rule) -> list[Any]:
    """Return for each layer the step back that the gradients need, None for the input.

    Raises:
        ValueError: if a layer's neuron has no forward lines, or the rule keeps no word.
    """
    rule.check(net)
    for n in range(1, net.N + 1):
        if net.layers[n].neuron.lines is None:
            raise ValueError(
                f"the neuron of layer {n} has no forward lines, but a table made by hand; write "
                "it as lines for stbp_edu.derive"
            )
    same = classes(net, rule)
    leaving = [[a for a in table if a.leaves] for table in net.arrows]

    def heads(node: tuple[int, str, str]) -> Iterator[tuple[int, str, str]]:
        """Yield the adjoints in the terms of one: (layer, state, state of the rule)."""
        n, *adjoint = node
        for arrow, head in rule.moves_from(net, n, *adjoint):
            if arrow.target != LOSS:
                yield n + arrow.layer, arrow.target, same[arrow.target, head]

    neurons = [(n, net.layers[n].neuron) for n in range(1, net.N + 1)]
    read = [(n, [one.input, *(enter.target for _, enter in one.enters)]) for n, one in neurons]
    start = [(n, state, rule.start) for n, states in read for state in dict.fromkeys(states)]
    needed = reachable(start, heads)
    return [
        None,
        *(
            StepBack(net, n, rule, same, [(s, q) for k, s, q in needed if k == n], leaving[n])
            for n in range(1, net.N + 1)
        ),
    ]


def _function(
    name: str, arguments: list[str], results: list[str], body: list[str], what: str
) -> list[str]:
    """Return the lines of a function; what is said of it may go on in a second paragraph."""
    head = f"def {name}({', '.join(arguments)}):"
    what, _, more = what.partition("\n")
    explained = ["", *(f"    {line}" for line in textwrap.wrap(more, 92)), '    """']
    return [
        *textwrap.wrap(head, 96, subsequent_indent=" " * (len(name) + 5), break_long_words=False),
        f'    """Return the {what}.' + ("" if more else '"""'),
        *(explained if more else []),
        *(f"    {line}" for line in body),
        f"    return {', '.join(results)}",
    ]


class Row(NamedTuple):
    """A line of a step back: what is assigned, the terms of its sum, and their arrows."""

    name: str
    terms: list[ex.Expression]
    arrows: str = ""


@dataclass(frozen=True)
class StepBack:
    """One step back of the neuron of a layer under a rule.

    Attributes:
        net, n, rule: the network, the layer, the rule.
        same: which states of the rule share an adjoint.
        nodes: the adjoints that it returns.
        leaving: the arrows that leave the neuron.
    """

    net: Network
    n: int
    rule: Rule
    same: Mapping[Adjoint, str]
    nodes: Sequence[Adjoint]
    leaving: Sequence[Arrow]

    @property
    def neuron(self) -> Neuron:
        """The neuron of the layer."""
        return self.net.layers[self.n].neuron

    @property
    def lines(self) -> ForwardLines:
        """Its forward lines."""
        return self.neuron.lines

    def source(self) -> str:
        """Return a step forward and a step back as Python source."""
        states, constants = [*self.lines.lines], [*self.lines.constants]
        forward = [f"{s} = {ex.python(line)}" for s, line in self.lines.lines.items()]
        backward = [
            f"{name} = {added(map(ex.python, terms)) or '0.0'}" + (f"  # {why}" if why else "")
            for name, terms, why in self.rows
        ]
        returned = "states of a step from the input x and the last ones, which begin at 0"
        adjoints = f"adjoints of a step under the rule {self.rule.name}\n{self._use()}"
        given = [*self.arguments, *constants]
        return "\n".join(
            [
                *_function("forward", [*states, "x", *constants], states, forward, returned),
                *("", ""),
                *_function("backward", given, self.results, backward, adjoints),
            ]
        )

    def _use(self) -> str:
        """Return where a run back begins, and how gradients follow from the adjoints."""
        d, own = f"d_{self.neuron.input}", self.neuron.output
        sums = [f"{d} sums to the gradient of b", f"{d} times the output below to that of W"]
        sums.append(f"{d} times {own} of the step before to that of R")
        sums += [f"g_{name} to that of {name}" for name in self.neuron.learned]
        over = "steps and samples" + " (and neurons, for what a layer shares)" * (len(sums) > 3)
        start = "At the last step all that ends in _next is 0."
        return f"{start} Over {over}, {', '.join(sums[:-1])}, and {sums[-1]}."

    @cached_property
    def rows(self) -> list[Row]:
        """The lines: each adjoint in the order in which they follow, then what is learned."""
        return [*self._adjoints(), *self._gradients()]

    @property
    def results(self) -> list[str]:
        """The names that it returns: ``d_...`` of the adjoints, ``g_...`` of what is learned."""
        return [row.name for row in self.rows]

    @property
    def trees(self) -> list[ex.Expression]:
        """All terms."""
        return [term for row in self.rows for term in row.terms]

    @cached_property
    def arguments(self) -> list[str]:
        """The values that it reads, in the order of the states, then the rest; no constants."""
        read = {name.name for tree in self.trees for name in ex.names_in(tree) if name.when}
        states = [s + after for s in self.neuron.order for after in SHIFTED.values()]
        signals = sorted(name for name in read if name.startswith("signal"))
        later = sorted(name for name in read if name.startswith("d_") and name.endswith("_next"))
        return [*(name for name in states if name in read), *signals, *later]

    @cached_property
    def signals(self) -> dict[str, list[tuple[Arrow, str]]]:
        """By the name of a signal, what hands it back: arrows that leave, and the rule's state.

        Those of the output come first.
        """
        found = {}
        for state, q in sorted(self.nodes, key=lambda node: node[0] != self.neuron.output):
            if name := self.signal(state, q):
                moves = ((a, self.rule.move(q, a)) for a in self.leaving if a.source == state)
                found[name] = [(a, self.same.get((a.target, to), LOSS)) for a, to in moves if to]
        return found

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
        own = f"d_{state}" if shared == self.rule.start else _named(f"d_{state}", shared)
        return own + after

    def _adjoints(self) -> Iterator[Row]:
        """Yield the line of each adjoint."""
        order = [*reversed(self.neuron.order)]
        slopes = {slope.kind: slope for slope in self.lines.slopes}
        for node in sorted(self.nodes, key=lambda node: order.index(node[0])):
            moves = self.rule.moves_from(self.net, self.n, *node)
            inside = [(slopes[arrow.kind], head) for arrow, head in moves if not arrow.leaves]
            signal = self.signal(*node)
            terms: list[ex.Expression] = [ex.Name(signal, "now")] if signal else []
            terms += [self._term(slope, head) for slope, head in inside]
            yield Row(self.name(*node), terms, ", ".join(slope.kind for slope, _ in inside))

    def _gradients(self) -> Iterator[Row]:
        """Yield what this step adds to the gradient of each learned constant."""
        for name in self.neuron.learned:
            terms = [
                self._product(factor, 0, self.name(state, self.rule.start))
                for state, factor in self.lines.enters(name)
            ]
            yield Row(f"g_{name}", terms)

    def signal(self, state: str, q: str) -> str:
        """Return the name of what other neurons and the loss hand back to a state, or ""."""
        leaves = {one: self._leaving(state, one) for s, one in self.nodes if s == state}
        if not any(leaves[q]):
            return ""
        name = "signal" if state == self.neuron.output else f"signal_{state}"
        return name if len({*leaves.values()}) == 1 else _named(name, q)

    def _leaving(self, state: str, q: str) -> tuple[str | None, ...]:
        """Return where the arrows lead that leave a state: the state of the rule there."""
        moves = [(a.target, self.rule.move(q, a)) for a in self.leaving if a.source == state]
        return tuple(q and self.same.get((target, q), LOSS) for target, q in moves)

    def _term(self, slope: Slope, head: str) -> ex.Expression:
        """Return the term of one arrow: its factor times the adjoint at its head."""
        forgets = slope.kind in self.rule.forgets and slope.kind == "carry"
        factor = self.lines.silent(slope.factor) if forgets else slope.factor
        adjoint = self.name(slope.target, head, SHIFTED[slope.step])
        return self._product(factor, slope.step, adjoint)

    def _product(self, factor: ex.Expression, step: int, adjoint: str) -> ex.Expression:
        """Return a factor, its names placed around the step of its tail, times an adjoint."""
        last = ex.Name(adjoint, "now")
        if factor in (ex.ONE, ex.Number(-1)):
            return last if factor == ex.ONE else ex.Call("neg", (last,))
        factor = tidy(ex.written_out(factor))
        states = (name for name in ex.names_in(factor) if name.when)
        by = {s: ex.Name(s.name + SHIFTED[step - (s.when == "last")], s.when) for s in states}
        return ex.Call("*", (ex.replaced(factor, by), last))


def _named(name: str, q: str) -> str:
    """Return a name with a state of the rule."""
    return name + "_" + re.sub(r"\W", "_", q)
