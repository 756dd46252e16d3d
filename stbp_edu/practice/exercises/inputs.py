"""The inputs that an exercise's function is called with.

The names in a signature say what to pass: ``QUANTITIES`` gives each at a cell (t, n) of a network,
``err_next`` is err one step later, ``W_above`` is W one layer up. An exercise's table says at which
cells: ``inputs = "case 3"``. Where it names none of the ``WALKS``, the inputs are drawn at random;
see :mod:`stbp_edu.practice.exercises.drawn_inputs`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.practice.exercises.catalogue import Exercise
from stbp_edu.practice.exercises.drawn_inputs import DRAWN
from stbp_edu.practice.exercises.probe_networks import ForwardPass, probe_networks, step_name

Steps = int | NDArray[np.intp]
"""One time step, or all of them."""

QUANTITIES: dict[str, Callable[[ForwardPass, Steps, int], Any]] = {
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
    "df": lambda net, t, n: net.neuron.df(net.trace.O[n][t]),
    "h": lambda net, t, n: net.neuron.h(net.trace.U[n][t]),
    "delta": lambda net, t, n: net.adjoints.delta[n][t],
    "epsilon": lambda net, t, n: net.adjoints.epsilon[n][t],
}
"""Each quantity by the name that signatures give it, taken from a network at (t, n)."""

QUANTITIES |= {
    "err": QUANTITIES["epsilon"],
    "O_gate": QUANTITIES["f"],
    "dO_gate": QUANTITIES["df"],
}

ELSEWHERE: dict[str, Callable[[Steps, int, int], tuple[Steps, int]]] = {
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


@dataclass(frozen=True)
class Inputs:
    """The inputs of one call of the reader's function.

    Attributes:
        args: the arguments; the function gets a copy.
        where: which network, and which cell (t, n) of its grid.
        T: number of time steps.
        S: number of samples.
    """

    args: tuple[Any, ...]
    where: str
    T: int = 1
    S: int = 1


@cache
def inputs_of(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of every call that an exercise's function is graded on."""
    kind, names = exercise.inputs, exercise.arguments
    walk, _, scalar = kind.partition(", ")
    if walk not in WALKS and kind not in DRAWN:
        known = ", ".join((*WALKS, *DRAWN))
        raise ValueError(f"inputs must be one of {known}, got {kind!r}; mend the exercise's table")
    take = one_neuron if scalar else quantity
    from_networks = [
        Inputs(tuple(take(name, net, t, n) for name in names), where, *net.shape[:2])
        for net in (probe_networks() if walk in WALKS else ())
        for t, n, where in WALKS[walk](net)
    ]
    return (*from_networks, *(Inputs(args, where) for args, where in DRAWN.get(kind, list)()))


def quantity(name: str, net: ForwardPass, t: Steps, n: int) -> Any:
    """Return the quantity of this name at (t, n)."""
    base, _, elsewhere = (name, "", "") if name in QUANTITIES else name.partition("_")
    if base not in QUANTITIES or elsewhere not in ("", *ELSEWHERE):
        raise ValueError(f"an argument must have the name of a quantity, got {name!r}; add it here")
    if elsewhere:
        t, n = ELSEWHERE[elsewhere](t, n, net.shape[0])
    return QUANTITIES[base](net, t, n)


def one_neuron(name: str, net: ForwardPass, t: Steps, n: int) -> Any:
    """Return the quantity of this name at (t, n) for one neuron and one sample."""
    of_layer, entry = ONE_NEURON.get(name, (name, lambda values: float(values[-1, -1])))
    return entry(quantity(of_layer, net, t, n))


Walk = Iterator[tuple[Steps, int, str]]
"""Steps and layers at which quantities are taken, each with a description of the place."""


def _case(net: ForwardPass, case: int, all_steps: bool = False) -> Walk:
    """Yield the cells of a case, in the order of the backward sweep."""
    T, _, N = net.shape
    for t, n in net.cells(case):
        last = ", the last step" if t == T - 1 else ""
        output = ", the output layer" if n == N else ""
        where = f"{step_name(t)}{last}, n = {n}{output}, case {case}, in the {net.description}"
        yield np.arange(T) if all_steps else t, n, where


def _layers(net: ForwardPass) -> Walk:
    """Yield the layers from the output down, with all steps of each."""
    T, _, N = net.shape
    for n in range(N, 0, -1):
        yield np.arange(T), n, f"layer n = {n} of 1..{N}, case 5, in the {net.description}"


def _cells(net: ForwardPass, last_step: bool = True) -> Walk:
    """Yield all cells, in the order of time."""
    T, _, N = net.shape
    for t in range(T if last_step else T - 1):
        for n in range(N, 0, -1):
            yield t, n, f"{step_name(t)}, n = {n}, in the {net.description}"


def _whole(net: ForwardPass, layer: int = -1) -> Walk:
    """Yield one place for the whole network: all steps of one layer."""
    T, _, N = net.shape
    yield np.arange(T), range(N + 1)[layer], f"the {net.description}"


WALKS: dict[str, Callable[[ForwardPass], Walk]] = {
    **{f"case {case}": partial(_case, case=case) for case in (1, 2, 3, 4)},
    "case 1 from all steps": partial(_case, case=1, all_steps=True),
    "layers": _layers,
    "cells": _cells,
    "cells before the last step": partial(_cells, last_step=False),
    "networks": _whole,
    "networks and one at the threshold": _whole,
    "first layers": partial(_whole, layer=1),
}
"""The cells at which an exercise takes its inputs; ", one neuron" may follow in its table."""
