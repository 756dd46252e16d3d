"""The parts of a layer's program that only constants decide, computed once and not at each step."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.layer_program import LayerProgram
from stbp_edu.arrows.lines.slopes import tidy
from stbp_edu.arrows.lines.step_functions import (
    Assignment,
    StepFunction,
    Term,
    Variable,
)

SLOW = {"exp", "log", "tanh", "sqrt", "/", "**"}
"""Operations that are worth computing once."""


class ComputedOnce:
    """The expressions of a program that are computed once.

    A slow function of a spike has two values: both are computed once, and ``of_spike`` says how one
    is chosen.

    Attributes:
        names: by expression, its name, which begins with an underscore, as no reader's does.
    """

    def __init__(
        self,
        program: LayerProgram,
        of_spike: Callable[..., ex.Expression | None],
        twin: bool = False,
        each: Collection[str] = (),
    ) -> None:
        """Begin with nothing.

        Args:
            program: the program.
            of_spike: makes of this object, of a spike, and of the values of an expression where it
                is 0 and where it is 1, another expression; None if it cannot.
            twin: whether the smooth twin H takes the place of the spike.
            each: constants that have a value for each neuron; they are not computed once.
        """
        self.program, self.of_spike = program, of_spike
        self.constants = program.lines.constants.keys() - {*each}
        self.names: dict[ex.Expression, str] = {}
        self.spikes: set[str] = set()
        if program.lines.spike and not twin:
            every = (
                Variable("state", program.lines.spike, step=step) for step in (-1, 0, 1)
            )
            self.spikes = {program.names[one] for one in every}

    def function(self, constants: list[str]) -> StepFunction:
        """Return the function of constants that computes them."""
        lines = [Assignment(name, (Term(tree),)) for tree, name in self.names.items()]
        return StepFunction("once", constants, lines, [*self.names.values()])

    def line(self, line: Assignment) -> Assignment:
        """Return a line with names in place of what is computed once."""
        terms = (Term(self.tree(factor), of) for factor, of in line.terms)
        return line._replace(terms=tuple(terms))

    def tree(self, tree: ex.Expression) -> ex.Expression:
        """Return an expression with names in place of what is computed once."""
        if not isinstance(tree, ex.Call):
            return tree
        if ex.ops_in(tree) & SLOW:
            others = {
                name for name in ex.names_in(tree) if name.name not in self.constants
            }
            if not others:
                return self.named(tree)
            if len(others) == 1 and {name.name for name in others} <= self.spikes:
                low, high = (
                    tidy(ex.replaced(tree, dict.fromkeys(others, end)))
                    for end in (ex.ZERO, ex.ONE)
                )
                found = self.of_spike(self, min(others, key=str), low, high)
                if found is not None:
                    return found
        return ex.Call(tree.op, tuple(map(self.tree, tree.args)))

    def named(self, tree: ex.Expression) -> ex.Name:
        """Return the name of an expression of constants, which is computed once from now on."""
        return ex.Name(self.names.setdefault(tree, f"_k{len(self.names)}"))


def on_a_line(
    once: ComputedOnce, spike: ex.Name, low: ex.Expression, high: ex.Expression
) -> ex.Expression | None:
    """Return the straight line through both values, if they are finite for the constants given."""
    curve, given = once.program.neuron.surrogate, once.program.lines.constants
    functions = {"h": curve.derivative, "spike": curve.antiderivative}
    values = {ex.Name(name): np.float64(value) for name, value in given.items()}
    with np.errstate(all="ignore"):
        ends = [ex.evaluate(end, values.__getitem__, functions) for end in (low, high)]
    if not np.isfinite(ends).all():
        return None
    return once.tree(low) + once.tree(tidy(high - low)) * spike


def one_of_two(
    once: ComputedOnce, spike: ex.Name, low: ex.Expression, high: ex.Expression
) -> ex.Expression:
    """Return the choice of one of both values."""
    return ex.call("choose", spike, once.named(low), once.named(high))
