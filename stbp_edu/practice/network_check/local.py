"""Judge each case by itself: is ε of a cell right, given the reader's own ε where it reads?

An early error spoils every cell after it. So each case is tried on the reader's own numbers: ε of
the case's cells is fitted with the terms that the case may hold. A term with the coefficient 1 is
there, 0 is missing, -1 has its sign turned round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.exercises.networks import Network

FITS = 1e-6
DIRECT, UP, ON, LEAK = "the direct term", "the spatial path", "the temporal path", "the leak"
UP_CLASSIC = "the spatial path with δ ⊙ h"
ON_CLASSIC = "the temporal path with δ ⊙ h"
WANTED = {1: {DIRECT}, 2: {UP}, 3: {DIRECT, ON, LEAK}, 4: {UP, ON, LEAK}}
Terms = dict[str, Array]
Layers = list[Any]  # ε by layer: None, then arrays (T, S, n[n])


@dataclass(frozen=True)
class Local:
    """What a case's cells hold: a coefficient for each term, and what no term explains."""

    coefficients: dict[str, float]
    rest: float

    def right(self, case: int) -> bool:
        """Whether exactly the wanted terms are there."""
        wanted = WANTED[case]
        near = all(abs(c - (name in wanted)) < FITS for name, c in self.coefficients.items())
        return near and self.rest < FITS

    def words(self, case: int) -> list[str]:
        """Say which terms are missing, too much, or off by a factor."""
        if self.rest >= FITS:
            return ["no sum of the terms of this case gives these values"]
        wanted, left, found = WANTED[case], dict(self.coefficients), []
        for exact, classic in ((UP, UP_CLASSIC), (ON, ON_CLASSIC)):
            if classic in left and abs(left[exact]) < FITS and abs(left[classic] - 1) < FITS:
                found.append(f"{exact} carries δ ⊙ h where ε belongs")
                del left[exact], left[classic]
        for name, c in left.items():
            if abs(c - (name in wanted)) < FITS:
                continue
            if name not in wanted:
                found.append(f"it holds {name}, times {c:.4g}")
            elif abs(c) < FITS:
                found.append(f"{name} is missing")
            elif abs(c + 1) < FITS:
                found.append(f"the sign of {name} is turned round")
            else:
                found.append(f"{name} is {c:.4g} times what it should be")
        return found


def judge(net: Network, epsilon: Layers, case: int) -> Local:
    """Fit ε of the case's cells with the terms of the case."""
    cells = list(net.cells(case))
    columns = [terms(net, epsilon, t, n) for t, n in cells]
    names = list(columns[0])
    A = np.stack([np.concatenate([c[name].ravel() for c in columns]) for name in names], axis=1)
    y = np.concatenate([epsilon[n][t].ravel() for t, n in cells])
    scale = np.linalg.norm(A, axis=0)
    scale[scale == 0] = 1.0
    c, *_ = np.linalg.lstsq(A / scale, y, rcond=1e-10)
    rest = np.linalg.norm(A @ (c / scale) - y) / max(float(np.linalg.norm(y)), 1e-30)
    return Local(dict(zip(names, (c / scale).tolist(), strict=True)), float(rest))


def terms(net: Network, epsilon: Layers, t: int, n: int) -> Terms:
    """Return what may enter ε at (t, n), from the reader's own ε elsewhere."""
    T, S, N = net.shape
    u, o = net.trace.U[n][t], net.trace.O[n][t]
    h = net.neuron.h(u)
    found: Terms = {}
    if n == N:
        found[DIRECT] = (net.trace.O[N].mean(axis=0) - net.targets) / (T * S) * h
    else:
        W = net.params.W[n + 1]
        found[UP] = epsilon[n + 1][t] @ W * h
        if t < T - 1:
            found[UP_CLASSIC] = _own_spike(net, epsilon, t, n + 1) @ W * h
    if t < T - 1:
        later, back = epsilon[n][t + 1], u * net.neuron.df(o) * h
        found[ON] = later * back
        found[ON_CLASSIC] = _own_spike(net, epsilon, t + 1, n) * back
        found[LEAK] = later * net.neuron.f(o)
    return found


def _own_spike(net: Network, epsilon: Layers, t: int, n: int) -> Array:
    """Return δ ⊙ h at (t, n): ε without what comes through the next potential."""
    e = epsilon[n]
    own: Array = e[t]
    if t < net.shape[0] - 1:
        own = own - e[t + 1] * net.neuron.f(net.trace.O[n][t])
    return own
