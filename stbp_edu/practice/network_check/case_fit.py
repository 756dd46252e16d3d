"""Fit ε of each case with the case's terms, from the reader's own ε in the cells it reads.

An early error spoils every cell after it. So each case is tried on the reader's own numbers: ε of
the case's cells is fitted with the terms that the case may hold. A term with the coefficient 1 is
there, 0 is missing, -1 has its sign turned round.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.exercises import ForwardPass

TOLERANCE = 1e-6
DIRECT, UP, ON, LEAK = "the direct term", "the spatial path", "the temporal path", "the leak"
UP_CLASSIC = "the spatial path with δ ⊙ h"
ON_CLASSIC = "the temporal path with δ ⊙ h"
EXPECTED = {1: {DIRECT}, 2: {UP}, 3: {DIRECT, ON, LEAK}, 4: {UP, ON, LEAK}}
Layers = list[Any]  # ε by layer: None, then arrays (T, S, n[n])


@dataclass(frozen=True)
class CaseFit:
    """The terms that a case's ε is made of.

    Attributes:
        case: 1 to 4.
        coefficients: the factor of each term.
        rest: what no term explains, relative to ε.
    """

    case: int
    coefficients: dict[str, float]
    rest: float

    @property
    def explanations(self) -> list[str]:
        """Which terms are missing, too many, or off by a factor."""
        if self.rest >= TOLERANCE:
            return ["no sum of the terms of this case gives these values"]
        left, lines = dict(self.coefficients), []
        for exact, classic in ((UP, UP_CLASSIC), (ON, ON_CLASSIC)):
            if classic in left and _near(left[exact], 0) and _near(left[classic], 1):
                lines.append(f"{exact} carries δ ⊙ h where ε belongs")
                del left[exact], left[classic]
        return lines + [line for name, c in left.items() if (line := self._explain(name, c))]

    def _explain(self, name: str, coefficient: float) -> str:
        """Return what is wrong with one term, or ""."""
        expected = name in EXPECTED[self.case]
        if _near(coefficient, expected):
            return ""
        if not expected:
            return f"it holds {name}, times {coefficient:.4g}"
        if _near(coefficient, 0):
            return f"{name} is missing"
        if _near(coefficient, -1):
            return f"the sign of {name} is turned round"
        return f"{name} is {coefficient:.4g} times what it should be"


def _near(coefficient: float, value: float) -> bool:
    """Return whether a fitted coefficient has this value."""
    return abs(coefficient - value) < TOLERANCE


def fit_case(net: ForwardPass, epsilon: Layers, case: int) -> CaseFit:
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
    return CaseFit(case, dict(zip(names, (c / scale).tolist(), strict=True)), float(rest))


def terms(net: ForwardPass, epsilon: Layers, t: int, n: int) -> dict[str, Array]:
    """Return what may enter ε at (t, n), from the reader's own ε elsewhere."""
    T, S, N = net.shape
    u, o = net.trace.U[n][t], net.trace.O[n][t]
    h = net.neuron.h(u)
    result: dict[str, Array] = {}
    if n == N:
        result[DIRECT] = (net.trace.O[N].mean(axis=0) - net.targets) / (T * S) * h
    else:
        W = net.params.W[n + 1]
        result[UP] = epsilon[n + 1][t] @ W * h
        if t < T - 1:
            result[UP_CLASSIC] = _own_spike(net, epsilon, t, n + 1) @ W * h
    if t < T - 1:
        later, back = epsilon[n][t + 1], u * net.neuron.df(o) * h
        result[ON] = later * back
        result[ON_CLASSIC] = _own_spike(net, epsilon, t + 1, n) * back
        result[LEAK] = later * net.neuron.f(o)
    return result


def _own_spike(net: ForwardPass, epsilon: Layers, t: int, n: int) -> Array:
    """Return δ ⊙ h at (t, n): ε without what comes through the next potential."""
    own: Array = epsilon[n][t]
    if t < net.shape[0] - 1:
        own = own - epsilon[n][t + 1] * net.neuron.f(net.trace.O[n][t])
    return own
