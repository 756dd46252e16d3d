"""Random networks on which every form is compared with every oracle."""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from stbp_edu import losses
from stbp_edu.checks import Array
from stbp_edu.network import Params, Trace, forward
from stbp_edu.neuron import GATES, LIF
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import autodiff, finite_difference, formulas, paths, polynomials
from stbp_edu.verify.comparison import (
    DIFFERENCES,
    ROUNDING,
    Comparison,
    Tolerance,
    comparisons,
    equal_under_classic,
    equation_under,
)
from stbp_edu.verify.forms import all_forms

# (sizes, T): between them every case occurs, and every edge of the grid.
SHAPES = (((2, 3, 2), 4), ((3, 2, 2, 1), 3), ((2, 1), 2), ((2, 2, 2), 1), ((1, 2), 4))
# A difference counts as one from ten times the error of the least precise oracle on.
GAP = Tolerance(limit=1e-8, elementwise=True)
NEURONS = tuple(
    LIF(0.5, 0.5, curve(curve.proof_a), gate) for curve, gate in product(SURROGATES.values(), GATES)
)


class Outcome(NamedTuple):
    """The outcome of one comparison with an oracle.

    Attributes:
        rule: a rule, an ablation, or "both" for what the two rules share.
        oracle: the oracle, and what it was asked.
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


def draw(
    rng: np.random.Generator, sizes: tuple[int, ...], T: int, neuron: LIF, S: int = 2
) -> Problem:
    """Return a random network of this shape with S samples, inputs and targets in [0, 1]."""
    W = [None, *(rng.uniform(-1.5, 1.5, (m, k)) for k, m in pairwise(sizes))]
    b = [None, *(rng.uniform(-0.5, 0.5, m) for m in sizes[1:])]
    spikes = rng.random((T, S, sizes[0]))
    return Problem(spikes, rng.random((S, sizes[-1])), Params(W=W, b=b), neuron)


def by_numbers(problem: Problem) -> Iterator[Outcome]:
    """Compare every form of a network's adjoints, under both rules, with every oracle.

    Under the classic rule they must equal the gradient where it is exact, and differ elsewhere on
    networks without a local derivative that is 0, since there the dropped paths show: h is 0
    nowhere if its antiderivative is one piece.
    """
    neuron, T, N = problem.neuron, len(problem.spikes), problem.params.N
    for twin in (True, False):
        spike = neuron.H if twin else None
        trace = forward(problem.spikes, problem.params, neuron, spike=spike)
        yield _loss(trace, problem.targets)
        oracles = {"autodiff": (autodiff.derivatives(*problem, spike=spike), ROUNDING)}
        if twin:
            oracles["differences"] = finite_difference.derivatives(*problem), DIFFERENCES
        gaps_show = twin and not getattr(neuron.surrogate, "joints", ())
        for rule, name in (("exact", "paths"), ("classic", "paths that it keeps")):
            kept = paths.derivatives(trace, problem.targets, problem.params, neuron, rule)
            answers = {name: (kept, ROUNDING), **oracles}
            forms = all_forms(*problem, rule, spike)
            for (form, got), (oracle, answer) in product(forms.items(), answers.items()):
                for place in comparisons(got, answer[0]):
                    one = place._replace(id=equation_under(place.id, rule))
                    if rule == "exact" or oracle == name:
                        yield outcome_of(one, rule, oracle, answer[1], form)
                    elif equal_under_classic(one, T, N):
                        yield outcome_of(one, rule, f"{oracle}, where it is exact", answer[1], form)
                    elif gaps_show:
                        yield outcome_of(one, rule, f"{oracle}, where it is not", GAP, form)


def _loss(trace: Trace, targets: Array) -> Outcome:
    """Compare the loss with its sum, number by number."""
    got, expected = losses.loss(trace, targets), formulas.rate_loss(trace.O[-1], targets)
    return by_formula("loss", "", np.array(got), np.array(expected))


def by_formulas() -> Iterator[Outcome]:
    """Compare every function of the neuron with its formula."""
    for one in formulas.curves():
        yield by_formula(one.id, f" with {one.name}", one.got, one.expected)


def by_formula(id: str, what: str, got: Array, expected: Array) -> Outcome:
    """Return the outcome of one comparison with a formula, relative to the largest value."""
    error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
    limit = ROUNDING.limit
    message = f"{id}{what} against its formula: relative error {error:.1e} > {limit:.0e}"
    return Outcome(id, "both", "formulas", error, limit, False, message)


def outcome_of(one: Comparison, rule: str, oracle: str, tolerance: Tolerance, form: str) -> Outcome:
    """Return the outcome of one comparison; under ``GAP``, a difference is expected."""
    message = f"{form} form, {rule} rule, against {oracle}: {one.describe(tolerance)}"
    limit, gap = tolerance.limit, tolerance is GAP
    return Outcome(one.id, rule, oracle, one.error(tolerance), limit, gap, message)


def by_symbols(sizes: tuple[int, ...], T: int) -> Iterator[Outcome]:
    """Compare the index formulas, as polynomials, with the sums over paths; errors are 0 or 1.

    A node without a proof is a failure, too.
    """
    nodes = sum(m * (2 * T + 1 + k) for k, m in pairwise(sizes))  # o and u, b, and m × k weights
    for rule, oracle in (("exact", "polynomials"), ("classic", "polynomials: gap = dropped paths")):
        proofs = polynomials.prove(sizes, T, rule)
        for id, node, _, _, difference in proofs:
            message = f"scalar form, {rule} rule, {id} at {node}: got - expected = {difference}"
            yield Outcome(id, rule, oracle, float(difference != 0), 0.0, False, message)
        if (proved := len({proof.node for proof in proofs})) != nodes:
            message = f"{rule} rule: {proved} of {nodes} nodes have a proof by polynomials"
            yield Outcome("c5-w", rule, oracle, 1.0, 0.0, False, message)
