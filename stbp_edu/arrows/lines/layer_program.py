"""The program of one layer: its two functions, from the forward lines and a rule.

Under the exact rule, a step back of ``u = tau * u * (1 - o) + x; o = spike(u - v_th)`` is:

    d_o = signal - tau * u * d_u_next
    d_u = h(u - v_th) * d_o + tau * (1 - o) * d_u_next

- An *adjoint*, such as ``d_u``, belongs to a state of the neuron and a state of the rule.
- A *signal* is what weights, recurrent weights and the loss pass back to an adjoint.
- Each line adds up one term for each arrow that leaves the state: the arrow's factor times the
  adjoint at its head, ``_next`` where the arrow takes a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.forward_lines import ForwardLines, Slope, reachable
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.arrows.lines.step_functions import (
    Assignment,
    Names,
    StepFunction,
    Term,
    Variable,
)
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.rules import Rule, groups
from stbp_edu.arrows.table import LOSS, Arrow, Neuron

Adjoint = tuple[str, str]
"""A state of the neuron, and a state of the rule."""
STATE = "state"
"""Marks a name in a factor that is a state, at whatever step."""


@dataclass(frozen=True)
class LayerProgram:
    """The program of layer n under a rule.

    Attributes:
        net: the network.
        n: which layer.
        rule: the rule.
        same: by (state, state of the rule) the first state of the rule with the same adjoint.
        nodes: the adjoints that a step back returns.
        leaving: the arrows that leave the neuron.
        with_signal: the adjoints that have a signal of their own; None where the arrows tell.
    """

    net: Network
    n: int
    rule: Rule
    same: Mapping[Adjoint, str]
    nodes: Sequence[Adjoint]
    leaving: Sequence[Arrow]
    with_signal: tuple[Adjoint, ...] | None = None

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

    def from_weights(self, q: str) -> str | None:
        """Return the adjoint that weights pass back to state q of the rule; None if they cannot."""
        to = self.rule.move(q, Arrow("weight", "o", LOSS, layer=1))  # wherever it leads
        entered = self.neuron.input
        if to is None or (entered, self.same[entered, to]) not in self.nodes:
            return None
        return self.name(entered, to)

    def source(self) -> str:
        """Return both functions as Python source."""
        return "\n\n\n".join(function.source() for function in self.functions)

    @cached_property
    def functions(self) -> tuple[StepFunction, StepFunction]:
        """A step forward, and a step back."""
        return self.forward, self.backward

    @cached_property
    def forward(self) -> StepFunction:
        """One step forward."""
        states, constants = [*self.lines.lines], [*self.lines.constants]
        lines = [
            Assignment(state, (Term(ex.written_out(line)),))
            for state, line in self.lines.lines.items()
        ]
        says = "Return the states of a step from the input x and the last ones, which begin at 0."
        return StepFunction("forward", [*states, "x", *constants], lines, states, says)

    @cached_property
    def backward(self) -> StepFunction:
        """One step back."""
        arguments = [
            *map(self.names.__getitem__, self.states_read),
            *sorted(self.signals),
            *map(self.names.__getitem__, self.next_adjoints),
            *self.lines.constants,
        ]
        results = [line.name for line in self.rows]
        says = f"Return the adjoints of a step under the rule {self.rule.name}.\n\n{self._use()}"
        return StepFunction(
            "backward", arguments, [*self._limits, *self.rows], results, says
        )

    def _use(self) -> str:
        """Return where a run back begins, and how gradients follow from the adjoints."""
        d, output = self.start, self.neuron.output
        sums = [
            f"{d} sums to the gradient of b",
            f"{d} times the output below to that of W",
            f"{d} times {output} of the step before to that of R",
        ]
        sums += [
            f"{self.gradients[name]} to that of {name}" for name in self.neuron.learned
        ]
        over = "steps and samples"
        if self.neuron.learned:
            over += " (and neurons, for what a layer shares)"
        last = "At the last step"
        if self.rule.block:
            last += f" of each block of {self.rule.block}"
        first = f"{last} all that ends in _next is 0."
        return f"{first} Over {over}, {', '.join(sums[:-1])}, and {sums[-1]}."

    @cached_property
    def names(self) -> Names:
        """The names of all variables: first the reader's, which stay as they are."""
        names, order = Names(), self.neuron.order
        for constant in self.lines.constants:
            names.add(Variable("constant", constant), constant)
        for state in dict.fromkeys([*order, "x"]):
            names.add(Variable("state", state), state)
        for state in order:
            names.add(Variable("state", state, step=-1), f"{state}_last")
            names.add(Variable("state", state, step=1), f"{state}_next")
        start = self.rule.start
        every = sorted({(s, q) for (s, _), q in self.same.items() if s in order})
        for state, q in sorted(every, key=lambda node: node[1] != start):
            own = names.add(
                Variable("adjoint", state, q),
                f"d_{state}" if q == start else f"d_{state}_{q}",
            )
            names.add(Variable("adjoint", state, q, 1), f"{own}_next")
        for state, q in self.nodes:
            signal = self._signal_of(state, q)
            if signal is not None and signal not in names:
                wanted = "signal" if state == self.neuron.output else f"signal_{state}"
                names.add(signal, f"{wanted}_{signal.q}" if signal.q else wanted)
        for constant in self.neuron.learned:
            names.add(Variable("gradient", constant), f"g_{constant}")
        return names

    def name(self, state: str, q: str, step: int = 0) -> str:
        """Return the name of an adjoint."""
        return self.names[Variable("adjoint", state, self.same[state, q], step)]

    def signal(self, state: str, q: str) -> str:
        """Return the name of what other neurons and the loss pass back to a state, or ""."""
        signal = self._signal_of(state, q)
        return "" if signal is None else self.names[signal]

    @cached_property
    def gradients(self) -> dict[str, str]:
        """By constant that is learned, the name of what sums to its gradient."""
        learned = self.neuron.learned
        return {one: self.names[Variable("gradient", one)] for one in learned}

    @cached_property
    def rows(self) -> list[Assignment]:
        """The lines: each adjoint in the order in which they follow, then what is learned."""
        order, found = [*reversed(self.neuron.order)], []
        slopes = {slope.kind: slope for slope in self.lines.slopes}
        for state, q in sorted(self.nodes, key=lambda node: order.index(node[0])):
            signal, terms, kinds = self.signal(state, q), [], []
            if signal:
                terms.append(Term(ex.ONE, signal))
            for arrow, head in self.rule.moves_from(self.net, self.n, state, q):
                if not arrow.leaves:
                    terms.append(self._term(slopes[arrow.kind], head))
                    kinds.append(arrow.kind)
            found.append(
                Assignment(self.name(state, q), tuple(terms), ", ".join(kinds))
            )
        for constant, name in self.gradients.items():
            entered = self.lines.enters(constant)
            terms = [self._term(slope, self.rule.start) for slope in entered]
            found.append(Assignment(name, tuple(terms)))
        return found

    def _term(self, slope: Slope, head: str) -> Term:
        """Return the term of one arrow: its factor, around the step of its tail, and an adjoint."""
        forgets = slope.kind in self.rule.forgets and slope.kind == "carry"
        factor = self.lines.silent(slope.factor) if forgets else slope.factor
        factor = tidy(ex.written_out(factor))
        by: dict[ex.Name, ex.Expression] = {}
        for name in ex.names_in(factor):
            if name.when:
                step = slope.step - (name.when == "last")
                by[name] = ex.Name(
                    self.names[Variable("state", name.name, step=step)], STATE
                )
        return Term(ex.replaced(factor, by), self.name(slope.target, head, slope.step))

    @cached_property
    def states_read(self) -> list[Variable]:
        """The states that a step back reads, in their order, of this step and those around it."""
        factors = [term.factor for row in self.rows for term in row.terms]
        read = {
            name.name for factor in factors for name in ex.names_in(factor) if name.when
        }
        every = [
            Variable("state", state, step=step)
            for state in self.neuron.order
            for step in (-1, 0, 1)
        ]
        return [one for one in every if self.names[one] in read]

    @cached_property
    def next_adjoints(self) -> list[Variable]:
        """The adjoints of the next step that a step back reads, in the order of their names."""
        read = {term.of for row in self.rows for term in row.terms}
        every = [Variable("adjoint", state, q, 1) for state, q in self.nodes]
        found = [one for one in every if self.names[one] in read]
        return sorted(found, key=self.names.__getitem__)

    @cached_property
    def signals(self) -> dict[str, list[tuple[Arrow, str]]]:
        """By the name of a signal, the arrows that pass it back, and the rule's state after each.

        Those of the output come first.
        """
        nodes = sorted(self.nodes, key=lambda node: node[0] != self.neuron.output)
        return {
            name: self._passed_back(*node)
            for node in nodes
            if (name := self.signal(*node))
        }

    @property
    def from_recurrence(self) -> list[tuple[str, str, str]]:
        """The adjoints that the layer's own next step adds to, by which signal, and those there."""
        entered = self.neuron.input
        return [
            (self.name(state, q), signal, self.name(entered, to))
            for state, q in self.nodes
            if (signal := self.signal(state, q))
            for arrow, to in self.signals[signal]
            if arrow.step
        ]

    def _signal_of(self, state: str, q: str) -> Variable | None:
        """Return the signal of an adjoint, which all of a state share if they get the same."""
        if self.with_signal is not None:
            return (
                Variable("signal", state, q) if (state, q) in self.with_signal else None
            )
        heads = {
            one: [(arrow.kind, to) for arrow, to in self._passed_back(s, one)]
            for s, one in self.nodes
            if s == state
        }
        if not heads[q]:
            return None
        shared = all(one == heads[q] for one in heads.values())
        return Variable("signal", state, "" if shared else q)

    def _passed_back(self, state: str, q: str) -> list[tuple[Arrow, str]]:
        """Return the arrows that leave the neuron here, and the state of the rule after each."""
        moves = ((a, self.rule.move(q, a)) for a in self.leaving if a.source == state)
        return [(a, self.same.get((a.target, to), LOSS)) for a, to in moves if to]

    @cached_property
    def _limits(self) -> list[Assignment]:
        """Return the lines that hold the gain of each group of adjoints from step to step."""
        if self.rule.gain_limit is None:
            return []
        limit, found = ex.Number(self.rule.gain_limit), []
        later = [self.names[one] for one in self.next_adjoints]
        now = [self.names[replace(one, step=0)] for one in self.next_adjoints]
        gains = [[self._gain(name, of) for of in later] for name in now]
        there = np.array([[gain != ex.ZERO for gain in row] for row in gains], bool)
        for group in groups(there.reshape(len(later), len(later))):
            entries = [gains[i][k] for i in group for k in group]
            if all(entry == ex.ZERO for entry in entries):
                continue
            gain = self.names.add(Variable("gain", later[group[0]]), "gain")
            op = "norm" if len(group) > 1 else "abs"
            found.append(Assignment(gain, (Term(ex.Call(op, tuple(entries))),)))
            scale = limit / ex.call("max", ex.Name(gain, STATE), limit)
            found += [
                Assignment(later[k], (Term(scale, later[k]),), "gain-limit")
                for k in group
            ]
        return found  # gain-limit, gain-bound

    def _gain(self, name: str, later: str) -> ex.Expression:
        """Return the factor with which an adjoint of the next step comes back to one of this."""
        total: ex.Expression = ex.ZERO
        for row in self.rows:
            if row.name == name:
                for factor, of in row.terms:
                    inside = ex.ONE if of == later else self._gain(of, later)
                    total = total + factor * inside
        return tidy(total)

    def needed_for(self, wanted: Sequence[str]) -> LayerProgram:
        """Return the program with those adjoints alone that the wanted ones, or gradients, need."""
        now = {
            self.names[one]: self.names[replace(one, step=0)]
            for one in self.next_adjoints
        }
        reads = {
            row.name: [now.get(of, of) for _, of in row.terms] for row in self.rows
        }
        for name, _, head in self.from_recurrence:
            reads[name].append(head)
        start = [*wanted, *self.gradients.values()]
        needed = reachable(start, lambda name: reads.get(name, ()))
        nodes = [node for node in self.nodes if self.name(*node) in needed]
        return self if len(nodes) == len(self.nodes) else replace(self, nodes=nodes)
