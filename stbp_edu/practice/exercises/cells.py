"""The cells that the five cases are graded on: one situation for each, in every network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from stbp_edu.practice.exercises.networks import Network, networks
from stbp_edu.practice.exercises.situation import Builder, Situation, step

BUILDERS: dict[str, Builder] = {}
Pick = Callable[[Network, int, int], tuple[Any, ...]]


def per_cell(name: str, case: int, pick: Pick, one: Pick | None = None) -> None:
    """Register one situation a cell of ``case``; ``one`` picks the same for one neuron."""
    for key, take in ((name, pick), (f"{name}-scalar", one)):
        if take is not None:
            BUILDERS[key] = _cells(case, take)


def _cells(case: int, pick: Pick) -> Builder:
    """Return a builder that walks the cells of ``case`` in every network."""

    def build() -> Iterator[Situation]:
        for net in networks():
            T, S, _ = net.shape
            for t, n in net.cells(case):
                yield Situation(pick(net, t, n), place(net, t, n, case), T, S)

    return build


def place(net: Network, t: int, n: int, case: int) -> str:
    """Say where a cell is: in the words of the grid."""
    T, _, N = net.shape
    last = ", the last step" if t == T - 1 else ""
    output = ", the output layer" if n == N else ""
    return f"{step(t)}{last}, n = {n}{output}, case {case}, in the {net}"


def per_layer(name: str, pick: Callable[[Network, int], tuple[Any, ...]]) -> None:
    """Register one situation a layer of every network."""

    def build() -> Iterator[Situation]:
        for net in networks():
            T, S, N = net.shape
            for n in range(N, 0, -1):
                where = f"layer n = {n} of 1..{N}, case 5, in the {net}"
                yield Situation(pick(net, n), where, T, S)

    BUILDERS[name] = build


def _register_cases() -> None:
    """Register what the functions of :mod:`stbp_edu.cases` are called with.

    One neuron is the last of its layer, for the last sample.
    """

    def df(net: Network, t: int, n: int) -> Any:
        return net.neuron.df(net.trace.O[n][t])

    def gate(net: Network, t: int, n: int) -> Any:
        return net.neuron.f(net.trace.O[n][t])

    def h(net: Network, t: int, n: int) -> Any:
        return net.neuron.h(net.trace.U[n][t])

    def eps(net: Network, t: int, n: int) -> Any:
        return net.sweep.epsilon[n][t]

    def delta(net: Network, t: int, n: int) -> Any:
        return net.sweep.delta[n][t]

    def above(net: Network, t: int, n: int) -> tuple[Any, ...]:
        return eps(net, t, n + 1), net.params.W[n + 1]

    def above_one(net: Network, t: int, n: int) -> tuple[Any, ...]:
        return eps(net, t, n + 1)[-1], net.params.W[n + 1][:, -1]

    def after(net: Network, t: int, n: int) -> tuple[Any, ...]:
        return eps(net, t + 1, n), net.trace.U[n][t], df(net, t, n)

    def last(values: tuple[Any, ...]) -> tuple[float, ...]:
        return tuple(float(v[-1, -1]) for v in values)

    per_cell(
        "c1-delta",
        1,
        lambda net, t, n: (net.targets, net.trace.O[n]),
        lambda net, t, n: (net.targets[-1, -1], net.trace.O[n][:, -1, -1], net.shape[1]),
    )
    for case in (1, 2):
        per_cell(
            f"c{case}-epsilon",
            case,
            lambda net, t, n: (delta(net, t, n), h(net, t, n)),
            lambda net, t, n: last((delta(net, t, n), h(net, t, n))),
        )
    per_cell("c2-delta", 2, above, above_one)
    per_cell(
        "c3-delta",
        3,
        lambda net, t, n: (delta(net, net.shape[0] - 1, n), *after(net, t, n)),
        lambda net, t, n: last((delta(net, net.shape[0] - 1, n), *after(net, t, n))),
    )
    for case in (3, 4):
        per_cell(
            f"c{case}-epsilon",
            case,
            lambda net, t, n: (delta(net, t, n), h(net, t, n), eps(net, t + 1, n), gate(net, t, n)),
            lambda net, t, n: last(
                (delta(net, t, n), h(net, t, n), eps(net, t + 1, n), gate(net, t, n))
            ),
        )
    per_cell(
        "c4-delta",
        4,
        lambda net, t, n: (*above(net, t, n), *after(net, t, n)),
        lambda net, t, n: (*above_one(net, t, n), *last(after(net, t, n))),
    )

    def signals(net: Network, t: int, n: int) -> tuple[Any, ...]:
        return delta(net, t, n), eps(net, t, n), h(net, t, n)

    per_cell(
        "c3-delta-open",
        3,
        lambda net, t, n: (
            delta(net, net.shape[0] - 1, n),
            *signals(net, t + 1, n),
            *after(net, t, n)[1:],
        ),
    )
    per_cell(
        "c4-delta-open",
        4,
        lambda net, t, n: (
            *signals(net, t, n + 1),
            net.params.W[n + 1],
            *signals(net, t + 1, n),
            *after(net, t, n)[1:],
        ),
    )
    per_layer("c5-b", lambda net, n: (net.sweep.epsilon[n],))
    per_layer("c5-b-scalar", lambda net, n: (net.sweep.epsilon[n][:, -1, -1],))
    per_layer("c5-w", lambda net, n: (net.sweep.epsilon[n], net.trace.O[n - 1]))
    per_layer(
        "c5-w-scalar",
        lambda net, n: (net.sweep.epsilon[n][:, -1, -1], net.trace.O[n - 1][:, -1, 0]),
    )


_register_cases()
