"""The inputs that an exercise's function is called with.

An exercise's table says at which cells of networks they are taken: ``inputs = "case 3"``, one of
the ``WALKS``. Or it draws them at random: ``draw`` is an expression in ``rng`` and the number ``k``
of the call, or a body that returns the arguments, in the names of
:mod:`stbp_edu.practice.tasks.names`.

The networks differ in T, S, N, τ and widths, so no wrong answer passes by luck: some spike
hard, some are smooth twins (so that no factor is 0 or 1 by chance), and one is square in every
dimension, so a transposed matrix runs and can be named. The names in a signature say what to
pass: ``QUANTITIES`` gives each at a cell (t, n), ``err_next`` is err one step later, ``W_above`` is
W one layer up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support.checks import Array
from stbp_edu.cases import case_at, sweep
from stbp_edu.forward_pass import Adjoints, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.practice.tasks.catalogue import (
    AnswerFunction,
    Exercise,
    define,
    source_of,
)
from stbp_edu.surrogates import Gaussian, Sigmoid


def step_name(t: int) -> str:
    """Return a time step as formulas count it, from 1, and as code does, from 0.

    >>> step_name(1)
    't = 2 (index 1 in code)'
    """
    return f"t = {t + 1} (index {t} in code)"


@dataclass(frozen=True)
class ForwardPass:
    """A network with one forward pass through it, and the targets Y, shape (S, n[N]).

    ``description`` says which network it is, for messages and captions.
    """

    trace: Trace
    targets: Array
    params: Params
    neuron: LIF
    description: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, N)."""
        T, S, _ = self.trace.O[0].shape
        return T, S, self.params.N

    @cached_property
    def signals(self) -> dict[str, list[Any]]:
        """What comes back in place of δ and ε: any numbers, since a formula holds for all.

        So no two are equal by chance, as δ ⊙ h and ε are at the last step.
        """
        rng, layers = np.random.default_rng([2019, *self.shape]), self.trace.U[1:]
        return {
            kind: [None, *(rng.normal(0.0, 0.3, u.shape) for u in layers)]
            for kind in ("delta", "epsilon", "gamma")
        }

    def sweep(self, rule: str) -> Adjoints:
        """Return δ, ε and the gradients of a rule."""
        return sweep(self.trace, self.targets, self.params, self.neuron, rule)

    def cells(self, case: int) -> Iterator[tuple[int, int]]:
        """Yield the cells (t, n) of this case, in the order of the backward sweep."""
        T, _, N = self.shape
        order = product(reversed(range(T)), range(N, 0, -1))
        yield from ((t, n) for t, n in order if case_at(t, n, T, N) == case)


def probe_networks() -> tuple[ForwardPass, ...]:
    """Return newly drawn networks; the same at every call and on every machine."""
    return (
        draw_network(700, (4, 3, 2), T=4, S=2, tau=0.5, smooth=False),
        draw_network(701, (3, 3, 3, 3), T=3, S=3, tau=0.7, smooth=True, v_th=0.5),
        draw_network(702, (3, 5, 4, 2), T=5, S=3, tau=0.9, smooth=False, v_th=0.75),
        draw_network(703, (2, 4, 3), T=2, S=4, tau=0.3, smooth=True),
        draw_network(704, (3, 2), T=3, S=2, tau=0.6, smooth=True),
        draw_network(705, (2, 3, 2), T=1, S=3, tau=0.5, smooth=True),
    )


def wide_network() -> ForwardPass:
    """Return a network in which every layer below has more than T·S neurons."""
    return draw_network(773, (9, 9, 9, 9), T=4, S=2, tau=0.6, smooth=True)


def more_networks() -> tuple[ForwardPass, ...]:
    """Return networks of other shapes and of the linear gate, for answers that take them whole."""
    return (
        draw_network(
            706, (3, 1, 4, 2, 3), T=6, S=1, tau=0.7, smooth=True, gate="linear"
        ),
        draw_network(707, (2, 3, 1), T=7, S=1, tau=0.4, smooth=False, gate="linear"),
        wide_network(),
    )


def at_threshold() -> ForwardPass:
    """Return a network whose potential equals the threshold exactly."""
    params = Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    neuron = LIF(0.5, v_th=1.0)
    trace = forward(np.ones((3, 1, 1)), params, neuron)
    name = f"1-1 network, u = V_th at {step_name(0)}"
    return ForwardPass(trace, np.ones((1, 1)), params, neuron, name)


def draw_network(
    seed: int,
    sizes: tuple[int, ...],
    T: int,
    S: int,
    tau: float,
    smooth: bool,
    **others: Any,
) -> ForwardPass:
    """Return a random network, a smooth twin or a spiking one, with a forward pass.

    ``others`` are the threshold and the gate of its neuron, where they are not 0.6 and the curved.
    """
    rng = np.random.default_rng([2018, seed])
    curve = Sigmoid(a=0.4) if smooth else Gaussian(a=0.8)
    neuron = LIF(tau, surrogate=curve, **{"v_th": 0.6, **others})
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    W = [rng.uniform(-0.9, 1.2, shape) for shape in shapes]
    b = [rng.uniform(-0.2, 0.4, width) for width in sizes[1:]]
    params = Params(W=[None, *W], b=[None, *b])
    grey = rng.random((T, S, sizes[0]))
    spikes = grey if smooth else (grey < 0.6).astype(np.float64)
    trace = forward(spikes, params, neuron, spike=neuron.H if smooth else None)
    targets = rng.random((S, sizes[-1]))
    kind = "smooth twin" if smooth else "spiking network"
    widths = "-".join(map(str, sizes))
    description = f"{widths} {kind}, T = {T}, S = {S}, τ = {tau:g}"
    if neuron.gate == "linear":
        description += ", linear gate"
    return ForwardPass(trace, targets, params, neuron, description)


TimeSteps = int | NDArray[np.intp]
"""One time step, or all of them."""

QUANTITIES: dict[str, Callable[[ForwardPass, TimeSteps, int], Any]] = {
    "trace": lambda net, t, n: net.trace,
    "targets": lambda net, t, n: net.targets,
    "params": lambda net, t, n: net.params,
    "neuron": lambda net, t, n: net.neuron,
    "tau": lambda net, t, n: net.neuron.tau,
    "S": lambda net, t, n: net.shape[1],
    "spikes": lambda net, t, n: net.trace.O[0],
    "Y": lambda net, t, n: net.targets,
    "W": lambda net, t, n: net.params.W[n],
    "b": lambda net, t, n: net.params.b[n],
    "U": lambda net, t, n: net.trace.U[n][t],
    "O": lambda net, t, n: net.trace.O[n][t],
    "X": lambda net, t, n: net.trace.O[n - 1][t + 1] @ net.params.W[n].T,
    "f": lambda net, t, n: net.neuron.f(net.trace.O[n][t]),
    "O_gate": lambda net, t, n: net.neuron.f(net.trace.O[n][t]),
    "df": lambda net, t, n: net.neuron.df(net.trace.O[n][t]),
    "dO_gate": lambda net, t, n: net.neuron.df(net.trace.O[n][t]),
    "h": lambda net, t, n: net.neuron.h(net.trace.U[n][t]),
    "delta": lambda net, t, n: net.signals["delta"][n][t],
    "epsilon": lambda net, t, n: net.signals["epsilon"][n][t],
    "err": lambda net, t, n: net.signals["epsilon"][n][t],
    "v_th": lambda net, t, n: net.neuron.v_th,
    "k": lambda net, t, n: (net.shape[0] + 1) // 2,
    "cost": lambda net, t, n: 0.1 * net.neuron.tau,
    "alpha": lambda net, t, n: 1 - net.neuron.tau / 2,
    "gamma": lambda net, t, n: net.signals["gamma"][n][t],
    "t": lambda net, t, n: t,
    "n": lambda net, t, n: n,
    "T": lambda net, t, n: net.shape[0],
    "N": lambda net, t, n: net.params.N,
}
"""Each quantity by the name that signatures give it, taken from a network at (t, n)."""

ELSEWHERE: dict[str, Callable[[TimeSteps, int, int], tuple[TimeSteps, int]]] = {
    "next": lambda t, n, T: (t + 1, n),
    "last": lambda t, n, T: (T - 1, n),
    "above": lambda t, n, T: (t, n + 1),
    "below": lambda t, n, T: (t, n - 1),
}
"""The cell at which a quantity with this ending is taken, such as ``err_next``."""

ONE_NEURON: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "y": ("Y", lambda Y: Y[-1, -1]),
    "o": ("O", lambda O: O[:, -1, -1]),
    "u": ("U", lambda U: float(U[-1, -1])),
    "S": ("S", int),
    "epsilon": ("epsilon", lambda epsilon: epsilon[:, -1, -1]),
    "o_below": ("O_below", lambda O: O[:, -1, 0]),
    "err_above": ("err_above", lambda err: err[-1]),
    "w_to": ("W_above", lambda W: W[:, -1]),
}
"""Inputs for one neuron, the last of its layer, in the last sample: what is taken of what.

Of a quantity that is not listed, the last entry is taken.
"""


def quantity(name: str, net: ForwardPass, t: TimeSteps, n: int) -> Any:
    """Return the quantity of this name at (t, n)."""
    if name in QUANTITIES:
        return QUANTITIES[name](net, t, n)
    base, _, elsewhere = name.partition("_")
    if elsewhere:
        T, _, _ = net.shape
        t, n = ELSEWHERE[elsewhere](t, n, T)
    return QUANTITIES[base](net, t, n)


def one_neuron(name: str, net: ForwardPass, t: TimeSteps, n: int) -> Any:
    """Return the quantity of this name at (t, n) for one neuron and one sample."""
    of_layer, entry = ONE_NEURON.get(name, (name, lambda values: float(values[-1, -1])))
    return entry(quantity(of_layer, net, t, n))


Walk = Iterator[tuple[TimeSteps, int, str]]
"""Steps and layers at which quantities are taken, each with a description of the place."""


def _case(net: ForwardPass, case: int, all_steps: bool = False) -> Walk:
    """Yield the cells of a case, in the order of the backward sweep."""
    T, _, N = net.shape
    for t, n in net.cells(case):
        last = ", the last step" if t == T - 1 else ""
        output = ", the output layer" if n == N else ""
        where = f"{step_name(t)}{last}, n = {n}{output}, case {case}, in the {net.description}"
        steps = np.arange(T) if all_steps else t
        yield steps, n, where


def _layers(net: ForwardPass) -> Walk:
    """Yield the layers from the output down, with all steps of each."""
    T, _, N = net.shape
    for n in range(N, 0, -1):
        place = f"layer n = {n} of 1..{N}, case 5, in the {net.description}"
        yield np.arange(T), n, place


def _cells(net: ForwardPass, last_step: bool = True, shape_alone: bool = False) -> Walk:
    """Yield all cells, in the order of time; perhaps with no more of the network than its shape."""
    T, _, N = net.shape
    steps = T if last_step else T - 1
    network = f"with T = {T}, N = {N}" if shape_alone else f"in the {net.description}"
    for t in range(steps):
        for n in range(N, 0, -1):
            yield t, n, f"{step_name(t)}, n = {n}, {network}"


def _whole(net: ForwardPass, layer: int = -1) -> Walk:
    """Yield one place for the whole network: all steps of one layer."""
    T, _, N = net.shape
    yield np.arange(T), range(N + 1)[layer], f"the {net.description}"


WALKS: dict[str, Callable[[ForwardPass], Walk]] = {
    **{f"case {case}": partial(_case, case=case) for case in (1, 2, 3, 4)},
    "case 1 from all steps": partial(_case, case=1, all_steps=True),
    "layers": _layers,
    "grid": partial(_cells, shape_alone=True),
    "cells": _cells,
    "cells before the last step": partial(_cells, last_step=False),
    "networks": _whole,
    "networks and one at the threshold": _whole,
    "first layers": partial(_whole, layer=1),
}
"""The cells at which an exercise takes its inputs; ", one neuron" may follow in its table."""


@dataclass(frozen=True)
class Inputs:
    """The arguments of one call of the reader's function, which gets a copy.

    ``where`` says which network, and which cell (t, n) of its grid; T and S count its steps and
    samples; ``right`` is what the function should return, where that is computed.
    """

    args: tuple[Any, ...]
    where: str
    T: int = 1
    S: int = 1
    right: Any = None


def _random(exercise: Exercise) -> Iterator[Inputs]:
    """Yield random arguments, each call's from a generator of its own; its numbers say which."""
    draw = draw_of(exercise)
    for k in range(exercise.calls):
        args = draw(np.random.default_rng([1706, k]), k)
        pairs = zip(exercise.arguments, args, strict=False)
        numbers = [
            step_name(int(a)) if name == "t" else f"{name} = {a:.4g}"
            for name, a in pairs
            if isinstance(a, (int, float))
        ]
        told = f" ({', '.join(numbers)})" if numbers else ""
        yield Inputs(args, f"call {k + 1} of {exercise.calls}{told}")


def inputs_of(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of every call that an exercise's function is graded on."""
    if exercise.draw:
        return tuple(_random(exercise))
    walk, _, scalar = exercise.inputs.partition(", ")
    take = one_neuron if scalar else quantity
    networks = probe_networks()
    networks += more_networks() if WALKS[walk] is _whole else ()
    networks += (at_threshold(),) if walk.endswith("threshold") else ()
    found = []
    for net in networks:
        T, S, _ = net.shape
        for t, n, where in WALKS[walk](net):
            args = tuple(take(name, net, t, n) for name in exercise.arguments)
            found.append(Inputs(args, where, T, S))
    return tuple(found)


def draw_of(exercise: Exercise) -> AnswerFunction:
    """Return the function of (rng, k) that draws the arguments of the k-th call."""
    return define(source_of("draw(rng, k)", exercise.draw), table=True)
