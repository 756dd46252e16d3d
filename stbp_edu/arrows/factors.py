"""The factor of an arrow, from its expression: as a function of the states, and as letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stbp_edu.lines import expressions as ex
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.lines.latex_names import indexed, symbol
from stbp_edu.lines.slopes import derivative, tidy

SHIFTS = {-1: "-1", 0: "", 1: "+1"}
THRESHOLD = ex.Name("v_th")


def factor_value(
    lines: ForwardLines,
    h: Callable[[Any], Any],
    tree: ex.Expression,
    step: int,
    states: Mapping[str, Any],
    p: Mapping[str, Any],
) -> Any:
    """Return the value of a factor; where the run divides by 0 it is not finite.

    Args:
        lines: the neuron's.
        h: the derivative of its surrogate.
        tree: the factor.
        step: how many steps the arrow leads on: 0 or 1.
        states: those of the layer, at the tail's step, and as ``"u+1"`` or ``"u-1"`` beside it.
        p: the parameters of the layer.
    """
    constant = constants(lines, p, states[lines.output].dtype)

    def value(name: ex.Name) -> Any:
        """Return the value of a name."""
        if not name.when:
            return constant(name)
        later = step - (name.when == "last")
        return states[f"{name.name}{SHIFTS[later]}"]

    with np.errstate(all="ignore"):
        return ex.evaluate(tree, value, {"h": h})


def factor_letters(tree: ex.Expression, step: int, *, h_of_u: bool) -> str:
    """Return a factor as letters; of 1 and -1 only the sign is written."""
    if tree == ex.ONE:
        return ""
    if tree == ex.Number(-1):
        return "-"

    def letters(name: ex.Name) -> str:
        """Return a name as LaTeX, with a place for the indices of a state."""
        if not name.when:
            return symbol(name.name)
        later = step - (name.when == "last")
        sign = SHIFTS[later][:1]
        return f"{indexed(name.name)}{{{sign}}}"

    written = _without_threshold(tree) if h_of_u else tree
    return ex.latex(written, letters, factor=True)


def constants(
    lines: ForwardLines, p: Mapping[str, Any], dtype: Any
) -> Callable[[ex.Name], Any]:
    """Return a function from a constant to its value: the layer's own where it is learned."""
    given = lines.constants

    def value(one: ex.Name) -> Any:
        """Return the value of a constant."""
        if one.name in p:
            return np.asarray(p[one.name], dtype)
        return given[one.name]

    return value


def _without_threshold(tree: ex.Expression) -> ex.Expression:
    """Return an expression with h(u) for h(u - v_th), as the course writes it."""
    if not isinstance(tree, ex.Call):
        return tree
    if tree.op == "h":
        (v,) = tree.args
        if derivative(v, THRESHOLD) == ex.Number(-1):
            return ex.call("h", tidy(v + THRESHOLD))
    args = [_without_threshold(arg) for arg in tree.args]
    return ex.Call(tree.op, tuple(args))
