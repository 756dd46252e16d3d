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

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.slopes import derivative, tidy

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
        return next((s for s, e in self.lines.items() if spikes(e)), None)

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
            if any(X in ex.names_in(self.lines[one]) for one in within):
                return state
        return [*remember, *read, self.spike][0]

    def _read_by(self, state: str, when: str = "now last") -> list[str]:
        """Return the states that a line reads, in the order in which it does."""
        names = (
            n.name for n in ex.names_in(self.lines[state]) if n.when and n.when in when
        )
        return [name for name in dict.fromkeys(names) if name in self.lines]

    def _within_the_step(self, states: list[str]) -> list[str]:
        """Return states, and those that they read within the step."""
        return reachable(states, lambda state: self._read_by(state, "now"))

    @property
    def output(self) -> str:
        """The state that other neurons read: the spike, or the potential of a read-out."""
        return self.spike or self.potential

    def _by(self, name: ex.Name) -> dict[str, ex.Expression]:
        """Return the states whose lines depend on a name, with their derivatives by it."""
        slopes = {state: derivative(line, name) for state, line in self.lines.items()}
        return {state: factor for state, factor in slopes.items() if factor != ex.ZERO}

    @cached_property
    def input(self) -> str:
        """The state that the weights enter: where x is added once, that one, else x itself."""
        entered = self._by(X)
        return next(iter(entered)) if [*entered.values()] == [ex.ONE] else "x"

    @cached_property
    def states(self) -> dict[str, ex.Expression]:
        """Every state with its update, x among them where it is a node of its own."""
        return ({"x": X} if self.input == "x" else {}) | dict(self.lines)

    @cached_property
    def slopes(self) -> list[Slope]:
        """The arrows: where a line reads a state, the derivative of that line."""
        found = [
            Slope(self.kind(source, target), source, target, step, factor)
            for source in self.lines
            for target, line in self.lines.items()
            for step, when in enumerate(("now", "last"))
            if (factor := derivative(line, ex.Name(source, when))) != ex.ZERO
        ]
        first = {"spike": 0, "carry": 1, "reset": 2}
        found.sort(key=lambda slope: first.get(slope.kind, 3))
        if self.input != "x":
            return found
        return [
            Slope(f"x>{s}", "x", s, 0, factor) for s, factor in self._by(X).items()
        ] + found

    def enters(self, constant: str) -> Iterator[Slope]:
        """Yield the arrows from a constant to the states whose lines read it."""
        # one that cancels has a gradient, too: 0
        for state, factor in (
            self._by(ex.Name(constant)) or {self.potential: ex.ZERO}
        ).items():
            yield Slope(f"enter:{constant}>{state}", constant, state, 0, factor)

    def silent(self, tree: ex.Expression) -> ex.Expression:
        """Return a factor from step to step as if no neuron had spiked."""
        return tidy(
            ex.replaced(
                ex.written_out(tree), {ex.Name(self.spike or "", "last"): ex.ZERO}
            )
        )

    @cached_property
    def roles(self) -> dict[str, str]:
        """By state, the letter of the course: o is what spikes, u the potential, by any name."""
        roles = {"i": "i", "a": "a", self.potential: "u"}
        return roles | ({self.spike: "o"} if self.spike else {})

    def kind(self, source: str, target: str) -> str:
        """Return the kind by which rules know an arrow; of any other, its ends.

        The arrows of the spike are distinguished by where they lead and not by a letter: into the
        potential, reset; into any other state s, adapt:s; and from one that is not the potential
        into the spike, threshold:s. A rule that names adapt means adapt:s, too.
        """
        ends = self.roles.get(source, ""), self.roles.get(target, "")
        if ends == ("u", "u") and not self.spike:
            return "integrate"
        if ends in KINDS:
            return KINDS[ends]
        if ends[0] == "o":
            return f"adapt:{target}"
        return f"threshold:{source}" if ends[1] == "o" else f"{source}>{target}"

    def adjoint(self, state: str) -> str:
        """Return the letter of a state's adjoint, in LaTeX."""
        letters = {"u": r"\varepsilon", "o": r"\delta", "i": r"\gamma", "a": r"\zeta"}
        return letters.get(self.roles.get(state, ""), rf"\bar{{{ex.symbol(state)}}}")


def spikes(line: ex.Expression) -> bool:
    """Return whether a line is a spike."""
    return isinstance(line, ex.Call) and line.op == "spike"


def reachable(
    start: list[Item], following: Callable[[Item], Iterable[Item]]
) -> list[Item]:
    """Return all that follows from a start, each once, in the order in which it is met."""
    found = [*start]
    for one in found:  # grows while it is read
        found += [
            other for other in dict.fromkeys(following(one)) if other not in found
        ]
    return found
