"""The table of arrows of a neuron that is given by its forward lines."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.lines import expressions as ex
from stbp_edu.arrows.lines.forward_lines import ForwardLines, Slope
from stbp_edu.arrows.lines.slopes import derivative, tidy
from stbp_edu.arrows.table import Arrow, Enter, Factor, Neuron, Parameters, State, States, Update
from stbp_edu.surrogates import Surrogate, checked

SHIFTS = {-1: "-1", 0: "", 1: "+1"}
THRESHOLD = ex.Name("v_th")


def neuron_from(
    lines: ForwardLines,
    surrogate: Surrogate,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
    *,
    h_of_u: bool = False,
) -> Neuron:
    """Return the neuron with these forward lines.

    Args:
        lines: the lines.
        surrogate: h, which stands in for the derivative of the spike.
        learn: constants that each layer learns.
        learn_each: constants that each neuron learns.
        h_of_u: whether formulas have h(u) for h(u - v_th), as the course writes it.

    Raises:
        TypeError, ValueError: if what is to be learned is no list of constants, each once.
    """
    for argument, names in (("learn", learn), ("learn_each", learn_each)):
        if not isinstance(names, list | tuple | set | frozenset):
            raise TypeError(
                f"{argument} must list names, got {checks.brief(names)}; write {argument}=['tau']"
            )
        for name in names:
            checks.choice(argument, name, [*lines.constants])
    if both := {*learn} & {*learn_each}:
        raise ValueError(
            f"learn_each must name other constants than learn, got {', '.join(both)} in both; one "
            "for the layer, or one for each neuron?"
        )
    table = _Table(lines, checked("surrogate", surrogate), h_of_u)
    return Neuron(
        states=tuple(map(table.state, lines.states)),
        arrows=tuple(map(table.arrow, lines.slopes)),
        surrogate=surrogate,
        input=lines.input,
        output=lines.output,
        learned={name: table.enters(name, name in learn_each) for name in (*learn, *learn_each)},
        lines=lines,
    )


@dataclass(frozen=True)
class _Table:
    """How the entries of the table follow from the lines."""

    lines: ForwardLines
    surrogate: Surrogate
    h_of_u: bool

    def state(self, name: str) -> State:
        """Return one state and its update."""
        line = self.lines.states[name]
        fires = name == self.lines.spike
        (inside,) = line.args if fires and isinstance(line, ex.Call) else (line,)
        return State(name, self.lines.adjoint(name), self.update(inside, name == "x"), fires)

    def update(self, line: ex.Expression, is_x: bool) -> Update:
        """Return how a state follows from the others."""

        def update(now: States, past: States, x: Any, p: Parameters) -> Any:
            """Return the state."""

            def value(name: ex.Name) -> Any:
                """Return the value of a name."""
                if name.name == "x":
                    return now["x"] if self.lines.input == "x" else x
                states = now if name.when == "now" else past
                return states[name.name] if name.when else constant(name)

            constant = self.constants(p, x.dtype)
            return x if is_x else ex.evaluate(line, value, {})

        return update

    def constants(self, p: Parameters, dtype: Any) -> Callable[[ex.Name], Any]:
        """Return what gives the value of a constant: the layer's own where it is learned."""
        given = self.lines.constants
        return lambda one: np.asarray(p[one.name], dtype) if one.name in p else given[one.name]

    def factor(self, tree: ex.Expression, tail: str, step: int) -> Factor:
        """Return an arrow's factor as a function of the states at its tail's step."""

        def factor(states: States, p: Parameters) -> Any:
            """Return the factor; where the run divides by 0 it is not finite."""
            constant = self.constants(p, states[tail].dtype)

            def value(name: ex.Name) -> Any:
                """Return the value of a name."""
                if not name.when:
                    return constant(name)
                return states[name.name + SHIFTS[step - (name.when == "last")]]

            with np.errstate(all="ignore"):
                return ex.evaluate(tree, value, {"h": self.surrogate.derivative})

        return factor

    def letters(self, tree: ex.Expression, step: int) -> str:
        """Return a factor as letters; of 1 and -1 only the sign is written."""

        def name(one: ex.Name) -> str:
            """Return a name as LaTeX, with a place for the indices of a state."""
            if not one.when:
                return ex.symbol(one.name)
            letter, later = ex.symbol(one.name), SHIFTS[step - (one.when == "last")]
            return (f"{{{letter}}}" if "_" in letter else letter) + f"{{{later[:1]}}}"

        if tree in (ex.ONE, ex.Number(-1)):
            return "" if tree == ex.ONE else "-"
        return ex.latex(_without_threshold(tree) if self.h_of_u else tree, name, factor=True)

    def arrow(self, slope: Slope) -> Arrow:
        """Return one arrow of the table; a carry may forget the spike."""
        kind, source, target, step, tree = slope
        factor = self.factor(tree, source, step)
        arrow = Arrow(kind, source, target, factor, self.letters(tree, step), step)
        if kind != "carry":
            return arrow
        silent = self.lines.silent(tree)
        leak = self.factor(silent, source, step)
        return replace(arrow, leak=leak, leak_letters=self.letters(silent, step))

    def enters(self, name: str, each: bool) -> tuple[Enter, ...]:
        """Return how a learned constant enters the states whose lines read it."""
        initial = self.lines.constants[name]
        return tuple(
            Enter(head, self.factor(tree, head, 0), self.letters(tree, 0), initial, each)
            for head, tree in self.lines.enters(name)
        )


def _without_threshold(tree: ex.Expression) -> ex.Expression:
    """Return an expression with h(u) for h(u - v_th), as the course writes it."""
    match tree:
        case ex.Call("h", (inside,)) if derivative(inside, THRESHOLD) == tidy(
            ex.Call("neg", (ex.ONE,))
        ):
            return ex.Call("h", (tidy(ex.Call("+", (inside, THRESHOLD))),))
        case ex.Call(op, args):
            return ex.Call(op, tuple(map(_without_threshold, args)))
    return tree
