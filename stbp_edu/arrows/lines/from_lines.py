"""The table of arrows of a neuron that is given by its forward lines."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.lines.expressions import (
    ONE,
    Call,
    Expression,
    Name,
    Number,
    evaluate,
    latex,
    symbol,
)
from stbp_edu.arrows.lines.forward_lines import ForwardLines, Slope
from stbp_edu.arrows.lines.slopes import derivative, tidy
from stbp_edu.arrows.table import Arrow, Enter, Factor, Neuron, Parameters, State, States, Update
from stbp_edu.surrogates import Surrogate

SHIFTS = {-1: "-1", 0: "", 1: "+1"}
THRESHOLD = Name("v_th")


def neuron_from(
    lines: ForwardLines,
    surrogate: Surrogate,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
) -> Neuron:
    """Return the neuron with these forward lines.

    Args:
        lines: the lines.
        surrogate: h, which stands in for the derivative of the spike.
        learn: constants that each layer learns.
        learn_each: constants that each neuron learns.

    Raises:
        ValueError: if a constant that is to be learned does not exist.
    """
    for name in (*learn, *learn_each):
        checks.choice("learn", name, [*lines.constants])
    learned = {
        name: tuple(
            _enter(lines, surrogate, name, *entry, name in learn_each)
            for entry in lines.enters(name)
        )
        for name in (*learn, *learn_each)
    }
    return Neuron(
        states=tuple(_state(lines, name) for name in lines.states),
        arrows=tuple(_arrow(lines, surrogate, slope) for slope in lines.slopes),
        distance=None,
        surrogate=surrogate,
        input=lines.input,
        output=lines.output,
        learned=learned,
        lines=lines,
    )


def _state(lines: ForwardLines, name: str) -> State:
    """Return one state and its update."""
    line = lines.states[name]
    fires = name == lines.spike
    (inside,) = line.args if fires and isinstance(line, Call) else (line,)
    return State(name, lines.adjoint(name), _update(lines, inside, name == "x"), fires)


def _update(lines: ForwardLines, line: Expression, is_x: bool) -> Update:
    """Return how a state follows from the others."""

    def update(now: States, past: States, x: Any, p: Parameters) -> Any:
        """Return the state."""

        def value(name: Name) -> Any:
            """Return the value of a name."""
            if name.name == "x":
                return now["x"] if lines.input == "x" else x
            return (now if name.when == "now" else past)[name.name] if name.when else constant(name)

        constant = _constants(lines, p, x.dtype)
        return _like(x, x if is_x else evaluate(line, value, {}))

    return update


def _constants(lines: ForwardLines, p: Parameters, dtype: Any) -> Callable[[Name], Any]:
    """Return what gives the value of a constant: the layer's own where it is learned."""
    return lambda name: (
        np.asarray(p[name.name], dtype) if name.name in p else lines.constants[name.name]
    )


def _like(x: Any, value: Any) -> Any:
    """Return a value in the shape and dtype of an array."""
    return np.broadcast_to(np.asarray(value, x.dtype), x.shape)


def _factor(
    lines: ForwardLines, surrogate: Surrogate, tree: Expression, tail: str, step: int
) -> Factor:
    """Return an arrow's factor as a function of the states at its tail's step."""

    def factor(states: States, p: Parameters) -> Any:
        """Return the factor; where the run divides by 0 it is not finite."""
        here = states[tail]
        constant = _constants(lines, p, here.dtype)

        def value(name: Name) -> Any:
            """Return the value of a name."""
            if not name.when:
                return constant(name)
            return states[name.name + SHIFTS[step - (name.when == "last")]]

        with np.errstate(all="ignore"):
            return _like(here, evaluate(tree, value, {"h": surrogate.derivative}))

    return factor


def _letters(tree: Expression, step: int) -> str:
    """Return a factor as letters; of 1 and -1 only the sign is written."""

    def name(one: Name) -> str:
        """Return a name as LaTeX, with a place for the indices of a state."""
        if not one.when:
            return symbol(one.name)
        letter, later = symbol(one.name), SHIFTS[step - (one.when == "last")]
        return (f"{{{letter}}}" if "_" in letter else letter) + f"{{{later[:1]}}}"

    if tree in (ONE, Number(-1)):
        return "" if tree == ONE else "-"
    return latex(_without_threshold(tree), name, factor=True)


def _without_threshold(tree: Expression) -> Expression:
    """Return an expression with h(u) for h(u - v_th), as the course writes it."""
    match tree:
        case Call("h", (inside,)) if derivative(inside, THRESHOLD) == tidy(Call("neg", (ONE,))):
            return Call("h", (tidy(Call("+", (inside, THRESHOLD))),))
        case Call(op, args):
            return Call(op, tuple(map(_without_threshold, args)))
    return tree


def _arrow(lines: ForwardLines, surrogate: Surrogate, slope: Slope) -> Arrow:
    """Return one arrow of the table; a carry may forget the spike."""
    kind, source, target, step, tree = slope
    factor = _factor(lines, surrogate, tree, source, step)
    arrow = Arrow(kind, source, target, factor, _letters(tree, step), step)
    if kind != "carry":
        return arrow
    silent = lines.silent(tree)
    leak = _factor(lines, surrogate, silent, source, step)
    return replace(arrow, leak=leak, leak_letters=_letters(silent, step))


def _enter(
    lines: ForwardLines,
    surrogate: Surrogate,
    name: str,
    target: str,
    tree: Expression,
    each: bool,
) -> Enter:
    """Return how a learned constant enters one state."""
    factor = _factor(lines, surrogate, tree, target, 0)
    return Enter(target, factor, _letters(tree, 0), lines.constants[name], step=0, each=each)
