"""The table of arrows: which states a neuron has, and which of them enters the update of which.

An arrow is one way in which a change of one quantity changes the next. Its factor is the partial
derivative of the head's update with respect to the tail. A node's adjoint has one term for each
arrow that leaves it: the factor, times the adjoint at the head.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from types import NoneType
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows.lines.forward_lines import ForwardLines
from stbp_edu.arrows.link import Link
from stbp_edu.surrogates import Surrogate, checked

States = Mapping[str, Any]
"""The arrays of one layer, by state."""
Parameters = Mapping[str, Any]
"""The parameters of one layer, by name: ``"W"``, ``"b"``, ``"R"``, ``"tau"``."""
Factor = Callable[[States, Parameters], Any]
"""A factor: the states at the arrow's tail and the layer's parameters to a local derivative.

``states["u"]`` is u at the tail's step, ``states["u+1"]`` one step later, ``states["u-1"]`` one
step before: an arrow whose factor reads both steps needs them.
"""
Update = Callable[[States, States, Any, Parameters], Any]
"""(states of this step, states of the last step, what comes in, parameters) to the new state."""
LOSS = "L"
"""The head of a read-out."""


def like(array: Any, value: Any, what: str) -> Any:
    """Return what a function of the table returned, in the shape and dtype of an array.

    Raises:
        TypeError: if it is neither a number nor an array of this shape.
    """
    try:
        found = np.asarray(value, array.dtype)
        return found if found.shape == array.shape else np.broadcast_to(found, array.shape)
    except (TypeError, ValueError):
        raise TypeError(
            f"{what} must be a number or an array of shape {array.shape}, got "
            f"{checks.brief(value)}; return one value for each neuron"
        ) from None


def placed(letters: str, index: Callable[[int], str]) -> str:
    """Return a factor's letters with indices: index(1) is that of the step after its tail's.

    >>> placed("u{} i{+}", lambda later: f"^{later}")
    'u^0 i^1'
    """
    for later, place in enumerate(("{-}", "{}", "{+}"), -1):
        letters = letters.replace(place, index(later))
    return letters


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
            if type(value) is not int or value not in (0, 1):
                raise ValueError(f"{what}: {name} must be 0 or 1, got {checks.brief(value)}")
        if self.factor is None and self.link is None and self.target != LOSS:
            raise ValueError(
                f"arrow {self.kind!r} from {self.source} to {self.target} has no factor; give "
                f"factor=, the derivative of {self.target} at its head by {self.source} at its tail"
            )

    @property
    def leaves(self) -> bool:
        """Whether it leaves the neuron: to another one, or to the loss."""
        return self.link is not None or self.target == LOSS


@dataclass(frozen=True)
class State:
    """One state of a neuron.

    Attributes:
        name: "u", say.
        adjoint: the letter of its adjoint in formulas, in LaTeX.
        update: how it follows from the states before it.
        fires: whether it is a spike, and what its update gives is the distance from the threshold.
    """

    name: str
    adjoint: str
    update: Update
    fires: bool = False

    def __post_init__(self) -> None:
        """Check the kinds of what it has."""
        checks.fields("a state", self, name=str, adjoint=str, update=Callable, fires=bool)


@dataclass(frozen=True)
class Enter:
    """How a parameter of the neuron itself enters a state.

    Attributes:
        target: the state.
        factor: ∂target/∂parameter, from the states at the target's step.
        letters: the factor as letters.
        initial: the value to begin with.
        each: whether each neuron has one of its own; otherwise a layer has one.
    """

    target: str
    factor: Factor
    letters: str
    initial: float
    each: bool = False

    def __post_init__(self) -> None:
        """Check the kinds of what it has."""
        checks.fields("what is learned", self, target=str, factor=Callable, letters=str, each=bool)
        checks.number("initial", self.initial)


@dataclass(frozen=True)
class Neuron:
    """States and the arrows between them; the network adds the arrows from layer to layer.

    Args:
        states: the states; one of them, ``output``, goes to other neurons.
        arrows: the arrows inside the neuron.
        surrogate: h, which stands in for g', and H, the smooth twin.
        input: the state that weights, biases and recurrent weights enter.
        output: the state that goes to other neurons.
        learned: parameters of the neuron itself, such as a leak; a tuple where one enters several
            states.
        lines: the forward lines that it was derived from, if it was.

    Raises:
        ValueError: if an arrow begins or ends at an unknown state, two arrows are of one kind, or
            arrows within a step form a cycle.
    """

    states: tuple[State, ...]
    arrows: tuple[Arrow, ...]
    surrogate: Surrogate
    input: str = "u"
    output: str = "o"
    learned: Mapping[str, Enter | tuple[Enter, ...]] = field(default_factory=dict)
    lines: Any = None

    def __post_init__(self) -> None:
        """Check the table, and find the order in which a step computes its states."""
        checks.fields("a neuron", self, states=tuple, arrows=tuple, learned=Mapping)
        checks.fields("a neuron", self, input=str, output=str, lines=(ForwardLines, NoneType))
        for kind, entries in ((State, self.states), (Arrow, self.arrows)):
            for entry in entries:
                checks.instance("an entry of a neuron", entry, kind)
        checked("surrogate", self.surrogate)
        names, kinds = [s.name for s in self.states], [a.kind for a in self.arrows]
        for arrow in self.arrows:
            for state in (arrow.source, arrow.target):
                checks.choice(f"arrow {arrow.kind!r}: state", state, names)
            if kinds.count(arrow.kind) > 1:
                raise ValueError(f"two arrows are called {arrow.kind!r}; give each its own kind")
        letters = [s.adjoint for s in self.states]
        if twice := [letter for letter in letters if letters.count(letter) > 1]:
            raise ValueError(f"two states have the adjoint {twice[0]!r}; give each its own letter")
        checks.choice("input", self.input, names)
        checks.choice("output", self.output, names)
        if nowhere := [k for k, e in self.learned.items() if isinstance(e, tuple) and not e]:
            raise ValueError(f"learned {nowhere[0]!r} must enter a state, got (); leave it out")
        for name, enter in self.enters:
            checks.instance(f"learned {name!r}", enter, Enter)
            checks.choice(f"learned {name!r}: target", enter.target, names)
            first = dict(reversed(self.enters))[name]
            if (enter.initial, enter.each) != (first.initial, first.each):
                raise ValueError(
                    f"learned {name!r} must begin with one value in all states that it enters, got "
                    f"initial={first.initial}, each={first.each} and initial={enter.initial}, "
                    f"each={enter.each}; give all the same"
                )
        waits = {s: [a.source for a in self.arrows if a.target == s and not a.step] for s in names}
        try:
            order = tuple(
                self.lines.states if self.lines else TopologicalSorter(waits).static_order()
            )
        except CycleError as error:
            raise ValueError(
                f"arrows within one step form a cycle, {' → '.join(error.args[1])}; no state of it "
                "can be computed first: let one arrow take a step (step=1)"
            ) from None
        object.__setattr__(self, "order", order)

    order: tuple[str, ...] = field(init=False, default=())
    """The states in the order in which a step computes them."""

    @property
    def enters(self) -> list[tuple[str, Enter]]:
        """What is learned, by name, once for each state that it enters."""
        several = ((k, e if isinstance(e, tuple) else (e,)) for k, e in self.learned.items())
        return [(name, enter) for name, enters in several for enter in enters]

    def state(self, name: str) -> State:
        """Return a state by its name."""
        return next(s for s in self.states if s.name == name)
