"""The table of arrows: which states a neuron has, and which of them enters the update of which.

An arrow is one way in which a change of one quantity changes the next. Its factor is the partial
derivative of the head's update with respect to the tail. A node's adjoint has one term for each
arrow that leaves it: the factor, times the adjoint at the head. The states and their updates are
the neuron's forward lines, and the arrows follow from them. Other arrows may be put in their place:
``stbp_edu.proof`` then says which are wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows.factors import constants, factor_letters, factor_value
from stbp_edu.arrows.link import Link
from stbp_edu.lines import expressions as ex
from stbp_edu.lines.forward_lines import ForwardLines, Slope
from stbp_edu.surrogates import Surrogate, checked

StateArrays = Mapping[str, Any]
"""The arrays of one layer, by state."""
Parameters = Mapping[str, Any]
"""The parameters of one layer, by name: ``"W"``, ``"b"``, ``"R"``, ``"tau"``."""
Factor = Callable[[StateArrays, Parameters], Any]
"""A factor: the states at the arrow's tail and the layer's parameters to a local derivative.

``states["u"]`` is u at the tail's step, ``states["u+1"]`` one step later, ``states["u-1"]`` one
step before: an arrow whose factor reads both steps needs them.
"""
LOSS = "L"
"""The head of a read-out."""


def like(array: Any, value: Any, what: str) -> Any:
    """Return the result of a function of the table, in the shape and dtype of an array."""
    try:
        found = np.asarray(value, array.dtype)
        if found.shape == array.shape:
            return found
        return np.broadcast_to(found, array.shape)
    except (TypeError, ValueError):
        raise TypeError(
            f"{what} must be a number or an array of shape {array.shape}, got "
            f"{checks.brief(value)}; return one value for each neuron"
        ) from None


def placed(letters: str, index: Callable[[int], str]) -> str:
    """Return a factor's letters with indices: index(1) is that of the step after its tail's."""
    letters = letters.replace("{-}", index(-1))
    letters = letters.replace("{}", index(0))
    return letters.replace("{+}", index(1))


@dataclass(frozen=True)
class Arrow:
    r"""One arrow, for every layer and step where its two ends exist.

    Args:
        kind: its name in the words of a rule; each arrow of a neuron has its own.
        source: the state at its tail.
        target: the state at its head.
        factor: ∂(head's update)/∂tail, elementwise; None for an arrow with a linear map.
        letters: the factor as letters, ``{}`` standing for the tail's indices: ``"u{} f'(o{})"``;
            ``{+}`` for those of the step after it, ``{-}`` for those of the step before.
        step: 1 if it leads from t to t + 1, else 0.
        layer: 1 if it leads from n to n + 1, else 0.
        leak: another factor, for rules that forget the spike in it (``leak-only``).
        leak_letters: that factor as letters.
        link: the linear map that it carries (weights, recurrent weights), instead of a factor.

    Raises:
        ValueError: if it has neither a factor nor a map, or leads to another step or layer.

    >>> arrow = Arrow("carry", "u", "u", lambda states, params: 0.5, r"\tau", step=1)
    >>> arrow.leaves
    False
    """

    kind: str
    source: str
    target: str
    factor: Factor | None = None
    letters: str = ""
    step: int = 0
    layer: int = 0
    leak: Factor | None = None
    leak_letters: str = r"\tau"
    link: Link | None = None

    def __post_init__(self) -> None:
        """Check that there is a factor, and the steps that it takes."""
        function = Callable, NoneType
        checks.fields("an arrow", self, kind=str, source=str, target=str, letters=str)
        what = f"arrow {self.kind!r}"
        checks.fields(what, self, factor=function, leak=function, leak_letters=str)
        checks.fields(what, self, link=(Link, NoneType))
        for name, value in (("step", self.step), ("layer", self.layer)):
            checks.count(f"{what}: {name}", value, at_least=0, at_most=1)
        if not self.factor and not self.link and self.target != LOSS:
            raise ValueError(
                f"{what} from {self.source} to {self.target} has no factor; give factor=, the "
                f"derivative of {self.target} at its head by {self.source} at its tail"
            )

    @property
    def leaves(self) -> bool:
        """Whether it leaves the neuron: to another one, or to the loss."""
        return self.link is not None or self.target == LOSS


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

    Raises:
        ValueError: if an arrow begins or ends at an unknown state, or two arrows are of one kind.
    """

    lines: ForwardLines
    arrows: tuple[Arrow, ...]
    surrogate: Surrogate
    learned: Mapping[str, tuple[Arrow, ...]] = field(default_factory=dict)
    each: tuple[str, ...] = ()
    starts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the table."""
        parts = {
            "lines": ForwardLines,
            "arrows": tuple,
            "learned": Mapping,
            "each": tuple,
            "starts": Mapping,
        }
        checks.fields("a neuron", self, **parts)
        checked("surrogate", self.surrogate)
        kinds = [
            checks.instance("an arrow", arrow, Arrow).kind for arrow in self.arrows
        ]
        twice = [kind for kind in kinds if kinds.count(kind) > 1]
        if twice:
            raise ValueError(
                f"two arrows are called {twice[0]!r}; give each its own kind"
            )
        for arrow in self.arrows:
            for state in (arrow.source, arrow.target):
                checks.choice(f"arrow {arrow.kind!r}: state", state, self.order)
        for name, entering in self.learned.items():
            checks.choice("learned", name, self.lines.constants)
            if not checks.instance(f"learned {name!r}", entering, tuple):
                raise ValueError(
                    f"learned {name!r} must enter a state, got (); leave it out"
                )
            for arrow in entering:
                target = checks.instance(f"learned {name!r}", arrow, Arrow).target
                checks.choice(f"learned {name!r}: target", target, self.order)
        for name in self.each:
            checks.choice("each", name, self.learned)
        for name, values in self.starts.items():
            checks.choice("starts", name, self.each)
            checks.instance(f"starts of {name!r}", values, tuple)

    @property
    def order(self) -> tuple[str, ...]:
        """The states in the order in which a step computes them."""
        return tuple(self.lines.states)

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

    def updated(
        self, name: str, now: StateArrays, past: StateArrays, x: Any, p: Parameters
    ) -> Any:
        """Return a state from those before it; of a spike, its distance from the threshold."""
        constant = constants(self.lines, p, x.dtype)
        given = x
        if self.input == "x" and name != "x":
            given = now["x"]

        def value(one: ex.Name) -> Any:
            """Return the value of a name."""
            if one.name == "x":
                return given
            if one.when == "now":
                return now[one.name]
            if one.when == "last":
                return past[one.name]
            return constant(one)

        found = ex.evaluate(self.lines.update(name), value, {})
        return like(x, found, f"state {name!r}")

    def smooth(self, v: Any) -> Any:
        """Return H(v), which stands for the spike in the smooth twin."""
        return like(v, self.surrogate.antiderivative(v), "H(v)")


def neuron_from(
    lines: ForwardLines,
    surrogate: Surrogate,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
    *,
    h_of_u: bool = False,
) -> Neuron:
    """Return the neuron with these forward lines, and the arrows that follow from them.

    ``learn`` names the constants that each layer learns, ``learn_each`` those that each neuron
    learns. With ``h_of_u``, formulas have h(u) for h(u - v_th), as the course writes it.
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
    h = checked("surrogate", surrogate).derivative

    def arrow(slope: Slope) -> Arrow:
        """Return one arrow of the table; a carry may forget the spike."""
        kind, source, target, step, tree = slope
        factor = partial(factor_value, lines, h, tree, step)  # which can be pickled
        letters = factor_letters(tree, step, h_of_u=h_of_u)
        one = Arrow(kind, source, target, factor, letters, step)
        if kind != "carry":
            return one
        silent = lines.silent(tree)
        leak = partial(factor_value, lines, h, silent, step)
        leak_letters = factor_letters(silent, step, h_of_u=h_of_u)
        return replace(one, leak=leak, leak_letters=leak_letters)

    learned = {}
    for name in (*learn, *learn_each):
        learned[name] = tuple(map(arrow, lines.enters(name)))
    own = tuple(map(arrow, lines.slopes))
    return Neuron(lines, own, surrogate, learned, tuple(learn_each))
