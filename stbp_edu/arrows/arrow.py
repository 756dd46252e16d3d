"""One arrow, and a neuron as the table of its arrows.

An arrow is one way in which a change of one quantity changes the next. Its factor is the partial
derivative of the head's update with respect to the tail. A node's adjoint has one term for each
arrow that leaves it: the factor, times the adjoint at the head. The states and their updates are
the neuron's forward lines, and the arrows follow from them. Other arrows may be put in their place:
:func:`stbp_edu.verify.proof.prove` says which are wrong.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.links import Link
from stbp_edu.lines.derivatives import MINUS_ONE
from stbp_edu.lines.expressions import (
    ONE,
    ZERO,
    evaluate,
    indexed,
    key,
    latex,
    replaced,
)
from stbp_edu.lines.forward_lines import STEPS, ForwardLines
from stbp_edu.surrogates import Surrogate, checked

StateArrays = Mapping[str, Any]
"""The arrays of one layer, by state; ``"u_last"`` and ``"u_next"`` are a step from ``"u"``."""
Parameters = Mapping[str, Any]
"""The parameters of one layer, by name: ``"W"``, ``"b"``, ``"R"``, ``"tau"``."""
LOSS = "L"
"""The head of a read-out."""
PLACES = {-1: "{-}", 0: "{}", 1: "{+}"}


def like(array: Any, value: Any) -> Any:
    """Return the result of a function of the table, in the shape and dtype of an array."""
    found = np.asarray(value, array.dtype)
    if found.shape == array.shape:
        return found
    return np.broadcast_to(found, array.shape)


def placed(letters: str, index: Callable[[int], str]) -> str:
    """Return a factor's letters with indices: index(1) is that of the step after its tail's."""
    for step, place in PLACES.items():
        letters = letters.replace(place, index(step))
    return letters


@dataclass(frozen=True)
class Arrow:
    r"""One arrow, for every layer and step where its two ends exist.

    Args:
        kind: its name in the words of a rule; each arrow of a neuron has its own.
        source: the state at its tail.
        target: the state at its head.
        factor: ∂(head's update)/∂tail, elementwise, an expression whose names are those of the step
            of the tail; None for an arrow with a linear map. Where the run divides by 0 it is not
            finite.
        step: 1 if it leads from t to t + 1, else 0.
        layer: 1 if it leads from n to n + 1, else 0.
        link: the linear map that it carries (weights, recurrent weights), instead of a factor.
        lines: the neuron's; None for an arrow that leaves it.

    >>> from stbp_edu.lines.expressions import parse
    >>> arrow = Arrow("carry", "u", "u", parse("0.5 * o"), step=1)
    >>> arrow.leaves
    False
    """

    kind: str
    source: str
    target: str
    factor: ast.expr | None = field(
        default=None, compare=False
    )  # it follows from lines
    step: int = 0
    layer: int = 0
    link: Link | None = None
    lines: ForwardLines | None = None

    @property
    def leaves(self) -> bool:
        """Whether it leaves the neuron: to another one, or to the loss."""
        return self.link is not None or self.target == LOSS

    @property
    def letters(self) -> str:
        r"""The factor as letters, ``{}`` standing for the tail's indices: ``"u{} f'(o{})"``.

        ``{+}`` is for those of the step after it, ``{-}`` for those of the step before; of 1 and -1
        only the sign is left.
        """
        if self.factor is None or self.lines is None:
            return ""
        if key(self.factor) == key(ONE):
            return ""
        if key(self.factor) == key(MINUS_ONE):
            return "-"
        states = {}
        for step, end in STEPS.items():
            for state in self.lines.order:
                states[state + end] = indexed(state) + PLACES[step]
        letters = latex(self.factor, states, factor=True)
        if self.lines.h_of_u:
            return re.sub(r"(h\([^()]*)-V_\{th\}", r"\1", letters)
        return letters

    def under(self, forgets: Collection[str]) -> Arrow:
        """Return the arrow as rules see it that forget the spike in what is carried."""
        if self.kind != "carry" or "carry" not in forgets or not self.lines:
            return self
        factor: Any = self.factor
        return replace(self, factor=self.lines.silent(factor))


@dataclass(frozen=True)
class Neuron:
    """Forward lines, and the arrows between their states; a network adds those between layers.

    Args:
        lines: the forward lines: the states and their updates.
        arrows: the arrows inside the neuron.
        surrogate: h, which stands in for g', and H, the smooth twin.
        learned: by name, the constants that are learned, each with the arrows that leave it.
        each: those of which each neuron has one of its own; otherwise a layer has one.
        starts: of some of these, the value at which each neuron starts.
    """

    lines: ForwardLines
    arrows: tuple[Arrow, ...]
    surrogate: Surrogate
    learned: Mapping[str, tuple[Arrow, ...]] = field(default_factory=dict)
    each: tuple[str, ...] = ()
    starts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def order(self) -> tuple[str, ...]:
        """The states in the order in which a step computes them."""
        return self.lines.order

    @property
    def input(self) -> str:
        """The state that weights, biases and recurrent weights enter."""
        return self.lines.input

    @property
    def entered(self) -> list[str]:
        """The states that parameters enter, each once: the input, and those of constants."""
        learned = [enter.target for enter in self.enters]
        return [*dict.fromkeys([self.input, *learned])]

    @property
    def output(self) -> str:
        """The state that goes to other neurons."""
        return self.lines.output

    @property
    def enters(self) -> list[Arrow]:
        """The arrows from what is learned to the states that it enters."""
        return [*chain.from_iterable(self.learned.values())]

    def start(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return the values at which a constant that is learned starts, as an array."""
        values = self.starts.get(name)
        if values is None:
            return np.full(shape, self.lines.constants[name], dtype)
        if len(values) != math.prod(shape):
            raise ValueError(
                f"{name} must list one starting value for each neuron of its layer, "
                f"{math.prod(shape)}, got {len(values)}"
            )
        return np.array(values, dtype).reshape(shape)

    def constants(self, p: Parameters, dtype: Any) -> dict[str, Any]:
        """Return the values of the constants: the layer's own where they are learned."""
        values: dict[str, Any] = dict(self.lines.constants)
        for name in values.keys() & p.keys():
            values[name] = np.asarray(p[name], dtype)
        return values

    def updated(self, name: str, states: StateArrays, p: Parameters) -> Any:
        """Return a state from x and those before it; of a spike, how far it is from firing."""
        x = states["x"]
        values = {**self.constants(p, x.dtype), **states}
        return like(x, evaluate(self.lines.update(name), values))

    def value(self, arrow: Arrow, states: StateArrays, p: Parameters) -> Any:
        """Return the factor of an arrow from the states around its tail."""
        output = states[self.output]
        values = {**self.constants(p, output.dtype), **states}
        factor: Any = arrow.factor
        with np.errstate(all="ignore"):
            found = evaluate(factor, values, {"h": self.surrogate.derivative})
        return like(output, found)

    def smooth(self, v: Any) -> Any:
        """Return H(v), which stands for the spike in the smooth twin."""
        return like(v, self.surrogate.antiderivative(v))


def neuron_from(
    lines: ForwardLines,
    surrogate: Surrogate,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
) -> Neuron:
    """Return the neuron with these forward lines, and the arrows that follow from them.

    ``learn`` names the constants that each layer learns, ``learn_each`` those that each neuron
    learns.
    """
    for argument, names in (("learn", learn), ("learn_each", learn_each)):
        if not isinstance(names, list | tuple | set | frozenset):
            raise TypeError(
                f"{argument} must list names, got {checks.brief(names)}; write {argument}=['tau']"
            )
        for name in names:
            checks.choice(argument, name, [*lines.constants])
    both = {*learn} & {*learn_each}
    if both:
        raise ValueError(
            f"learn_each must name other constants than learn, got {', '.join(both)} in both; one "
            "for the layer, or one for each neuron?"
        )
    checked("surrogate", surrogate)

    learned = {}
    for name in (*learn, *learn_each):
        # one that cancels has a gradient, too: 0
        entered = lines.by(name) or {lines.potential: ZERO}
        learned[name] = tuple(
            Arrow(f"enter:{name}>{state}", name, state, factor, lines=lines)
            for state, factor in entered.items()
        )
    return Neuron(lines, inside(lines), surrogate, learned, tuple(learn_each))


def inside(lines: ForwardLines) -> tuple[Arrow, ...]:
    """Return the arrows of a neuron: where a line reads a state, the derivative of that line."""
    of_tail = {}
    for state in lines.order:
        of_tail[state] = ast.Name(f"{state}_next")
        of_tail[f"{state}_last"] = ast.Name(state)
    found = []
    for source in lines.order:
        now, last = lines.by(source), lines.by(f"{source}_last")
        for target in lines.lines:
            ends = lines.kind(source, target), source, target
            if target in now:
                found.append(Arrow(*ends, now[target], lines=lines))
            if target in last:
                factor = replaced(last[target], of_tail)
                found.append(Arrow(*ends, factor, step=1, lines=lines))
    first = ["spike", "carry", "reset"]
    found.sort(key=lambda arrow: [*first, arrow.kind].index(arrow.kind))
    return tuple(sorted(found, key=lambda arrow: arrow.source != "x"))
