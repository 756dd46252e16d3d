"""The inputs that an exercise's function is called with.

An exercise's table says at which cells of the networks they are taken: ``inputs = "case 3"``; see
:mod:`stbp_edu.practice.tasks.network_inputs`. Where it names none of the ``WALKS``, they are
seeded random draws, grids and values at an edge.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from stbp_edu.network import Params
from stbp_edu.neuron import LIF
from stbp_edu.practice.tasks import (
    arrow_inputs,
    machine_inputs,
    state_inputs,
    time_inputs,
    word_inputs,
)
from stbp_edu.practice.tasks.catalogue import Exercise
from stbp_edu.practice.tasks.network_inputs import (
    WALKS,
    one_neuron,
    probe_networks,
    quantity,
    step_name,
)
from stbp_edu.rules import ABLATIONS

Args = tuple[Any, ...]
Draw = Callable[[np.random.Generator, int], Args]
"""Returns the arguments of the k-th call."""

CURVES = (np.sin, np.exp, lambda x: x**3, lambda x: x * x - 2 * x)


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


def _random(draw: Draw, calls: int = 4) -> Iterator[Inputs]:
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


def _potentials(rng: np.random.Generator, k: int) -> Args:
    """Return random potentials, the first of them at the threshold exactly."""
    v_th = (0.5, 1.0, 1.5, 0.25)[k]
    u = rng.normal(v_th / 2, 1.0, (2, 4))
    u[0, 0] = v_th
    return u, v_th


def _distances(rng: np.random.Generator, k: int) -> Args:
    """Return random distances from the threshold on both sides, near and far."""
    a = (1.0, 0.5, 2.0, 0.8)[k]
    near, far = rng.uniform(-1.5, 1.5, 9) * a, np.array([-1000.0, 1000.0, 0.0])
    return np.concatenate([near, rng.uniform(-5, 5, 5), far]), a


def _adam(rng: np.random.Generator, k: int) -> Args:
    """Return random parameters, averages and gradients, and the constants of a step k > 0."""
    p, m = rng.normal(0, 1, (2, 4))
    v = np.abs(rng.normal(0, 1e-3, 4))
    return p, m, v, rng.normal(0, 1e-2, 4), k + 1, 0.01, 0.9, 0.99, 1e-3


def _silent(rng: np.random.Generator, k: int) -> Args:
    """Return spikes and h of neurons, some of them 0 everywhere, or all but once, of one or both.

    The entry that is not 0 is neither in the last step nor in the first sample.
    """
    T, S = 4, 3
    O, h = (rng.random((T, S, 6)) < 0.5) * 1.0, rng.random((T, S, 6))
    O[:, :, 1:4], h[:, :, 2:5] = 0.0, 0.0
    at = int(rng.integers(T - 1)), int(rng.integers(1, S))
    O[at][3], h[at][4] = 1.0, 0.5
    O[0, 0, 0], h[0, 0, 0] = 0.0, 0.0
    order = rng.permutation(6)
    return O[..., order], h[..., order]


DRAWS: dict[str, Draw] = {
    "ode": lambda rng, k: tuple(rng.uniform(0.2, 2.0, 4).tolist()),
    "gate": lambda rng, k: (np.array([0.0, 1.0, *rng.random(3)]), (0.5, 0.1, 0.9, 2.0)[k]),
    "potentials": _potentials,
    # Halves and quarters are exact in binary, so that u meets the threshold exactly.
    "lif-run": lambda rng, k: (np.array([0.5, 0.75, 0.5, *rng.random(3 + k)]), 0.5, 1.0),
    "two-paths": lambda rng, k: tuple(rng.normal(0, 1, 3).tolist()),
    "nudge": lambda rng, k: (CURVES[k], rng.uniform(0.5, 1.5), 1e-2),
    "distances": _distances,
    "two-gradients": lambda rng, k: tuple(rng.normal(m, 1, (3, 2 + k)) for m in (0, 0.5)),
    "init-unit-rows": lambda rng, k: (rng.uniform(-1, 1, (3, 2 + k)),),
    "read-out": lambda rng, k: ((rng.random((6, 4, 4)) < rng.random((4, 4))) * 1.0,),
    "confusion": lambda rng, k: (rng.integers(0, 3, 20), rng.integers(0, 3, 20), 3),
    "silent-neurons": _silent,
    "batch-parts": lambda rng, k: (
        rng.normal(0, 1, (3, 2, 4)),
        rng.permutation([1, 4, 7]).tolist(),
    ),
    "momentum": lambda rng, k: (*rng.normal(0, 1, (3, 4)), 0.1, 0.9),
    "adam": _adam,
    "ablation": lambda rng, k: (("exact", *ABLATIONS)[k], np.array([0.0, 1.0, 0.3]), 0.6),
    "mean-spread": lambda rng, k: (rng.random(3 + k),),
    "flops": lambda rng, k: (5 + k, 3, [4, 7, 2][: 3 - k % 2]),
    **arrow_inputs.DRAWS,
    **state_inputs.DRAWS,
    **word_inputs.DRAWS,
    **machine_inputs.DRAWS,
    **time_inputs.DRAWS,
}
"""The random draws by the name that an exercise's table gives them, or by the exercise's id."""

DRAWN: dict[str, Callable[[], Iterator[Inputs]]] = {
    **{name: partial(_random, draw) for name, draw in DRAWS.items()},
    "bernoulli": partial(
        _random, lambda rng, k: (rng.uniform(0.1, 0.9, (2, 3)), 3600, rng), calls=2
    ),
    "grid": _grid,
    "networks and one at the threshold": _at_threshold,
}
"""All inputs by name that come from no probe network."""


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
    return (*from_networks, *DRAWN.get(kind, list)())
