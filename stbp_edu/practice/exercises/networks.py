"""The networks that exercises are graded on, and the cells of their grids.

Several networks with differing T, S, N, τ and widths, so that no answer passes by luck: some
spike hard, some are smooth twins (so that no factor is 0 or 1 by chance), and one is square in
every dimension, so that a transposed matrix runs and can be named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from stbp_edu.cases import case_at, sweep
from stbp_edu.checks import Array
from stbp_edu.network import Adjoints, Params, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian, Sigmoid

SPECS: tuple[dict[str, Any], ...] = (
    {"sizes": (4, 3, 2), "T": 4, "S": 2, "tau": 0.5, "smooth": False},
    {"sizes": (3, 3, 3, 3), "T": 3, "S": 3, "tau": 0.7, "smooth": True},
    {"sizes": (3, 5, 4, 2), "T": 5, "S": 3, "tau": 0.9, "smooth": False},
    {"sizes": (2, 4, 3), "T": 2, "S": 4, "tau": 0.3, "smooth": True},
    {"sizes": (3, 2), "T": 3, "S": 2, "tau": 0.6, "smooth": True},
    {"sizes": (2, 3, 2), "T": 1, "S": 3, "tau": 0.5, "smooth": True},
)


@dataclass(frozen=True)
class Network:
    """One network with a forward pass and its exact adjoints."""

    params: Params
    neuron: LIF
    trace: Trace
    targets: Array
    sweep: Adjoints
    smooth: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, N)."""
        T, S, _ = self.trace.O[0].shape
        return T, S, self.params.N

    def cells(self, case: int) -> Iterator[tuple[int, int]]:
        """Walk the cells (t, n) of this case, in the order of the backward sweep."""
        T, _, N = self.shape
        for t in reversed(range(T)):
            for n in range(N, 0, -1):
                if case_at(t, n, T, N) == case:
                    yield t, n

    def __str__(self) -> str:
        """Describe the network in a few words."""
        T, S, _ = self.shape
        sizes = "-".join(str(m) for m in self.params.sizes)
        kind = "smooth twin" if self.smooth else "spiking network"
        return f"{sizes} {kind}, T = {T}, S = {S}, τ = {self.neuron.tau:g}"


@lru_cache(maxsize=1)
def networks() -> tuple[Network, ...]:
    """Return the networks; the same at every call and on every machine."""
    return tuple(build(seed, **spec) for seed, spec in enumerate(SPECS, start=700))


def build(seed: int, sizes: tuple[int, ...], T: int, S: int, tau: float, smooth: bool) -> Network:
    """Draw one network, run it and compute its exact adjoints."""
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
    targets = rng.random((S, sizes[-1]))
    adjoints = sweep(trace, targets, params, neuron)
    return Network(params, neuron, trace, targets, adjoints, smooth)
