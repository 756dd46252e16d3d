"""Expressions as source, in which what holds no state, or a spike alone, is computed once."""

from __future__ import annotations

from collections.abc import Callable, Collection

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.program import SHIFTED, StepBack
from stbp_edu.arrows.lines.slopes import tidy

SLOW = {"exp", "log", "tanh", "sqrt", "/", "**"}
"""Operations that are worth computing once."""


class Hoisted:
    """How the expressions of a layer are written.

    A spike is 0 or 1, so that there are two values of what it stands in.

    Attributes:
        names: by source, the names of what is computed once.
    """

    def __init__(
        self,
        back: StepBack,
        written: Callable[[ex.Expression], str],
        letter: str,
        *,
        each: Collection[str] = (),
        twin: bool = False,
    ) -> None:
        """Begin with nothing; constants in ``each`` have a value for each neuron."""
        spike = None if twin else back.lines.spike
        self.back, self.written, self.letter = back, written, letter
        self.spikes = {f"{spike}{after}" for after in SHIFTED.values()} if spike else set()
        self.shared = back.lines.constants.keys() - {*each}
        self.names: dict[str, str] = {}

    def text(self, tree: ex.Expression) -> str:
        """Return an expression as source."""
        return self.written(self.tree(ex.written_out(tree)))

    def tree(self, tree: ex.Expression) -> ex.Expression:
        """Return an expression with what is computed once by its name."""
        if not isinstance(tree, ex.Call):
            return tree
        states = {name for name in ex.names_in(tree) if name.name not in self.shared}
        if ex.ops_in(tree) & SLOW and len(states) < 2 and {s.name for s in states} <= self.spikes:
            ends = [
                tidy(ex.replaced(tree, dict.fromkeys(states, value))) for value in (ex.ZERO, ex.ONE)
            ]
            if all(map(self.may_be_first, ends)):
                return self.of_spike(*states, *ends) if states else self.named(tree)
        return ex.Call(tree.op, tuple(map(self.tree, tree.args)))

    def named(self, tree: ex.Expression) -> ex.Name:
        """Return the name of an expression of constants."""
        return ex.Name(self.names.setdefault(self.written(tree), f"{self.letter}{len(self.names)}"))

    def may_be_first(self, tree: ex.Expression) -> bool:
        """Return whether an expression of constants may be computed where no step asks for it."""
        return True

    def of_spike(self, spike: ex.Name, low: ex.Expression, high: ex.Expression) -> ex.Expression:
        """Return what is ``low`` where a spike is 0, and ``high`` where it is 1."""
        raise NotImplementedError
