"""The inputs that an exercise's function is called with.

An exercise's table says at which cells of networks they are taken: ``inputs = "case 3"``, one of
the ``WALKS``. Or it draws them at random: ``draw`` is an expression in ``rng`` and the number ``k``
of the call, or a body that returns the arguments, in the names of
:mod:`stbp_edu.practice.tasks.names`.

The names in a signature say what to pass: ``QUANTITIES`` gives each at a cell (t, n), ``err_next``
is err one step later, ``W_above`` is W one layer up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.practice.tasks.catalogue import (
    AnswerFunction,
    Exercise,
    define,
    source_of,
)
from stbp_edu.practice.tasks.probes import (
    ForwardPass,
    at_threshold,
    more_networks,
    probe_networks,
    step_name,
)

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
    if name not in ONE_NEURON:
        values = quantity(name, net, t, n)
        return float(values[-1, -1])
    of_layer, entry = ONE_NEURON[name]
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
    network = f"in the {net.description}"
    if shape_alone:
        network = f"with T = {T}, N = {N}"
    steps = T if last_step else T - 1
    for t in range(steps):
        for n in range(N, 0, -1):
            yield t, n, f"{step_name(t)}, n = {n}, {network}"


def _whole(net: ForwardPass, layer: int = -1) -> Walk:
    """Yield one place for the whole network: all steps of one layer."""
    T, _, N = net.shape
    layers = range(N + 1)
    yield np.arange(T), layers[layer], f"the {net.description}"


WALKS: dict[str, Callable[[ForwardPass], Walk]] = {
    "case 1": partial(_case, case=1),
    "case 2": partial(_case, case=2),
    "case 3": partial(_case, case=3),
    "case 4": partial(_case, case=4),
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
        rng = np.random.default_rng([1706, k])
        args = draw(rng, k)
        numbers = []
        for name, value in zip(exercise.arguments, args, strict=False):
            if isinstance(value, (int, float)):
                words = (
                    step_name(int(value)) if name == "t" else f"{name} = {value:.4g}"
                )
                numbers.append(words)
        where = f"call {k + 1} of {exercise.calls}"
        if numbers:
            where += f" ({', '.join(numbers)})"
        yield Inputs(args, where)


def inputs_of(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of every call that an exercise's function is graded on."""
    if exercise.draw:
        return tuple(_random(exercise))
    walk, _, scalar = exercise.inputs.partition(", ")
    take = one_neuron if scalar else quantity
    networks = list(probe_networks())
    if WALKS[walk] is _whole:
        networks += more_networks()
    if walk.endswith("threshold"):
        networks.append(at_threshold())
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
