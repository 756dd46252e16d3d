"""A neuron from its forward lines: one line for each state, as in the body of a loop over time.

    u = tau * exp(-o / tau) * u + x
    o = spike(u - v_th)

A name that a line above has assigned is this step's value, any other state that of the last step;
x is what the weights bring. An arrow leads from a to b wherever b's line reads a; its factor is
the derivative of that line, and it takes a step if it reads the last step's value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from stbp_edu.lines.derivatives import derivative, tidy
from stbp_edu.lines.expressions import (
    ONE,
    ZERO,
    args_of,
    key,
    names_in,
    op_of,
    replaced,
    symbol,
    written_out,
)

Item = TypeVar("Item")
X = ast.Name("x")
STEPS = {-1: "_last", 0: "", 1: "_next"}
"""By the step after this one, what a state's name has at its end."""
KINDS = {
    ("u", "u"): "carry",
    ("o", "u"): "reset",
    ("u", "o"): "spike",
    ("i", "i"): "decay",
    ("i", "u"): "charge",
    ("o", "a"): "adapt",
    ("a", "a"): "relax",
    ("a", "o"): "threshold",
}
"""What rules call the arrow from one state to another."""


@dataclass(frozen=True)
class ForwardLines:
    """The lines of a neuron.

    Attributes:
        text: as written.
        lines: read, each state's update in order.
        constants: all values.
        h_of_u: whether formulas have h(u) for h(u - v_th), as the course writes it.
    """

    text: str
    lines: Mapping[str, ast.expr] = field(compare=False)  # they follow from the text
    constants: Mapping[str, float]
    h_of_u: bool = False

    @cached_property
    def spike(self) -> str | None:
        """The state that spikes, if one does."""
        for state, line in self.lines.items():
            if spikes(line):
                return state
        return None

    @cached_property
    def potential(self) -> str:
        """The state that the spike compares with a threshold; of a read-out, u or the last line's.

        It is the first that the spike reads in its step, that remembers something (its own last
        value, or the last spike), and that the input enters in the same step; an adaptation is
        entered only by the spike.
        """
        if not self.spike:
            return "u" if "u" in self.lines else [*self.lines][-1]
        read = self._within_the_step(self._read_by(self.spike))
        read = [state for state in read if state != self.spike]
        remember = [
            state for state in read if {state, self.spike} & {*self._read_by(state)}
        ]
        for state in remember:
            within = self._within_the_step([state])
            if "x" in names_in(*(self.lines[one] for one in within)):
                return state
        return [*remember, *read, self.spike][0]

    def _read_by(self, state: str, steps: Collection[int] = (0, -1)) -> list[str]:
        """Return the states that a line reads, in the order in which it does."""
        states = {one + STEPS[step]: one for one in self.lines for step in steps}
        read = [states[name] for name in names_in(self.lines[state]) if name in states]
        return [*dict.fromkeys(read)]

    def _within_the_step(self, states: list[str]) -> list[str]:
        """Return states, and those that they read within the step."""
        return reachable(states, lambda state: self._read_by(state, (0,)))

    @property
    def output(self) -> str:
        """The state that other neurons read: the spike, or the potential of a read-out."""
        return self.spike or self.potential

    def by(self, name: str) -> dict[str, ast.expr]:
        """Return the states whose lines depend on a name, with their derivatives by it."""
        found = {}
        for state, line in self.lines.items():
            factor = derivative(line, name, self.constants)
            if key(factor) != key(ZERO):
                found[state] = factor
        return found

    @cached_property
    def input(self) -> str:
        """The state that the weights enter: where x is added once, that one, else x itself."""
        entered = self.by("x")
        if [*map(key, entered.values())] == [key(ONE)]:
            (state,) = entered
            return state
        return "x"

    @cached_property
    def states(self) -> dict[str, ast.expr]:
        """Every state with its update, x among them where it is a node of its own."""
        if self.input == "x":
            return {"x": X, **self.lines}
        return dict(self.lines)

    @property
    def order(self) -> tuple[str, ...]:
        """The states in the order in which a step computes them."""
        return tuple(self.states)

    def disconnected(self) -> tuple[str, str, str] | None:
        """Return a state that no input reaches or that no output needs, the problem and advice."""
        ends = []
        for tail in self.order:
            heads = {**self.by(tail), **self.by(f"{tail}_last")}
            ends += [(tail, head) for head in heads]
        reached = reachable([self.input], lambda one: [b for a, b in ends if a == one])
        needed = reachable([self.output], lambda one: [a for a, b in ends if b == one])
        for state in self.lines:
            if state not in reached:
                advice = (
                    "x is the weighted input: let its line read x or a state that x reaches, as in "
                    "u = tau * u + x, or give a constant by its name; what cancels, as in v - v, "
                    "is not read"
                )
                return state, f"no input reaches {state}", advice
        for state in self.lines:
            if state not in needed:
                advice = (
                    f"let a line on the way to {self.output} read it, or leave it out"
                )
                return state, f"{self.output} does not depend on {state}", advice
        return None

    def update(self, state: str) -> ast.expr:
        """Return a state's update; of a spike, its distance from the threshold."""
        line = self.states[state]
        return args_of(line)[0] if spikes(line) else line

    def silent(self, factor: ast.expr) -> ast.expr:
        """Return the factor of an arrow to the next step as if no neuron had spiked."""
        silent = replaced(written_out(factor), {self.spike or "": ZERO})
        return tidy(silent, self.constants)

    @cached_property
    def roles(self) -> dict[str, str]:
        """By state, the letter of the course: o is what spikes, u the potential, by any name."""
        roles = {"i": "i", "a": "a", self.potential: "u"}
        if self.spike:
            roles[self.spike] = "o"
        return roles

    def kind(self, source: str, target: str) -> str:
        """Return the kind by which rules know an arrow; of any other, its ends.

        The arrows of the spike are distinguished by where they lead and not by a letter: into the
        potential, reset; into any other state s, adapt:s; and from one that is not the potential
        into the spike, threshold:s. A rule that names adapt means adapt:s, too.
        """
        tail = self.roles.get(source, "")
        head = self.roles.get(target, "")
        if source == "x":
            return f"x>{target}"
        if (tail, head) == ("u", "u") and not self.spike:
            return "integrate"
        if (tail, head) in KINDS:
            return KINDS[tail, head]
        if tail == "o":
            return f"adapt:{target}"
        if head == "o":
            return f"threshold:{source}"
        return f"{source}>{target}"

    def adjoint(self, state: str) -> str:
        """Return the letter of a state's adjoint, in LaTeX."""
        letters = {"u": r"\varepsilon", "o": r"\delta", "i": r"\gamma", "a": r"\zeta"}
        letter = letters.get(self.roles.get(state, ""), "")
        is_taken = letter in map(symbol, [*self.constants, *self.lines])
        return letter if letter and not is_taken else rf"\bar{{{symbol(state)}}}"


def spikes(line: ast.expr) -> bool:
    """Return whether a line is a spike."""
    return op_of(line) == "spike"


def reachable(
    start: list[Item], following: Callable[[Item], Iterable[Item]]
) -> list[Item]:
    """Return all that follows from a start, each once, in the order in which it is met."""
    found = [*start]
    for one in found:  # grows while it is read
        for other in following(one):
            if other not in found:
                found.append(other)
    return found
