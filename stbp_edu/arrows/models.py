"""A network: layers of neurons, the linear maps between them, and a loss.

Index = superscript, as in Part I: ``params[n]``, ``trace["u"][n][t]``, n = 0..N; layer 0 is the
input, in ``trace["o"][0]``. Inputs are any real numbers.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stbp_edu.arrows.link import AveragePool, Flatten, Link, Patches, Shape
from stbp_edu.arrows.readouts import Loss, rate
from stbp_edu.arrows.table import LOSS, Arrow, Neuron

Trace = dict[str, list[Any]]
"""By state, a list over layers of arrays (T, S, *shape); None where a layer has no such state."""


@dataclass(frozen=True)
class Layer:
    """The neurons of one layer, and the linear maps that lead to them.

    Attributes:
        neuron: the table of its states and arrows.
        link: the weights from the layer below.
        recurrent: the weights from its own spikes to the next step, or None.
    """

    neuron: Neuron
    link: Link
    recurrent: Link | None = None

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each parameter, by name; biases are one for each neuron or channel."""
        shapes: dict[str, Shape] = {"W": self.link.weight_shape, "b": (self.link.units,)}
        if self.recurrent:
            shapes["R"] = self.recurrent.weight_shape
        own = {k: self.link.shape if enter.each else () for k, enter in self.neuron.enters}
        return shapes | own


@dataclass(frozen=True)
class Network:
    """Layers 1..N on an input of some shape, and the loss that reads the last one.

    Raises:
        ValueError: if the shapes do not compose, or the loss reads a state that does not exist.
    """

    shape: Shape
    layers: tuple[Any, ...]
    loss: Loss

    def __post_init__(self) -> None:
        """Check that everything fits together."""
        if len(self.layers) < 2 or self.layers[0] is not None:
            raise ValueError("layers must be (None, layer 1, ..., layer N); put None first")
        for n in range(1, self.N + 1):
            below, source = self.shape_of(n - 1), self.layers[n].link.source
            if below != source:
                raise ValueError(f"layer {n} reads shape {source}, but below it is {below}")
        states = [s.name for s in self.layers[self.N].neuron.states]
        if self.loss.state not in states:
            raise ValueError(
                f"loss {self.loss.name!r} reads state {self.loss.state!r}, which layer {self.N} "
                f"does not have; its states are {', '.join(states)}"
            )

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.layers) - 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many neurons each layer has, and how many inputs there are."""
        return tuple(math.prod(self.shape_of(n)) for n in range(self.N + 1))

    def shape_of(self, n: int) -> Shape:
        """Return the shape of a layer; 0 is the input."""
        return self.layers[n].link.shape if n else self.shape

    def output_of(self, n: int) -> str:
        """Return the state of a layer that the next one reads; "o" of the input."""
        return self.layers[n].neuron.output if n else "o"

    @cached_property
    def arrows(self) -> list[tuple[Arrow, ...]]:
        """The table: for each layer, every arrow that leaves one of its states."""
        return [(), *(tuple(self._arrows(n)) for n in range(1, self.N + 1))]

    def _arrows(self, n: int) -> Iterator[Arrow]:
        """Yield the arrows that leave the states of a layer."""
        neuron = self.layers[n].neuron
        if n < self.N:
            above = self.layers[n + 1]
            into = above.neuron.input  # p2-current-delta
            yield Arrow("weight", neuron.output, into, layer=1, link=above.link)
        else:
            yield Arrow("readout", self.loss.state, LOSS)
        yield from neuron.arrows
        if recurrent := self.layers[n].recurrent:
            # p2-recur-delta
            yield Arrow("recur", neuron.output, neuron.input, step=1, link=recurrent)


def network(
    sizes: str | Sequence[int], neuron: Neuron | Sequence[Neuron], loss: Loss | None = None
) -> Network:
    """Return a network from its sizes as papers write them.

    Args:
        sizes: ``"784-800-10"``, or ``[784, 800, 10]``. ``28x28`` or ``2x34x34`` is an image;
            ``15C5`` a convolution with 15 channels and a kernel of 5; ``P2`` average pooling of
            what the next layer reads; ``20R`` a dense layer with recurrent weights.
        neuron: one for all layers, or a list of one a layer.
        loss: :func:`rate` where None.

    Raises:
        ValueError: if a part is not understood, or the shapes do not compose.

    >>> from stbp_edu.arrows import hard_reset
    >>> from stbp_edu import LIF
    >>> net = network("28x28-15C5-P2-40C5-P2-300-10", hard_reset(LIF()))
    >>> [net.shape_of(n) for n in range(net.N + 1)]
    [(1, 28, 28), (15, 24, 24), (40, 8, 8), (300,), (10,)]
    """
    first, *rest = sizes.split("-") if isinstance(sizes, str) else map(str, sizes)
    shape = _input_shape(first)
    neurons = [p for p in rest if not p.startswith("P")]
    many = [neuron] * len(neurons) if isinstance(neuron, Neuron) else list(neuron)
    if not neurons or len(many) != len(neurons) or rest[-1].startswith("P"):
        raise ValueError(
            f"sizes {sizes!r} must name at least one layer of neurons, with one neuron each or one "
            f"for all ({len(neurons)} layers, {len(many)} neurons), and end in a layer"
        )
    layers: list[Any] = [None]
    maps: tuple[Any, ...] = ()
    below = shape
    for part in rest:
        if pool := re.fullmatch(r"P(\d+)", part):
            maps = (*maps, AveragePool(int(pool[1])))
            continue
        layers.append(_layer(part, maps, below, many[len(layers) - 1]))
        below, maps = layers[-1].link.shape, ()
    return Network(shape, tuple(layers), rate() if loss is None else loss)


def _input_shape(part: str) -> Shape:
    """Return the shape of the input: (784,), or (C, H, W)."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*){0,2}", part):
        raise ValueError(f"the input {part!r} is not understood; write 784, 28x28 or 2x34x34")
    shape = tuple(map(int, part.split("x")))
    return (1, *shape) if len(shape) == 2 else shape


def _layer(part: str, maps: tuple[Any, ...], below: Shape, neuron: Neuron) -> Layer:
    """Return the layer that one part of the sizes names."""
    found = re.fullmatch(r"([1-9]\d*)(?:C([1-9]\d*)|(R))?", part)
    if not found:
        raise ValueError(f"layer {part!r} is not understood; write 300, 300R, 15C5 or P2")
    units, kernel, again = found.groups()
    link = Link((*maps, Patches(int(kernel)) if kernel else Flatten()), below, int(units))
    if not isinstance(neuron, Neuron):
        raise TypeError(f"a neuron must be a Neuron, got {neuron!r}; see hard_reset")
    try:
        shape = link.shape
        _ = link.weight_shape
    except ValueError as error:
        raise ValueError(f"layer {part!r} on shape {below}: {error}") from None
    recurrent = Link((Flatten(),), shape, math.prod(shape), "R") if again else None
    return Layer(neuron, link, recurrent)
