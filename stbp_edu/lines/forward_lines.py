"""A neuron from its forward lines: one line for each state, as in the body of a loop over time.

    u = tau * exp(-o / tau) * u + x
    o = spike(u - v_th)

A name that a line above has assigned is this step's value, any other state that of the last step;
x is what the weights bring. An arrow leads from a to b wherever b's line reads a; its factor is
the derivative of that line, and it takes a step if it reads the last step's value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

from stbp_edu.lines import expressions as ex
from stbp_edu.lines.latex_names import symbol
from stbp_edu.lines.slopes import derivative, tidy

Item = TypeVar("Item")
X = ex.Name("x", "now")
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


class Slope(NamedTuple):
    """An arrow inside the neuron, its factor an expression: "now" is its head's step."""

    kind: str
    source: str
    target: str
    step: int
    factor: ex.Expression


@dataclass(frozen=True)
class ForwardLines:
    """The lines of a neuron as written; read, each state's update in order; and all constants."""

    text: str
    lines: Mapping[str, ex.Expression]
    constants: Mapping[str, float]

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
        remember = []
        for state in read:
            reads = self._read_by(state)
            if state in reads or self.spike in reads:
                remember.append(state)
        for state in remember:
            for one in self._within_the_step([state]):
                if X in ex.names_in(self.lines[one]):
                    return state
        return [*remember, *read, self.spike][0]

    def _read_by(self, state: str, when: str = "now last") -> list[str]:
        """Return the states that a line reads, in the order in which it does."""
        read: dict[str, None] = {}
        for name in ex.names_in(self.lines[state]):
            is_asked = name.when != "" and name.when in when
            if is_asked and name.name in self.lines:
                read[name.name] = None
        return list(read)

    def _within_the_step(self, states: list[str]) -> list[str]:
        """Return states, and those that they read within the step."""
        return reachable(states, lambda state: self._read_by(state, "now"))

    @property
    def output(self) -> str:
        """The state that other neurons read: the spike, or the potential of a read-out."""
        return self.spike or self.potential

    def _by(self, name: ex.Name) -> dict[str, ex.Expression]:
        """Return the states whose lines depend on a name, with their derivatives by it."""
        found = {}
        for state, line in self.lines.items():
            factor = derivative(line, name)
            if factor != ex.ZERO:
                found[state] = factor
        return found

    @cached_property
    def input(self) -> str:
        """The state that the weights enter: where x is added once, that one, else x itself."""
        entered = self._by(X)
        if [*entered.values()] == [ex.ONE]:
            (state,) = entered
            return state
        return "x"

    @cached_property
    def states(self) -> dict[str, ex.Expression]:
        """Every state with its update, x among them where it is a node of its own."""
        if self.input == "x":
            return {"x": X, **self.lines}
        return dict(self.lines)

    def update(self, state: str) -> ex.Expression:
        """Return a state's update; of a spike, its distance from the threshold."""
        line = self.states[state]
        if isinstance(line, ex.Call) and line.op == "spike":
            return line.args[0]
        return line

    @cached_property
    def slopes(self) -> list[Slope]:
        """The arrows: where a line reads a state, the derivative of that line."""
        found = []
        for source in self.lines:
            for target, line in self.lines.items():
                kind = self.kind(source, target)
                for step, when in enumerate(("now", "last")):
                    factor = derivative(line, ex.Name(source, when))
                    if factor != ex.ZERO:
                        found.append(Slope(kind, source, target, step, factor))
        first = {"spike": 0, "carry": 1, "reset": 2}
        found.sort(key=lambda slope: first.get(slope.kind, 3))
        if self.input != "x":
            return found
        from_x = []
        for state, factor in self._by(X).items():
            slope = Slope(f"x>{state}", "x", state, 0, factor)
            from_x.append(slope)
        return from_x + found

    def enters(self, constant: str) -> Iterator[Slope]:
        """Yield the arrows from a constant to the states whose lines read it."""
        entered = self._by(ex.Name(constant))
        if not entered:
            entered = {
                self.potential: ex.ZERO
            }  # one that cancels has a gradient, too: 0
        for state, factor in entered.items():
            yield Slope(f"enter:{constant}>{state}", constant, state, 0, factor)

    def silent(self, tree: ex.Expression) -> ex.Expression:
        """Return a factor from step to step as if no neuron had spiked."""
        spike_before = ex.Name(self.spike or "", "last")
        silent = ex.replaced(ex.written_out(tree), {spike_before: ex.ZERO})
        return tidy(silent)

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
        role = self.roles.get(state, "")
        return letters.get(role, rf"\bar{{{symbol(state)}}}")


def spikes(line: ex.Expression) -> bool:
    """Return whether a line is a spike."""
    return isinstance(line, ex.Call) and line.op == "spike"


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
