"""The networks from which the inputs of exercises are taken, each with a forward pass.

They differ in T, S, N, τ and widths, so no wrong answer passes by luck: some spike hard, some are
smooth twins (so that no factor is 0 or 1 by chance), and one is square in every dimension, so a
transposed matrix runs and can be named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.cases import case_at, sweep
from stbp_edu.forward_pass import Adjoints, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
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
        rng = np.random.default_rng([2019, *self.shape])
        found = {}
        for kind in ("delta", "epsilon", "gamma"):
            layers = [rng.normal(0.0, 0.3, u.shape) for u in self.trace.U[1:]]
            found[kind] = [None, *layers]
        return found

    def sweep(self, rule: str) -> Adjoints:
        """Return δ, ε and the gradients of a rule."""
        return sweep(self.trace, self.targets, self.params, self.neuron, rule)

    def cells(self, case: int) -> Iterator[tuple[int, int]]:
        """Yield the cells (t, n) of this case, in the order of the backward sweep."""
        T, _, N = self.shape
        for t in reversed(range(T)):
            for n in range(N, 0, -1):
                if case_at(t, n, T, N) == case:
                    yield t, n


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
    W = [rng.uniform(-0.9, 1.2, (above, below)) for below, above in pairwise(sizes)]
    b = [rng.uniform(-0.2, 0.4, width) for width in sizes[1:]]
    params = Params(W=[None, *W], b=[None, *b])
    spikes = rng.random((T, S, sizes[0]))
    if smooth:
        kind = "smooth twin"
        trace = forward(spikes, params, neuron, spike=neuron.H)
    else:
        kind = "spiking network"
        spikes = (spikes < 0.6).astype(np.float64)
        trace = forward(spikes, params, neuron)
    targets = rng.random((S, sizes[-1]))
    widths = "-".join(map(str, sizes))
    description = f"{widths} {kind}, T = {T}, S = {S}, τ = {tau:g}"
    if neuron.gate == "linear":
        description += ", linear gate"
    return ForwardPass(trace, targets, params, neuron, description)
