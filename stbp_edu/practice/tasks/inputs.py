"""The inputs that an exercise's function is called with.

An exercise's table says at which cells of the networks they are taken: ``inputs = "case 3"``; see
:mod:`stbp_edu.practice.tasks.network_inputs`. Or it draws them at random: ``draw`` is an expression
in ``rng`` and the number ``k`` of the call, or a body that returns the arguments, in the names of
:mod:`stbp_edu.practice.tasks.draws`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from stbp_edu.network import Params
from stbp_edu.neuron import LIF
from stbp_edu.practice.tasks import draws
from stbp_edu.practice.tasks.catalogue import Exercise, defined
from stbp_edu.practice.tasks.network_inputs import (
    WALKS,
    one_neuron,
    probe_networks,
    quantity,
    step_name,
)

Args = tuple[Any, ...]
Draw = Callable[[np.random.Generator, int], Args]
"""Returns the arguments of the k-th call."""


@dataclass(frozen=True)
class Inputs:
    """The arguments of one call of the reader's function, which gets a copy.

    ``where`` says which network, and which cell (t, n) of its grid; T and S count its steps and
    samples.
    """

    args: tuple[Any, ...]
    where: str
    T: int = 1
    S: int = 1


def _random(draw: Draw, calls: int) -> Iterator[Inputs]:
    """Yield random arguments, each call's from a generator of its own; its numbers say which."""
    for k in range(calls):
        args = draw(np.random.default_rng([1706, k]), k)
        numbers = [
            f"{a:.4g}" if isinstance(a, (int, float)) else f"shape {a.shape}"
            for a in args
            if isinstance(a, (int, float, np.ndarray))
        ]
        where = f"call {k + 1} of {calls}" + (f" ({', '.join(numbers)})" if numbers else "")
        yield Inputs(args, where)


def _grid() -> Iterator[Inputs]:
    """Yield every cell (t, n) of a few grids."""
    for T, N in ((4, 3), (3, 3), (2, 1), (1, 2)):
        for n in range(N, 0, -1):
            for t in range(T):
                where = f"{step_name(t)}, n = {n}, with T = {T}, N = {N}"
                yield Inputs((t, n, T, N), where)


def _at_threshold() -> Iterator[Inputs]:
    """Yield a network whose potential equals the threshold exactly."""
    params = Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    args = np.ones((3, 1, 1)), params, LIF(tau=0.5, v_th=1.0)
    yield Inputs(args, f"the 1-1 network, u = V_th at {step_name(0)}")


GIVEN: dict[str, Callable[[], Iterator[Inputs]]] = {
    "grid": _grid,
    "networks and one at the threshold": _at_threshold,
}
"""The inputs by name that come from no probe network."""


@cache
def inputs_of(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of every call that an exercise's function is graded on."""
    if exercise.draw:
        return tuple(_random(draw_of(exercise), exercise.calls))
    kind, names = exercise.inputs, exercise.arguments
    walk, _, scalar = kind.partition(", ")
    if walk not in WALKS and kind not in GIVEN:
        known = ", ".join((*WALKS, *GIVEN))
        raise ValueError(f"inputs must be one of {known}, got {kind!r}; mend the exercise's table")
    take = one_neuron if scalar else quantity
    from_networks = [
        Inputs(tuple(take(name, net, t, n) for name in names), where, *net.shape[:2])
        for net in (probe_networks() if walk in WALKS else ())
        for t, n, where in WALKS[walk](net)
    ]
    return (*from_networks, *GIVEN.get(kind, list)())


def draw_of(exercise: Exercise) -> Draw:
    """Return the function that draws the arguments of a call, as the exercise's table writes it."""
    return defined("draw(rng, k)", exercise.draw, vars(draws))
