"""Random networks on which every form is compared with every oracle."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.network import Adjoints, Gradients, Params, forward
from stbp_edu.neuron import GATES, LIF
from stbp_edu.surrogates import Gaussian, Rectangle, Sigmoid, Triangle
from stbp_edu.verify import autodiff, finite_difference, paths, polynomials
from stbp_edu.verify.comparison import (
    DIFFERENCES,
    ROUNDING,
    Comparison,
    Tolerance,
    comparisons,
    equal_under_classic,
)
from stbp_edu.verify.forms import all_forms

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


class Outcome(NamedTuple):
    """The outcome of one comparison with an oracle.

    Attributes:
        id: the equation.
        rule: "exact" or "classic".
        oracle: the oracle, and what it was asked.
        error: the relative error.
        limit: what the error is compared with.
        gap: whether the two are expected to differ.
        message: where, got and expected.
    """

    id: str
    rule: str
    oracle: str
    error: float
    limit: float
    gap: bool
    message: str

    @property
    def ok(self) -> bool:
        """Whether the error is on the right side of the limit; a NaN never is."""
        return self.error > self.limit if self.gap else self.error <= self.limit


class Problem(NamedTuple):
    """A network with its input and targets."""

    spikes: Array
    targets: Array
    params: Params
    neuron: LIF


def draw(rng: np.random.Generator, sizes: tuple[int, ...], T: int, neuron: LIF) -> Problem:
    """Return a random network of this shape with two samples, inputs and targets in [0, 1]."""
    W: list[Any] = [None]
    W += [rng.uniform(-1.5, 1.5, (m, k)) for k, m in pairwise(sizes)]
    b = [None, *(rng.uniform(-0.5, 0.5, m) for m in sizes[1:])]
    spikes = rng.random((T, 2, sizes[0]))
    return Problem(spikes, rng.random((2, sizes[-1])), Params(W=W, b=b), neuron)


def by_numbers(problem: Problem) -> Iterator[Outcome]:
    """Compare every form of a network's adjoints, under both rules, with every oracle."""
    neuron = problem.neuron
    for twin in (True, False):
        spike = neuron.H if twin else None
        trace = forward(problem.spikes, problem.params, neuron, spike=spike)
        oracles = {"autodiff": (autodiff.derivatives(*problem, spike=spike), ROUNDING)}
        if twin:
            oracles["differences"] = finite_difference.derivatives(*problem), DIFFERENCES
        gaps = twin and isinstance(neuron.surrogate, (Sigmoid, Gaussian))
        for rule, name in (("exact", "paths"), ("classic", "paths that it keeps")):
            kept = paths.derivatives(trace, problem.targets, problem.params, neuron, rule)
            for form, got in all_forms(*problem, rule, twin).items():
                for comparison in comparisons(got, kept):
                    yield _outcome(comparison, rule, name, ROUNDING, form)
                for oracle, (expected, tolerance) in oracles.items():
                    if rule == "exact":
                        for comparison in comparisons(got, expected):
                            yield _outcome(comparison, rule, oracle, tolerance, form)
                    else:
                        yield from _classic(form, got, oracle, expected, tolerance, gaps)


def _classic(
    form: str,
    got: Adjoints | Gradients,
    oracle: str,
    expected: Adjoints,
    tolerance: Tolerance,
    gaps: bool,
) -> Iterator[Outcome]:
    """Compare the classic rule with the gradient: equal where it should be, different elsewhere.

    ``gaps`` says that no local derivative is 0, so that the dropped paths must show.
    """
    T, N = len(expected.epsilon[1]), len(expected.epsilon) - 1
    for comparison in comparisons(got, expected):
        if equal_under_classic(comparison, T, N):
            yield _outcome(comparison, "classic", f"{oracle}, where it is exact", tolerance, form)
        elif gaps:
            yield _outcome(comparison, "classic", f"{oracle}, where it is not", GAP, form, True)


def _outcome(
    comparison: Comparison,
    rule: str,
    oracle: str,
    tolerance: Tolerance,
    form: str,
    gap: bool = False,
) -> Outcome:
    """Return the outcome of one comparison."""
    message = f"{form} form, {rule} rule, against {oracle}: {comparison.describe(tolerance)}"
    error = comparison.error(tolerance)
    return Outcome(comparison.id, rule, oracle, error, tolerance.limit, gap, message)


def by_symbols(sizes: tuple[int, ...], T: int) -> Iterator[Outcome]:
    """Compare the index formulas, as polynomials, with the sums over paths; errors are 0 or 1."""
    for rule, oracle in (("exact", "polynomials"), ("classic", "polynomials: gap = dropped paths")):
        for proof in polynomials.prove(sizes, T, rule):
            message = f"scalar form, {rule} rule, {proof.id} at {proof.node}: got - expected = "
            message += str(proof.difference)
            error = float(proof.difference != 0)
            yield Outcome(proof.id, rule, oracle, error, 0.0, False, message)
