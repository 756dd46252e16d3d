"""The networks that answers are tried on.

Several networks with differing T, S, N, τ and widths, so that no wrong answer passes by luck: some
spike hard, some are smooth twins (so that no factor is 0 or 1 by chance), and one is square in
every dimension, so that a transposed matrix runs and can be named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from stbp_edu.cases import case_at, sweep
from stbp_edu.checks import Array
from stbp_edu.network import Adjoints, Params, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian, Sigmoid


def step_name(t: int) -> str:
    """Return a time step as formulas count it, from 1, and as code does, from 0.

    >>> step_name(1)
    't = 2 (index 1 in code)'
    """
    return f"t = {t + 1} (index {t} in code)"


@dataclass(frozen=True)
class ForwardPass:
    """A network with one forward pass through it, and the targets.

    Attributes:
        trace: potentials and spikes.
        targets: Y, shape (S, n[N]).
        params: weights and biases.
        neuron: the neuron.
        description: which network it is, for messages and captions.
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
    def adjoints(self) -> Adjoints:
        """δ, ε and the gradients of the exact rule, computed when first asked for."""
        return sweep(self.trace, self.targets, self.params, self.neuron)

    def cells(self, case: int) -> Iterator[tuple[int, int]]:
        """Yield the cells (t, n) of this case, in the order of the backward sweep."""
        T, _, N = self.shape
        for t in reversed(range(T)):
            for n in range(N, 0, -1):
                if case_at(t, n, T, N) == case:
                    yield t, n


@cache
def probe_networks() -> tuple[ForwardPass, ...]:
    """Return the networks; the same at every call and on every machine."""
    return (
        draw_network(700, (4, 3, 2), T=4, S=2, tau=0.5, smooth=False),
        draw_network(701, (3, 3, 3, 3), T=3, S=3, tau=0.7, smooth=True),
        draw_network(702, (3, 5, 4, 2), T=5, S=3, tau=0.9, smooth=False),
        draw_network(703, (2, 4, 3), T=2, S=4, tau=0.3, smooth=True),
        draw_network(704, (3, 2), T=3, S=2, tau=0.6, smooth=True),
        draw_network(705, (2, 3, 2), T=1, S=3, tau=0.5, smooth=True),
    )


def draw_network(
    seed: int, sizes: tuple[int, ...], T: int, S: int, tau: float, smooth: bool
) -> ForwardPass:
    """Return a random network, a smooth twin or a spiking one, with a forward pass."""
    rng = np.random.default_rng([2018, seed])
    neuron = LIF(tau, 0.6, Sigmoid(a=0.4) if smooth else Gaussian(a=0.8))
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    params = Params(
        W=[None, *(rng.uniform(-0.9, 1.2, shape) for shape in shapes)],
        b=[None, *(rng.uniform(-0.2, 0.4, m) for m, _ in shapes)],
    )
    grey = rng.random((T, S, sizes[0]))
    spikes = grey if smooth else (grey < 0.6).astype(np.float64)
    trace = forward(spikes, params, neuron, spike=neuron.H if smooth else None)
    kind = "smooth twin" if smooth else "spiking network"
    description = f"{'-'.join(map(str, sizes))} {kind}, T = {T}, S = {S}, τ = {tau:g}"
    return ForwardPass(trace, rng.random((S, sizes[-1])), params, neuron, description)
