"""Random networks, and what each oracle finds when the package's results are held against it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Params, forward
from stbp_edu.neuron import GATES, LIF
from stbp_edu.surrogates import Gaussian, Rectangle, Sigmoid, Triangle
from stbp_edu.verify import autodiff, finite_difference, paths, polynomials
from stbp_edu.verify.compare import (
    DIFFERENCES,
    ROUNDING,
    Cell,
    Tolerance,
    cells,
    describe,
    equal_under_classic,
    errors,
)
from stbp_edu.verify.judged import everything

# (sizes, T): between them every case occurs, and every edge of the grid.
SHAPES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((2, 3, 2), 4),
    ((3, 2, 2, 1), 3),
    ((2, 1), 2),
    ((2, 2, 2), 1),
    ((1, 2), 4),
)
# A difference counts as one from ten times the error of the least precise oracle on.
GAP = Tolerance(limit=1e-8, floor=1e-3, elementwise=True)
# Wide enough that h is seldom 0 on these networks.
SURROGATES = (Rectangle(a=4.0), Triangle(a=0.25), Sigmoid(a=0.5), Gaussian(a=1.0))
NEURONS = tuple(
    LIF(tau=0.5, v_th=0.5, surrogate=surrogate, gate=gate)
    for surrogate in SURROGATES
    for gate in GATES
)


class Finding(NamedTuple):
    """One comparison.

    Attributes:
        id: the equation.
        rule: "exact" or "classic".
        oracle: who judged, and what was asked.
        error: the relative error found.
        limit: what the error is held against.
        gap: whether a difference was to be found, rather than none.
        words: where, got and expected.
    """

    id: str
    rule: str
    oracle: str
    error: float
    limit: float
    gap: bool
    words: str

    @property
    def ok(self) -> bool:
        """Whether the error is on the right side of the limit; a NaN never is."""
        return self.error > self.limit if self.gap else self.error <= self.limit


class Network(NamedTuple):
    """A random network with its input and target."""

    spikes: Array
    targets: Array
    params: Params
    neuron: LIF


def draw(rng: np.random.Generator, sizes: tuple[int, ...], T: int, neuron: LIF) -> Network:
    """Return a random network of this shape with two samples, inputs and targets in [0, 1]."""
    W: list[Any] = [None]
    W += [rng.uniform(-1.5, 1.5, (m, k)) for k, m in pairwise(sizes)]
    b = [None, *(rng.uniform(-0.5, 0.5, m) for m in sizes[1:])]
    spikes = rng.random((T, 2, sizes[0]))
    return Network(spikes, rng.random((2, sizes[-1])), Params(W=W, b=b), neuron)


def by_numbers(net: Network) -> Iterator[Finding]:
    """Hold a network's results, both rules, against differences, autodiff and paths."""
    neuron = net.neuron
    for twin in (True, False):
        spike = neuron.H if twin else None
        trace = forward(net.spikes, net.params, neuron, spike=spike)
        on_paths = (trace, net.targets, net.params, neuron)
        auto = autodiff.derivatives(*net, spike=spike)
        judges: dict[str, tuple[Any, Tolerance]] = {"autodiff": (auto, ROUNDING)}
        if twin:
            judges["differences"] = finite_difference.derivatives(*net), DIFFERENCES
        all_paths = {"paths": (paths.derivatives(*on_paths), ROUNDING)}
        for form, got in everything(*net, "exact", twin).items():
            for name, (expected, tolerance) in (judges | all_paths).items():
                for cell in cells(got, expected):
                    yield _found(cell, "exact", name, tolerance, form)
        smooth = twin and isinstance(neuron.surrogate, (Sigmoid, Gaussian))
        kept = paths.derivatives(*on_paths, rule="classic")
        for form, got in everything(*net, "classic", twin).items():
            yield from _classic(form, got, judges, gaps=smooth)
            for cell in cells(got, kept):
                yield _found(cell, "classic", "paths that it keeps", ROUNDING, form)


def _classic(form: str, got: Any, judges: dict[str, Any], gaps: bool) -> Iterator[Finding]:
    """Ask whether the classic rule reaches the gradient where it should, and misses elsewhere.

    ``gaps`` says that no local derivative is 0, so that the dropped paths must show.
    """
    for name, (expected, tolerance) in judges.items():
        T, N = len(expected.epsilon[1]), len(expected.epsilon) - 1
        for cell in cells(got, expected):
            if equal_under_classic(cell, T, N):
                yield _found(cell, "classic", f"{name}, where it is exact", tolerance, form)
            elif gaps:
                yield _found(cell, "classic", f"{name}, where it is not", GAP, form, True)


def _found(
    cell: Cell, rule: str, oracle: str, tolerance: Tolerance, form: str, gap: bool = False
) -> Finding:
    """Return the finding on one cell."""
    error = float(np.max(errors(cell, tolerance)))
    words = f"{form} form, {rule} rule, against {oracle}: {describe(cell, tolerance)}"
    return Finding(cell.id, rule, oracle, error, tolerance.limit, gap, words)


def by_symbols(sizes: tuple[int, ...], T: int) -> Iterator[Finding]:
    """Hold the index formulas, as polynomials, against the paths; the error is 0 or 1."""
    for rule, oracle in (("exact", "polynomials"), ("classic", "polynomials: gap = dropped paths")):
        for proof in polynomials.prove(sizes, T, rule):
            words = f"scalar form, {rule} rule, {proof.id} at {proof.node}: got - expected = "
            words += str(proof.difference)
            yield Finding(proof.id, rule, oracle, float(proof.difference != 0), 0.0, False, words)
