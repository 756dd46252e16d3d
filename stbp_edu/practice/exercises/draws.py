"""What the exercises outside the five cases are called with: seeded draws, and edge values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stbp_edu.network import Params
from stbp_edu.neuron import LIF
from stbp_edu.practice.exercises.networks import Network, networks
from stbp_edu.practice.exercises.situation import Builder, Situation, step
from stbp_edu.rules import ABLATIONS

BUILDERS: dict[str, Builder] = {}
Draw = Callable[[np.random.Generator, int], tuple[Any, ...]]
CURVES = (np.sin, np.exp, lambda x: x**3, lambda x: x * x - 2 * x)


def _drawn(name: str, draw: Draw, calls: int = 4) -> None:
    """Register ``calls`` seeded draws."""

    def build() -> Iterator[Situation]:
        for k in range(calls):
            args = draw(np.random.default_rng([1706, k]), k)
            yield Situation(args, f"call {k + 1} of {calls}{_numbers(args)}")

    BUILDERS[name] = build


def _numbers(args: tuple[Any, ...]) -> str:
    """Name the plain numbers and the shapes among the arguments."""
    words = [
        f"{a:.4g}" if isinstance(a, (int, float)) else f"shape {a.shape}"
        for a in args
        if isinstance(a, (int, float, np.ndarray))
    ]
    return f" ({', '.join(words)})" if words else ""


def _grid(name: str) -> None:
    """Register every cell of a few grids."""

    def build() -> Iterator[Situation]:
        for T, N in ((4, 3), (3, 3), (2, 1), (1, 2)):
            for n in range(N, 0, -1):
                for t in range(T):
                    yield Situation((t, n, T, N), f"{step(t)}, n = {n}, with T = {T}, N = {N}")

    BUILDERS[name] = build


def _over_cells(name: str, pick: Callable[[Network, int, int], Any], last_too: bool = True) -> None:
    """Register one situation a cell (t, n) of every network."""

    def build() -> Iterator[Situation]:
        for net in networks():
            T, S, N = net.shape
            for t in range(T if last_too else T - 1):
                for n in range(N, 0, -1):
                    yield Situation(pick(net, t, n), f"{step(t)}, n = {n}, in the {net}", T, S)

    BUILDERS[name] = build


def _over_networks(name: str, pick: Callable[[Network], Any], *more: Situation) -> None:
    """Register one situation a network, and ``more``."""

    def build() -> Iterator[Situation]:
        for net in networks():
            T, S, _ = net.shape
            yield Situation(pick(net), f"the {net}", T, S)
        yield from more

    BUILDERS[name] = build


def _at_threshold() -> Situation:
    """A network whose potential equals the threshold, exactly."""
    params = Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    neuron = LIF(tau=0.5, v_th=1.0)
    return Situation(
        (np.ones((3, 1, 1)), params, neuron), f"the 1-1 network, u = V_th at {step(0)}"
    )


def _levels(rng: np.random.Generator, k: int) -> tuple[Any, float]:
    """Draw potentials, the first of them at the threshold exactly."""
    v_th = (0.5, 1.0, 1.5, 0.25)[k]
    u = rng.normal(v_th / 2, 1.0, (2, 4))
    u[0, 0] = v_th
    return u, v_th


def _curve(rng: np.random.Generator, k: int) -> tuple[Any, float]:
    """Draw distances from the threshold on both sides, near and far."""
    a = (1.0, 0.5, 2.0, 0.8)[k]
    near, far = rng.uniform(-1.5, 1.5, 9) * a, np.array([-1000.0, 1000.0, 0.0])
    return np.concatenate([near, rng.uniform(-5, 5, 5), far]), a


def _register() -> None:
    """Register the draws."""
    for name in ("case-at", "sources"):
        _grid(name)
    ode: Draw = lambda rng, k: tuple(float(x) for x in rng.uniform(0.2, 2.0, 4))  # noqa: E731
    _drawn("ode-euler", ode)
    _drawn("ode-exact", ode)
    _drawn("gate", lambda rng, k: (np.array([0.0, 1.0, *rng.random(3)]), (0.5, 0.1, 0.9, 2.0)[k]))
    _drawn("spike-g", _levels)
    _drawn("fwd-o", _levels)
    # Halves and quarters are exact in binary, so that u meets the threshold exactly.
    _drawn("lif-run", lambda rng, k: (np.array([0.5, 0.75, 0.5, *rng.random(3 + k)]), 0.5, 1.0))
    _drawn("two-paths", lambda rng, k: tuple(float(x) for x in rng.normal(0, 1, 3)))
    _drawn("nudge", lambda rng, k: (CURVES[k], float(rng.uniform(0.5, 1.5)), 1e-2))
    _drawn("curve", _curve)
    _drawn(
        "two-gradients",
        lambda rng, k: (rng.normal(0, 1, (3, 2 + k)), rng.normal(0.5, 1, (3, 2 + k))),
    )
    _drawn("bernoulli", lambda rng, k: (rng.uniform(0.1, 0.9, (2, 3)), 3600, rng), calls=2)
    _drawn("init-unit-rows", lambda rng, k: (rng.uniform(-1, 1, (3, 2 + k)),))
    _drawn("read-out", lambda rng, k: ((rng.random((6, 4, 4)) < rng.random((4, 4))) * 1.0,))
    _drawn("confusion", lambda rng, k: (rng.integers(0, 3, 20), rng.integers(0, 3, 20), 3))
    _drawn("momentum", lambda rng, k: (*rng.normal(0, 1, (3, 4)), 0.1, 0.9))
    _drawn(
        "adam",
        lambda rng, k: (
            *rng.normal(0, 1, (2, 4)),
            *np.abs(rng.normal(0, 1e-3, (1, 4))),
            rng.normal(0, 1e-2, 4),
            k + 1,
            0.01,
            0.9,
            0.99,
            1e-3,
        ),
    )
    _drawn("ablation", lambda rng, k: (("exact", *ABLATIONS)[k], np.array([0.0, 1.0, 0.3]), 0.6))
    _drawn("mean-spread", lambda rng, k: (rng.random(3 + k),))
    _drawn("flops", lambda rng, k: (5 + k, 3, [4, 7, 2][: 3 - k % 2]))
    _register_networks()


def _register_networks() -> None:
    """Register what comes from the networks."""
    _over_cells("fwd-x", lambda net, t, n: (net.trace.O[n - 1][t], net.params.W[n]))
    _over_cells(
        "fwd-u",
        lambda net, t, n: (
            net.trace.U[n][t],
            net.trace.O[n][t],
            net.trace.O[n - 1][t + 1] @ net.params.W[n].T,
            net.params.b[n],
            net.neuron.tau,
        ),
        last_too=False,
    )
    _over_networks("loss", lambda net: (net.targets, net.trace.O[-1]))
    _over_networks("forward", lambda net: (net.trace.O[0], net.params, net.neuron), _at_threshold())
    _over_networks("backward", lambda net: (net.trace, net.targets, net.params, net.neuron))
    _over_networks("fast-x", lambda net: (net.trace.O[0], net.params.W[1]))
    _over_cells(
        "err",
        lambda net, t, n: (
            net.sweep.delta[n][t],
            net.sweep.epsilon[n][t],
            net.neuron.h(net.trace.U[n][t]),
        ),
    )
    _over_cells(
        "gain",
        lambda net, t, n: (
            net.trace.U[n][t],
            net.neuron.f(net.trace.O[n][t]),
            net.neuron.df(net.trace.O[n][t]),
            net.neuron.h(net.trace.U[n][t]),
        ),
    )


_register()
