"""A network as a table: layers of neurons, the maps between them, and a loss that reads the last.

Index = superscript, as in Part I: ``params[n]``, ``trace["u"][n][t]``, n = 0..N; layer 0 is the
input, in ``trace["o"][0]``. Inputs are any real numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu._support.links import Link, Shape, read_links
from stbp_edu.arrows.arrow import LOSS, Arrow, Neuron
from stbp_edu.forward_pass import Trace
from stbp_edu.losses import RATE, LossFunction, read_loss
from stbp_edu.losses.of_states import Built
from stbp_edu.parameters import LayerArrays, Params, by_layer

Series = dict[str, list[Any]]
"""By state, a list over layers of arrays (T, S, *shape); None where a layer has no such state."""
LayerParams = list[Any]
"""None, then a dictionary for each layer: ``"W"``, ``"b"``, ``"R"`` and what its neuron learns."""


@dataclass(frozen=True)
class Loss:
    """A loss of one state of the last layer.

    Args:
        state: the state of layer N that it reads.
        fit: a loss of :mod:`stbp_edu.losses` or your own, as if what is read were the output.
        per_step: whether it fits every step by itself, and takes the mean.

    Raises:
        TypeError, ValueError: if ``fit`` is not a loss.
    """

    state: str = "o"
    fit: LossFunction = RATE
    per_step: bool = False

    def __post_init__(self) -> None:
        """Check the fit."""
        checks.fields("a loss", self, state=str, per_step=bool)
        read_loss(self.fit)

    def steps(self, T: int) -> range:
        """Return the steps that it reads, of T; a loss that reads more is refused."""
        last = getattr(self.fit, "k", None) or T
        if last > T:
            raise ValueError(
                f"the loss reads the last {last} steps, but there are T = {T}; "
                "run longer, or read fewer"
            )
        return range(T - last, T)

    def value(self, series: Array, y: Array) -> float:
        """Return L of the states read, shape (T, S, n[N]), and the targets (S, n[N])."""
        # a loss of the package unchecked: outputs and targets of any size fit it
        value = self.fit.formula if isinstance(self.fit, Built) else self.fit.value
        values = [float(value(run, y)) for run in self._runs(series)]
        return sum(values) / len(values)

    def direct(self, series: Array, y: Array) -> Array:
        """Return ∂L/∂state, shape (T, S, n[N]): 0 at steps that are not read."""
        self.steps(len(series))
        direct = self.fit.terms if isinstance(self.fit, Built) else self.fit.direct
        slopes = []
        for run in self._runs(series):
            terms = [term for term in direct(run, y) if term is not None]
            slopes.append(sum(terms, np.zeros_like(run.O[-1])))
        mean = np.concatenate(slopes) / len(slopes)
        return mean.astype(series.dtype, copy=False)  # targets may be of another

    def _runs(self, series: Array) -> list[Trace]:
        """Return the runs that it fits: one of all steps, or one of each step."""
        parts = [z[None] for z in series] if self.per_step else [series]
        return [Trace(U=[None, z], O=[z, z]) for z in parts]


def loss_of(loss: LossFunction, neuron: Neuron) -> Loss:
    """Return a loss of :mod:`stbp_edu.losses`, or your own, as one that reads a neuron's state.

    >>> from stbp_edu.arrows import hard_reset
    >>> from stbp_edu import LIF
    >>> from stbp_edu.losses import Membrane
    >>> loss_of(Membrane(k=2), hard_reset(LIF())).state
    'u'
    """
    reads: Any = getattr(loss, "reads", "O")
    return Loss(neuron.lines.potential if reads == "U" else neuron.output, loss)


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
        shapes: dict[str, Shape] = {
            "W": self.link.weight_shape,
            "b": (self.link.units,),
        }
        if self.recurrent:
            shapes["R"] = self.recurrent.weight_shape
        for name in self.neuron.learned:
            shapes[name] = self.link.shape if name in self.neuron.each else ()
        return shapes


@dataclass(frozen=True)
class Table:
    """Layers 1..N on an input of some shape, and the loss that reads the last one.

    :func:`network` makes it. ``layers[0]`` is None.
    """

    shape: Shape
    layers: tuple[Any, ...]
    loss: Loss

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.layers) - 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many neurons each layer has, and how many inputs there are."""
        return tuple(math.prod(self.shape_of(n)) for n in range(self.N + 1))

    @cached_property
    def states(self) -> list[tuple[str, ...]]:
        """By layer, its states in the order of a step; of the input, ``"o"``."""
        return [("o",), *(layer.neuron.order for layer in self.layers[1:])]

    def shape_of(self, n: int) -> Shape:
        """Return the shape of a layer; 0 is the input."""
        return self.layers[n].link.shape if n else self.shape

    def output_of(self, n: int) -> str:
        """Return the state of a layer that the next one reads; "o" of the input."""
        return self.layers[n].neuron.output if n else "o"

    @cached_property
    def arrows(self) -> list[tuple[Arrow, ...]]:
        """The table: for each layer, every arrow that leaves one of its states."""
        tables: list[tuple[Arrow, ...]] = [()]
        for layer, above in pairwise((*self.layers[1:], None)):
            neuron = layer.neuron
            sent = neuron.output
            if above:  # p2-current-delta
                entered = above.neuron.input
                up = Arrow("weight", sent, entered, layer=1, link=above.link)
            else:
                up = Arrow("readout", self.loss.state, LOSS)
            arrows = [up, *neuron.arrows]
            if layer.recurrent:  # p2-recur-delta
                again = Arrow("recur", sent, neuron.input, step=1, link=layer.recurrent)
                arrows.append(again)
            tables.append(tuple(arrows))
        return tables


def network(
    sizes: str | Sequence[int | str],
    neuron: Neuron | Sequence[Neuron],
    loss: Loss | LossFunction = RATE,
) -> Table:
    """Return the table of a network from its sizes as papers write them.

    Args:
        sizes: ``"784-800-10"``, or ``[784, 800, 10]``; ``28x28`` or ``34x34x2`` is an image (rows,
            columns, channels), ``15C5`` a convolution, ``P2`` average pooling, ``20R`` a layer
            with recurrent weights. In arrays, channels come first.
        neuron: one for all layers, or a list of one a layer.
        loss: a loss of :mod:`stbp_edu.losses` or your own, or the :class:`Loss` of another state.

    Raises:
        ValueError: if a part is not understood, the shapes do not compose, or the loss reads a
            state that does not exist.

    >>> from stbp_edu.arrows import hard_reset
    >>> from stbp_edu import LIF
    >>> net = network("28x28-15C5-P2-40C5-P2-300-10", hard_reset(LIF()))
    >>> [net.shape_of(n) for n in range(net.N + 1)]
    [(1, 28, 28), (15, 24, 24), (40, 8, 8), (300,), (10,)]
    """
    given: Any = [*neuron] if isinstance(neuron, list | tuple) else [neuron]
    if not all(isinstance(one, Neuron) for one in given):
        raise TypeError(
            f"neuron must be a Neuron, or a list of one a layer, got {checks.brief(neuron)}; see "
            "hard_reset, or pass the .neuron of what derive returns"
        )
    if not isinstance(loss, Loss):
        loss = loss_of(read_loss(loss), given[-1])
    if not isinstance(sizes, str | list | tuple) or not sizes:
        raise TypeError(
            f"sizes must be a text such as '784-800-10', or a list of its parts, got "
            f"{checks.brief(sizes)}; write for example '28x28-15C5-P2-300-10'"
        )
    parts = sizes.split("-") if isinstance(sizes, str) else [*map(str, sizes)]
    shape, links = read_links("sizes", parts)
    many = len(links)
    neurons = given * many if isinstance(neuron, Neuron) else given
    if len(neurons) != many:
        raise ValueError(
            f"neuron must be one for all layers, or a list of one for each of the {many} layers of "
            f"sizes {sizes!r}, got {len(neurons)}; give {many}"
        )
    layers: list[Any] = [None]
    for own, (link, recurrent) in zip(neurons, links, strict=True):
        layers.append(Layer(own, link, recurrent))
    states = layers[-1].neuron.order
    if loss.state not in states:
        raise ValueError(
            f"the loss reads state {loss.state!r}, which layer {many} does not have; its "
            f"states are {', '.join(states)}"
        )
    return Table(shape, tuple(layers), loss)


def check_params(
    net: Table, params: LayerArrays, *, finite: bool = True
) -> LayerParams:
    """Return the arrays by layer, once each is there, has its shape, and is finite if asked."""
    checks.instance("net", net, Table)
    layers = by_layer(params) if isinstance(params, Params | list) else []
    if len(layers) != net.N + 1:
        raise TypeError(
            f"params must have the N = {net.N} layers of this network, as Params or as None and a "
            f"dictionary for each, got {checks.brief(params)}; pass what init returns"
        )
    for n, layer in enumerate(net.layers[1:], 1):
        for name, shape in layer.shapes.items():  # other entries are not read
            value = layers[n].get(name)
            if value is None:
                raise ValueError(
                    f"params[{n}] lacks {name!r}; give an array of shape {shape}"
                )
            value = value if shape else np.asarray(value)
            checks.array(
                f"params[{n}][{name!r}]", value, str(shape), shape, finite=finite
            )
    return layers


def draw_params(
    net: Table, rng: np.random.Generator, scale: float = 1.0
) -> LayerParams:
    """Draw weights, normal with standard deviation scale / √inputs; biases 0.

    >>> from stbp_edu.arrows import network, soft_reset
    >>> from stbp_edu import LIF
    >>> net = network("3-2R-1", soft_reset(LIF(), learn_leak=True))
    >>> {name: a.shape for name, a in draw_params(net, np.random.default_rng(0))[1].items()}
    {'W': (2, 3), 'b': (2,), 'R': (2, 2), 'tau': ()}
    """
    params: LayerParams = [None]
    for layer in net.layers[1:]:
        constants = layer.neuron.lines.constants
        p = {}
        for name, shape in layer.shapes.items():
            if name in ("W", "R"):
                deviation = scale / math.sqrt(math.prod(shape[1:]))
                p[name] = rng.normal(0, deviation, shape)
            else:
                p[name] = np.full(shape, constants.get(name, 0.0))
        params.append(p)
    return params
