"""The program of one layer: its two functions, from the forward lines and a rule.

Under the exact rule, a step back of ``u = tau * u * (1 - o) + x; o = spike(u - v_th)`` is:

    d_o = signal - tau * u * d_u_next
    d_u = h(u - v_th) * d_o + tau * (1 - o) * d_u_next

- An *adjoint*, such as ``d_u``, belongs to a node: a state of the neuron and one of the rule.
- A *signal* is what weights, recurrent weights and the loss pass back to an adjoint.
- Each line adds up one term for each arrow that leaves the state: the arrow's factor times the
  adjoint at its head, ``_next`` where the arrow takes a step.

What a reader is shown is what runs: NumPy and PyTorch execute these functions on arrays of all
samples (``program.executor``), and loops over samples and neurons call them when they are
compiled (``program.loop_text``).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from stbp_edu.arrows.arrow import LOSS, Arrow, Neuron
from stbp_edu.arrows.rules import Node, Rule, classes
from stbp_edu.arrows.step_functions import (
    Assignment,
    Term,
    free,
    gain_lines,
    step_function,
    with_imports,
)
from stbp_edu.arrows.table import Table
from stbp_edu.lines.derivatives import tidy
from stbp_edu.lines.expressions import ONE, names_in, replaced, written_out
from stbp_edu.lines.forward_lines import STEPS, ForwardLines


@dataclass(frozen=True)
class LayerProgram:
    """The program of layer n under a rule.

    Attributes:
        net: the network.
        n: which layer.
        rule: the rule.
        same: by (state, state of the rule) the first state of the rule with the same adjoint.
        nodes: the adjoints that a step back returns.
        reads: states that the loss reads besides.
        with_signal: the adjoints that have a signal of their own; None where the arrows tell.
    """

    net: Table
    n: int
    rule: Rule
    same: Mapping[Node, str]
    nodes: Sequence[Node]
    reads: tuple[str, ...] = ()
    with_signal: tuple[Node, ...] | None = None

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
        return f"{self.forward}\n\n\n{self.backward}"

    def shown(self) -> str:
        """Return both as a reader sees them, below what they import and define."""
        return with_imports(self.source(), spikes=bool(self.lines.spike))

    @cached_property
    def forward(self) -> str:
        """One step forward, as Python source."""
        states = [*self.lines.lines]
        last = {f"{state}_last": ast.Name(state) for state in states}
        lines = []
        for state, line in self.lines.lines.items():
            update = Term(replaced(written_out(line), last))
            lines.append(Assignment(state, (update,)))
        arguments = [*states, "x", *self.lines.constants]
        says = "Return the states of a step from the input x and the last ones, which begin at 0."
        return step_function("forward", arguments, lines, states, says)

    @cached_property
    def backward(self) -> str:
        """One step back, as Python source."""
        return self._back("backward", self.rows)

    @cached_property
    def before(self) -> str | None:
        """What the first step passes back to the states before it; None if that reads older ones.

        It is a step back without the terms of its own step.
        """
        after = {*self.signals, *(f"{name}_next" for name in self.next_adjoints)}
        rows = []
        for row in self.rows:
            passed = tuple(term for term in row.terms if term.of in after)
            rows.append(row._replace(terms=passed))
        terms = [term for line in (*self.gains, *rows) for term in line.terms]
        read = names_in(*(term.factor for term in terms))
        if any(f"{state}{STEPS[-1]}" in read for state in self.neuron.order):
            return None
        return self._back("before", rows)

    def _back(self, name: str, rows: Sequence[Assignment]) -> str:
        """Return a step back with these lines, and where a run begins and how gradients follow."""
        arguments = [state + STEPS[step] for state, step in self.states_read]
        arguments += sorted(self.signals)
        arguments += [f"{name}_next" for name in self.next_adjoints]
        arguments += self.lines.constants
        d = self.start
        sums = [
            f"{d} sums to the gradient of b",
            f"{d} times the output below to that of W",
            f"{d} times {self.neuron.output} of the step before to that of R",
        ]
        for constant, of in self.gradients.items():
            sums.append(f"{of} to that of {constant}")
        over = "steps and samples"
        if self.neuron.learned:
            over += " (and neurons, for what a layer shares)"
        last = "At the last step"
        if self.rule.block:
            last += f" of each block of {self.rule.block}"
        says = (
            f"Return the adjoints of a step under the rule {self.rule.name}.\n\n"
            f"{last} all that ends in _next is 0. Over {over}, {', '.join(sums[:-1])}, and "
            f"{sums[-1]}."
        )
        return step_function(name, arguments, [*self.gains, *rows], self.results, says)

    @property
    def results(self) -> list[str]:
        """The names of what a step back returns, in order."""
        return [row.name for row in self.rows]

    @cached_property
    def gains(self) -> list[Assignment]:
        """The lines that limit the gains, and with them the next adjoints, if the rule does."""
        limit = self.rule.gain_limit
        if limit is None:
            return []
        taken = {*self.given, *self.signals}
        constants = self.lines.constants
        return gain_lines(self.rows, self.next_adjoints, constants, limit, taken)

    @cached_property
    def names(self) -> dict[Node, str]:
        """The names of adjoints, which end in ``_next`` for those of the next step.

        No name of the reader's begins as they do. Those of the rule's first state come first.
        """
        start = self.rule.start
        found: dict[Node, str] = {}
        taken: set[str] = set()
        shared = {(state, q) for (state, _), q in self.same.items()}
        for state, q in sorted(shared, key=lambda node: (node[1] != start, node)):
            if state in self.neuron.order:
                wanted = f"d_{state}" if q == start else f"d_{state}_{q}"
                name = found[state, q] = free(wanted, taken)
                taken |= {name, f"{name}_next"}
        return found

    def name(self, state: str, q: str) -> str:
        """Return the name of an adjoint."""
        return self.names[state, self.same[state, q]]

    @cached_property
    def signal_of(self) -> dict[Node, str]:
        """By adjoint, the name of what other neurons and the loss pass back to it, if anything.

        All adjoints of a state share one if they get the same.
        """
        given: dict[Node, str] = {}
        found = {}
        for node in self.nodes:
            state, q = node
            own = self._passed_back(state, q)
            if self.with_signal is not None:
                if node not in self.with_signal:
                    continue
            elif not own:
                continue
            elif all(self._passed_back(*o) == own for o in self.nodes if o[0] == state):
                q = ""
            if (state, q) not in given:
                parts = ["" if state == self.neuron.output else state, q]
                wanted = "_".join(["signal", *filter(None, parts)])
                given[state, q] = free(wanted, {*self.given, *given.values()})
            found[node] = given[state, q]
        return found

    @property
    def given(self) -> list[str]:
        """The reader's names, which stay as they are, and those of states around the step."""
        states = ["x", *self.neuron.order]
        around = [state + end for state in states for end in STEPS.values()]
        return [*self.lines.constants, *around]

    @property
    def gradients(self) -> dict[str, str]:
        """By constant that is learned, the name of what sums to its gradient."""
        return {constant: f"g_{constant}" for constant in self.neuron.learned}

    @cached_property
    def rows(self) -> list[Assignment]:
        """The lines: each adjoint in the order in which they follow, then what is learned."""
        order = [*reversed(self.neuron.order)]
        found = []
        for state, q in sorted(self.nodes, key=lambda node: order.index(node[0])):
            moves = self.rule.moves_from(self.net, self.n, state, q)
            inside = [(arrow, head) for arrow, head in moves if not arrow.leaves]
            terms = [self._term(*move) for move in inside]
            if (state, q) in self.signal_of:
                terms.insert(0, Term(ONE, self.signal_of[state, q]))
            kinds = ", ".join(arrow.kind for arrow, _ in inside)
            found.append(Assignment(self.name(state, q), tuple(terms), kinds))
        for constant, name in self.gradients.items():
            entered = self.neuron.learned[constant]
            terms = [self._term(arrow, self.rule.start) for arrow in entered]
            found.append(Assignment(name, tuple(terms)))
        return found

    def _term(self, arrow: Arrow, head: str) -> Term:
        """Return the term of one arrow: its factor, around the step of its tail, and an adjoint."""
        factor: Any = arrow.under(self.rule.forgets).factor
        factor = tidy(written_out(factor), self.lines.constants)
        return Term(factor, self.name(arrow.target, head) + STEPS[arrow.step])

    @cached_property
    def states_read(self) -> list[tuple[str, int]]:
        """The states that a step back reads, in their order, of this step and those around it."""
        read = names_in(*(term.factor for row in self.rows for term in row.terms))
        states = product(self.neuron.order, STEPS)
        return [(state, step) for state, step in states if state + STEPS[step] in read]

    @cached_property
    def next_adjoints(self) -> list[str]:
        """The adjoints that a step back reads of the next step, by their names in their own."""
        read = {term.of for row in self.rows for term in row.terms}
        later = [self.names[node] for node in self.nodes]
        found = [name for name in later if f"{name}_next" in read]
        return sorted(found, key="{}_next".format)

    @cached_property
    def signals(self) -> dict[str, list[tuple[Arrow, str]]]:
        """By the name of a signal, the arrows that pass it back, and the rule's state after each.

        Those of the output come first.
        """
        output = self.neuron.output
        nodes = sorted(self.signal_of, key=lambda node: node[0] != output)
        return {self.signal_of[node]: self._passed_back(*node) for node in nodes}

    @property
    def from_recurrence(self) -> list[tuple[str, str, str]]:
        """The adjoints that the layer's own next step adds to, by which signal, and those there."""
        found = []
        for node, signal in self.signal_of.items():
            for arrow, to in self.signals[signal]:
                if arrow.step:
                    head = self.name(self.neuron.input, to)
                    found.append((self.name(*node), signal, head))
        return found

    def _passed_back(self, state: str, q: str) -> list[tuple[Arrow, str]]:
        """Return the arrows that leave the neuron here, and the state of the rule after each."""
        read = [Arrow("readout", one, LOSS) for one in self.reads if one == state]
        found = []
        for arrow in (*self.net.arrows[self.n], *read):
            if arrow.leaves and arrow.source == state:
                to = self.rule.move(q, arrow)
                if to:
                    found.append((arrow, self.same.get((arrow.target, to), LOSS)))
        return found


def program(net: Table, rule: Rule) -> str:
    """Return the program of a middle layer, with the functions that it calls.

    ``forward`` is a step of it, ``backward`` a step back: each adjoint is the sum of one term for
    each arrow that leaves. The errors that other neurons and the loss pass back come in as
    ``signal``; ``_next`` and ``_last`` mark values of the steps around this one.
    """
    middle: LayerProgram = steps_back(net, rule)[(net.N + 1) // 2]
    return middle.shown()


def steps_back(net: Table, rule: Rule) -> list[Any]:
    """Return the program of each layer, with the adjoints that the gradients need; None first."""
    rule.check(net)
    layers = [*enumerate(net.layers)][1:]
    entered = [(n, state) for n, layer in layers for state in layer.neuron.entered]
    same = classes(net, rule)
    places = rule.places(net, [(*place, rule.start) for place in entered], same)
    programs: list[Any] = [None]
    for n, _ in layers:
        nodes = [(state, q) for layer, state, q in places if layer == n]
        programs.append(LayerProgram(net, n, rule, same, nodes))
    return programs
