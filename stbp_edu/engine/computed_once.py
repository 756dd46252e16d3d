"""The parts of a layer's program that only constants decide, computed once and not at each step."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.step_functions import (
    Assignment,
    StepFunction,
    Term,
    Variable,
)
from stbp_edu.engine import trees as ex
from stbp_edu.engine.trees import as_lines, tidy, tree_of

SLOW = {"exp", "log", "tanh", "sqrt", "/", "**"}
"""Operations that are worth computing once."""


class ComputedOnce:
    """The expressions of a program that are computed once.

    A slow function of a spike has two values: both are computed once, and one is chosen.

    Attributes:
        names: by expression, its name, which begins with an underscore, as no reader's does.
    """

    def __init__(
        self,
        program: LayerProgram,
        of_spikes: bool,
        each: Collection[str] = (),
    ) -> None:
        """Begin with nothing.

        Args:
            program: the program.
            of_spikes: whether functions of a spike, which is 0 or 1, are among them.
            each: constants that have a value for each neuron; they are not computed once.
        """
        self.program = program
        constants = program.lines.constants
        self.constants = constants.keys() - {*each}
        self.names: dict[ex.Expression, str] = {}
        self.spikes: set[str] = set()
        spike = program.lines.spike
        if spike and of_spikes:
            for step in (-1, 0, 1):
                variable = Variable("state", spike, step=step)
                self.spikes.add(program.names[variable])

    def function(self, constants: list[str]) -> StepFunction:
        """Return the function of constants that computes them."""
        lines = lines_of(self.names)
        results = [*self.names.values()]
        return StepFunction("once", constants, lines, results)

    def line(self, line: Assignment) -> Assignment:
        """Return a line with names in place of what is computed once."""
        terms = []
        for factor, of in line.terms:
            known = self.tree(tree_of(factor))
            terms.append(Term(as_lines(known), of))
        return line._replace(terms=tuple(terms))

    def tree(self, tree: ex.Expression) -> ex.Expression:
        """Return an expression with names in place of what is computed once."""
        if not isinstance(tree, ex.Call):
            return tree
        if ex.ops_in(tree) & SLOW:
            found = self._instead_of(tree)
            if found is not None:
                return found
        args = [self.tree(arg) for arg in tree.args]
        return ex.Call(tree.op, tuple(args))

    def _instead_of(self, tree: ex.Expression) -> ex.Expression | None:
        """Return an expression in place of one of constants, or of constants and a spike."""
        names = {*ex.names_in(tree)}
        others = [name for name in names if name.name not in self.constants]
        if not others:
            return self.named(tree)
        if len(others) > 1:
            return None
        spike = others[0]
        if spike.name not in self.spikes:
            return None
        low = ex.replaced(tree, {spike: ex.ZERO})
        high = ex.replaced(tree, {spike: ex.ONE})
        if_silent = self.named(tidy(low))
        if_spiking = self.named(tidy(high))
        return ex.call("choose", spike, if_silent, if_spiking)

    def named(self, tree: ex.Expression) -> ex.Name:
        """Return the name of an expression of constants, which is computed once from now on."""
        next_name = f"_k{len(self.names)}"
        name = self.names.setdefault(tree, next_name)
        return ex.Name(name)


def lines_of(names: Mapping[ex.Expression, str]) -> list[Assignment]:
    """Return the lines that give expressions their names."""
    lines = []
    for tree, name in names.items():
        only_term = Term(as_lines(tree))
        lines.append(Assignment(name, (only_term,)))
    return lines
